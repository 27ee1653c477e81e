"""The store, the clock, and what the checks know.

Each operation yields before it takes effect. A create may fail, land late or lose its reply, and a
delete may fail. A listing visits each key at an instant of its own, and for some actors it lies.
"""
import random

from names import generation_of, identity_of, manifests_of, predecessor_of
from rules import RETIRED


class Lost(Exception):
    """The operation may or may not have happened."""


class Exists(Exception):
    pass


class NotFound(Exception):
    pass


class Damaged(Exception):
    """An object that cannot be read."""


class Contradiction(Exception):
    """A listing that contradicts itself or an earlier one."""


class Refused(Exception):
    """The operation has certainly not happened."""


class World:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.retired = RETIRED
        self.objects, self.late, self.snapshots = {}, [], [{}]
        self.clock, self.step = 1000, 0
        self.fault = self.random.choice([0, 0.05, 0.2])
        self.bound = self.random.choice([0.1, 0.5, 0.9])
        self.acknowledged, self.written = set(), set()
        self.trimmed, self.declared_lost = set(), set()
        self.damaged, self.torn, self.stolen = set(), set(), set()
        self.by_deceived, self.frozen = set(), self.random.choice([1, 1, 2])
        self.removed, self.removed_batches = {}, set()
        self.spawned, self.owners, self.creating = [], {}, []
        # The events of each batch, the batches not confirmed yet, and the events by position.
        self.contents, self.unconfirmed, self.sequence = {}, set(), {}
        self.created, self.refused, self.highest, self.outlast = {}, set(), 0, 0
        self.absorbed, self.saved, self.alarms, self.lie = set(), [], [], None
        # Of named positions: the listings in progress, each with the commits since, the first
        # attempt of each number, and the highest number that was acknowledged.
        self.listings, self.attempts, self.confirmed = [], {}, {}

    def report_gone(self, batches):
        """Notes that acknowledged batches are reported gone. None is, unless one was removed."""
        if batches - self.stolen:
            self.alarms.append("a batch is called gone that is not: %r" % sorted(batches))

    def rest(self):
        """Rests before a create is retried, in some schedules until later generations."""
        until = self.highest + self.random.randint(0, self.outlast)
        for _ in range(self.random.choice([0, 20, 20, 2000])):
            yield
        for _ in range(1000):
            if self.highest < until:
                yield

    def now(self):
        self.clock += self.random.choice([0, 0, 1, 3, -2])
        return self.clock

    def spawn(self, actor, owner=None):
        self.spawned.append(actor)
        if owner:
            self.owners[actor] = owner

    def put(self, key, value):
        if key.startswith("manifest_") and key >= max(manifests_of(self.objects), default=""):
            self.highest = value["gen"]
            self.trimmed |= value["trimmed"]
            self.declared_lost |= value["lost"]
            for segment in value["segs"]:
                for name, offset, count, cut, _ in self.objects.get(segment["name"] + ".index", ()):
                    self.absorbed.add(identity_of(name))
                    start = segment["pos"] + offset - cut
                    for at, event in enumerate(self.contents[identity_of(name)], start):
                        self.sequence[at] = event
        if key.startswith("batch_"):
            self.created[identity_of(key)] = self.created[predecessor_of(key)] = self.step
        if key.startswith("position_"):
            name, number = key.split("_")[1:]
            self.attempts.setdefault((name, int(number)), value["attempt"])
            for listing in self.listings:
                listing[1] += listing[0] == name
        self.objects[key] = value

    def acknowledge(self, name, number, attempt, previous):
        """Notes a commit under a name. The commits of a name are one chain."""
        first, before = (self.attempts.get((name, at)) for at in (number, number - 1))
        if (first, before) != (attempt, previous):
            self.alarms.append("two readers have committed %s %d" % (name, number))
        self.confirmed[name] = max(self.confirmed.get(name, 0), number)

    def create(self, key, value, faulty=True, lie=None):
        self.creating.append(key)
        try:
            yield
            if lie:
                self.by_deceived.add(key)
            if key.startswith("batch_") and identity_of(key) in self.refused:
                self.refused.remove(identity_of(key))
                raise Refused()
            if faulty and self.random.random() < self.fault:
                fate = self.random.random()
                if fate < 0.2:
                    raise Lost()
                if fate < 0.3:
                    raise Refused() if key.startswith("batch_") else Lost()
                if fate < 0.7:
                    if key not in self.objects:
                        self.put(key, value)
                    raise Lost()
                self.late.append((key, value))
                raise Lost()
            if key in self.objects:
                raise Exists()
            self.put(key, value)
        finally:
            self.creating.remove(key)

    def may_drop(self, entries, since):
        """The assumption on the index of a trimmed segment. It is kept until each batch in it is
        confirmed, and as long as one create of such a batch, or of the next, is in progress, or
        was at `since`, when the batches were listed."""
        held = {identity_of(entry[0]) for entry in entries}
        late = [key for key, _ in self.late if key.startswith("batch_")]
        tries = late + [key for key in self.creating if key.startswith("batch_")]
        needed = {identity_of(key) for key in tries} | {predecessor_of(key) for key in tries}
        recent = {batch for batch, step in self.created.items() if step >= since}
        return not held & (self.unconfirmed | needed | recent)

    def get(self, key):
        yield
        if key not in self.objects:
            raise NotFound(key)
        if key in self.torn:
            raise Damaged(key)
        return self.objects[key]

    def delete(self, key):
        yield
        if self.random.random() >= self.fault:
            self.objects.pop(key, None)
            self.damaged.discard(key)
            self.torn.discard(key)

    def list(self, prefixes, lie=None, after=""):
        yield
        wanted = lambda key: key.startswith(prefixes) and key > after
        if lie and self.random.random() < lie[1]:
            return self.lying(lie[0], [key for key in sorted(self.objects) if wanted(key)], wanted)
        todo = [key for key in self.objects if wanted(key)]
        seen, listed = set(todo), []
        self.random.shuffle(todo)
        while todo:
            key = todo.pop()
            if key in self.objects:
                listed.append(key)
            if self.random.random() < 0.5:
                yield
            for new in self.objects:
                if wanted(new) and new not in seen:
                    seen.add(new)
                    if self.random.random() < 0.5:
                        todo.append(new)
        return sorted(listed)

    def lying(self, kind, true, wanted):
        if kind == "empty" or not true or (kind == "others" and not true[0].startswith("batch_")):
            return []
        if kind == "tail":
            return true[:self.random.randrange(len(true))]
        if kind == "hole":
            true.pop(self.random.randrange(len(true)))
            return true
        if kind == "first":
            later = manifests_of(true)[self.random.randint(1, 2):]
            return [key for key in true if key not in later]
        if kind == "frozen":
            # The log as it was long ago, and the objects made by actors that are shown it.
            old = lambda key: key.startswith("batch_") or generation_of(key) <= self.frozen
            return [key for key in true if old(key) or key in self.by_deceived]
        return [key for key in sorted(self.random.choice(self.snapshots)) if wanted(key)]
