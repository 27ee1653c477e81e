#!/usr/bin/env python3
"""A random-schedule model of the protocols in guest/FORMAT.md.

Its actors are writers, compactors, trims, repairs and readers.

    tests/model/protocol.py [SEEDS] [FIRST_SEED] [--mutant NAME | --mutants]

Each actor is a generator that yields before every store operation, so a schedule is a sequence of
choices. A create may fail, land late or lose its reply. A delete may fail. An actor may crash or
stall. A listing visits each key at an instant of its own, and for some actors it lies. Checked:

1. No acknowledged event is missing, doubled or invented, and one writer's events keep their order.
2. Events that a reader did not get were trimmed or declared lost, and the reported number is right.
3. No object that the current manifest names holds an event that was trimmed.
4. A listing that lies makes a compaction or a trim fail, or do less. It never loses an event.
   Three rules ensure that:
   - A listing must agree with itself and with earlier ones.
   - The first manifest stays, so that no actor begins a log a second time.
   - A marker records which generations were passed. A manifest whose number was used before thus
     justifies no delete.
   No store lies and damages objects in one run: a repair relies on true listings.
5. An index is written before its segment. Of a manifest and its indexes that are gone, the segment
   thus remains as evidence, and nothing is deleted until they are restored. No crash leaves a
   segment of the next generation without an index.

A mutant breaks one rule. --mutants runs each until it is caught. A violation prints its seed.
"""
import random
import sys

KEPT = 2          # manifests kept below the highest; a marker stands for as many generations
RETIRED = 64      # generations for which the index of a trimmed segment is kept
TRIES = 8
MUTANT = None
MUTANTS = [
    "list-once", "reader-manifest-first", "rename-on-retry", "forget-seen", "delete-own",
    "merge-copies-trimmed", "trim-keeps-bytes", "cut-forgets-offset", "rewrite-forgets-batches",
    "trust-any-look", "lost-without-a-mark", "step-back-unproven", "replace-before-next",
    "ignore-marker", "delete-unmarked", "segment-first", "segment-alone", "discard-in-doubt",
]
LIES = ["empty", "tail", "hole", "stale", "first", "others", "frozen"]


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


class World:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.objects, self.late, self.snapshots = {}, [], [{}]
        self.clock, self.step = 1000, 0
        self.fault = self.random.choice([0, 0.05, 0.2])
        self.acknowledged, self.written = set(), set()
        self.trimmed, self.declared_lost = set(), set()
        self.damaged, self.torn = set(), set()
        self.by_deceived, self.frozen = set(), self.random.choice([1, 1, 2])
        self.removed = {}

    def now(self):
        self.clock += self.random.choice([0, 0, 1, 3, -2])
        return self.clock

    def put(self, key, value):
        if key.startswith("manifest_") and key >= max(manifests_of(self.objects), default=""):
            self.trimmed |= value["trimmed"]
            self.declared_lost |= value["lost"]
        self.objects[key] = value

    def create(self, key, value, faulty=True, lie=None):
        yield
        if lie:
            self.by_deceived.add(key)
        if faulty and self.random.random() < self.fault:
            fate = self.random.random()
            if fate < 0.3:
                raise Lost()
            if fate < 0.7:
                if key not in self.objects:
                    self.put(key, value)
                raise Lost()
            self.late.append((key, value))
            raise Lost()
        if key in self.objects:
            raise Exists()
        self.put(key, value)

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

    def list(self, prefixes, lie=None):
        yield
        wanted = lambda key: key.startswith(prefixes)
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


def manifests_of(keys):
    return [key for key in keys if key.startswith("manifest_")]


def batch_name(time, writer, events):
    return "batch_%06d_%03d_%d" % (time, writer, len(events))


def time_of(name):
    return int(name.split("_")[1])


def writer_of(name):
    return int(name.split("_")[2])


def generation_of(key):
    return int(key.split("_")[1])


def marker_of(generation):
    """Creates the marker of a generation's group, before any manifest of the group is deleted."""
    return "generation_%06d" % (-(-generation // KEPT) * KEPT)


EMPTY = dict(gen=0, attempt=None, first=0, next=0, segs=[], retired=[], trimmed=set(), lost=set())


def writer(world, id, count):
    buffer, sealed, last, appended = [], None, 0, 0
    names = yield from world.list("batch_")
    last = max(map(time_of, names), default=0)
    while appended < count or buffer or sealed:
        if appended < count and world.random.random() < 0.6:
            event = (id, appended)
            appended += 1
            buffer.append(event)
            world.written.add(event)
            yield
            continue
        if sealed is None:
            if not buffer:
                continue
            last = max(world.now(), last + 1)
            sealed, buffer = (batch_name(last, id, buffer), tuple(buffer)), []
        if MUTANT == "rename-on-retry":
            sealed = (batch_name(last, id, sealed[1]), sealed[1])
        try:
            yield from world.create(*sealed)
        except Lost:
            if MUTANT == "rename-on-retry":
                last = max(world.now(), last + 1)
            if world.random.random() < 0.1:
                return
            continue
        except Exists:
            pass
        world.acknowledged |= set(sealed[1])
        sealed = None


def manifest(world, lie=None, least=0):
    """Returns the current manifest. Fails if the listing shows none as new as one seen before."""
    for _ in range(TRIES):
        listed = yield from world.list("manifest_", lie)
        highest = generation_of(listed[-1]) if listed else 0
        if highest < least and MUTANT != "trust-any-look":
            continue
        if not listed:
            return EMPTY
        try:
            return (yield from world.get(listed[-1]))
        except NotFound:
            continue
    raise Contradiction()


def batches(world, known=(), lie=None):
    """Returns a listing that holds a prefix of each writer's batches."""
    first = yield from world.list("batch_", lie)
    if MUTANT == "list-once" or set(first) <= set(known):
        return first
    newest = {}
    for name in first:
        newest[writer_of(name)] = max(newest.get(writer_of(name), ""), name)
    second = yield from world.list("batch_", lie)
    return [name for name in second if name <= newest.get(writer_of(name), "")]


def held(world, current, name, cache):
    """Returns true if an index of the manifest holds the batch."""
    for segment in current["segs"] + [segment for _, segment in current["retired"]]:
        if segment["from"] <= time_of(name) <= segment["to"]:
            if segment["name"] not in cache:
                cache[segment["name"]] = yield from world.get(segment["name"] + ".index")
            if any(entry[0] == name for entry in cache[segment["name"]]):
                return True
    return False


def live_of(world, current, names, cache):
    live = []
    for name in names:
        if not (yield from held(world, current, name, cache)):
            live.append(name)
    return live


def look(world, lie, least=0, list_batches=True, own=None):
    """Returns a consistent listing for the decisions and deletes of a commit, or fails."""
    for _ in range(TRIES):
        names = (yield from batches(world, lie=lie)) if list_batches else []
        others = yield from world.list(("manifest_", "segment_"), lie)
        listed = manifests_of(others)
        if not listed:
            later = [key for key in others if generation_of(key) > 1]
            if MUTANT == "trust-any-look" or not (later or alone(others, 1) or least):
                return names, EMPTY, others
            continue
        try:
            is_own = own and generation_of(listed[-1]) == own["gen"]
            current = own if is_own else (yield from world.get(listed[-1]))
        except NotFound:
            continue
        highest = current["gen"]
        named = [segment["name"] for segment in current["segs"]]
        indexes = [name + ".index" for name in named + [s["name"] for _, s in current["retired"]]]
        kept = ["manifest_%06d" % g for g in range(max(1, highest - KEPT), highest + 1)]
        kept.append("manifest_000001")
        agrees = highest >= least and set(named + indexes + kept) <= set(others)
        agrees &= all(generation_of(key) <= highest + 1 for key in others)
        agrees &= not alone(others, highest + 1)
        if agrees or MUTANT == "trust-any-look":
            return names, current, others
    raise Contradiction()


def alone(others, generation):
    """Returns the segments of a generation that have no index."""
    if MUTANT == "segment-alone":
        return []
    segments = [key for key in others if key.startswith("segment_") and not key.endswith(".index")]
    return [key for key in segments
            if generation_of(key) == generation and key + ".index" not in others]


def missing_manifest(world, current, names):
    """Returns true if a segment shows that a manifest after the current one existed."""
    following = current["gen"] + 1
    others = yield from world.list("segment_")
    if alone(others, following) or any(generation_of(key) > following for key in others):
        return True
    for key in others:
        if key.endswith(".index") and generation_of(key) == following:
            for entry in (yield from world.get(key)):
                if entry[0] not in names and not (yield from held(world, current, entry[0], {})):
                    return True
    return False


def cut(index, body, position, first):
    """Returns the batches of a segment, starting with the first remaining event."""
    entries, events = [], []
    for name, offset, count, trimmed, lost in index:
        skip = min(max(first - position, 0), count)
        position += count
        if skip == count:
            continue
        forgets = MUTANT == "cut-forgets-offset"
        entries.append((name, len(events), count - skip, 0 if forgets else trimmed + skip, lost))
        events += [None] * (count - skip) if lost else body[offset + skip:offset + count]
    return entries, events


def copy(world, segments, first):
    """Joins indexes and events of neighbouring segments, without trimmed events."""
    entries, events = [], []
    for segment in segments:
        index = yield from world.get(segment["name"] + ".index")
        body = yield from world.get(segment["name"])
        left = segment["pos"] if MUTANT == "merge-copies-trimmed" else first
        more, body = cut(index, body, segment["pos"], left)
        entries += [(n, o + len(events), c, t, l) for n, o, c, t, l in more]
        events += body
    return entries, events


def write(world, name, position, entries, events, lie=None):
    """Writes an index, then its segment. One whose fate is unknown is left as it is."""
    objects = [(name + ".index", tuple(entries)), (name, tuple(events))]
    if MUTANT == "segment-first":
        objects.reverse()
    try:
        for key, value in objects:
            yield from world.create(key, value, world.random.random() < 0.1, lie)
    except Lost:
        if MUTANT == "discard-in-doubt":
            for key, _ in objects:
                yield from world.delete(key)
        raise NotFound(name)
    times = [time_of(entry[0]) for entry in entries]
    return {"name": name, "pos": position, "n": len(events), "from": min(times), "to": max(times)}


def commit(world, base, new, names, others, lie):
    """Creates the manifest, then deletes the garbage. Returns false when another won."""
    key = "manifest_%06d" % new["gen"]
    new["retired"] = [r for r in new["retired"] if new["gen"] - r[0] <= RETIRED]
    if world.random.random() < 0.2:
        for _ in range(world.random.randrange(2000)):
            yield
    while True:
        try:
            yield from world.create(key, new, lie=lie)
            won = True
        except Exists:
            try:
                won = (yield from world.get(key))["attempt"] == new["attempt"]
            except NotFound:
                won = False
        except Lost:
            continue
        break
    if world.random.random() < 0.1:
        return won
    if MUTANT == "delete-own":
        current, dead = new, list(names)
    else:
        # Everything is listed again: the state before the commit may be stale by now.
        own = new if won else None
        for _ in range(TRIES):
            _, current, others = yield from look(world, lie, new["gen"], False, own)
            try:
                yield from world.get(marker_of(current["gen"]))
            except NotFound:
                break
            if MUTANT in ("ignore-marker", "trust-any-look"):
                break
        else:
            raise Contradiction()
        dead, cache = [], {}
        for name in names:
            if (yield from held(world, current, name, cache)):
                dead.append(name)
    for name in dead:
        yield from world.delete(name)
    retired = {segment["name"] for _, segment in current["retired"]}
    named = {segment["name"] for segment in current["segs"]}
    for key in others:
        name = key.replace(".index", "")
        if key.startswith("segment_") and generation_of(key) <= current["gen"]:
            if name not in named and not (key.endswith(".index") and name in retired):
                yield from world.delete(key)
    for key in manifests_of(others):
        passed = generation_of(marker_of(generation_of(key))) < current["gen"] - KEPT
        if passed and generation_of(key) > 1:
            if MUTANT != "delete-unmarked":
                try:
                    yield from world.create(marker_of(generation_of(key)), ())
                except Exists:
                    pass
                except Lost:
                    continue
            yield from world.delete(key)
    return won


def compactor(world, rounds, lie=None, merges=0.7):
    for _ in range(rounds):
        attempt = world.random.getrandbits(30)
        try:
            names, base, others = yield from look(world, lie)
            live = yield from live_of(world, base, names, {})
            live = [name for name in live if name not in world.damaged]
            if live and world.random.random() < 0.5:
                live = live[:world.random.randint(1, 2)]
            generation, segments = base["gen"] + 1, [dict(s) for s in base["segs"]]
            stem = "segment_%06d_%08x_" % (generation, attempt)
            end, retired = base["next"], list(base["retired"])
            if live:
                entries, events = [], []
                for name in live:
                    body = yield from world.get(name)
                    entries.append((name, len(events), len(body), 0, False))
                    events += body
                segments.append((yield from write(world, stem + "0", end, entries, events, lie)))
                end += len(events)
            lazy = bool(segments) and segments[0]["pos"] < base["first"]
            if lazy or (len(segments) >= 3 and world.random.random() < merges):
                at = 0 if lazy else world.random.randrange(len(segments) - 1)
                to = min(len(segments), at + world.random.randint(1 if lazy else 2, 3))
                part = segments[at:to]
                entries, events = yield from copy(world, part, base["first"])
                if entries:
                    position = part[0]["pos"]
                    if MUTANT != "merge-copies-trimmed":
                        position = max(position, base["first"])
                    segments[at:to] = [
                        (yield from write(world, stem + "1", position, entries, events, lie))]
                    # Its deleted batches must still be known as absorbed.
                    if lazy and MUTANT != "rewrite-forgets-batches":
                        retired.append((generation, part[0]))
            if not live and len(segments) == len(base["segs"]) and not lazy:
                continue
            new = dict(base, gen=generation, attempt=attempt, next=end, segs=segments,
                       retired=retired, lazy=False)
            yield from commit(world, base, new, names, others, lie)
        except (NotFound, Contradiction, Damaged):
            continue
        for _ in range(world.random.randrange(30)):
            yield


def trimmer(world, rounds, lie=None):
    for _ in range(rounds):
        for _ in range(world.random.randrange(200)):
            yield
        attempt = world.random.getrandbits(30)
        try:
            names, base, others = yield from look(world, lie)
            if base["next"] == base["first"]:
                continue
            first = world.random.randint(base["first"] + 1, base["next"])
            lazy = world.random.random() < 0.3
            trimmed, segments, retired = set(base["trimmed"]), [], list(base["retired"])
            for segment in base["segs"]:
                end = segment["pos"] + segment["n"]
                if segment["pos"] < first:
                    body = yield from world.get(segment["name"])
                    trimmed |= {e for e in body[:first - segment["pos"]] if e}
                if end <= first:
                    retired.append((base["gen"] + 1, segment))
                elif segment["pos"] < first and not lazy and MUTANT != "trim-keeps-bytes":
                    entries, events = yield from copy(world, [segment], first)
                    name = "segment_%06d_%08x_0" % (base["gen"] + 1, attempt)
                    segments.append((yield from write(world, name, first, entries, events, lie)))
                    retired.append((base["gen"] + 1, segment))
                else:
                    segments.append(segment)
            new = dict(base, gen=base["gen"] + 1, attempt=attempt, first=first, segs=segments,
                       retired=retired, trimmed=trimmed, lazy=lazy)
            yield from commit(world, base, new, names, others, lie)
        except (NotFound, Contradiction, Damaged):
            continue


def breaker(world):
    """Damages a live batch or the current manifest once, as a broken disk does."""
    for _ in range(world.random.randrange(400)):
        yield
    listed = manifests_of(world.objects)
    if len(listed) > 1 and world.random.random() < 0.5:
        world.torn.add(max(listed))
        for _ in range(2000):
            yield
        # No repair could: it is restored.
        world.torn.clear()
        return
    live = [key for key in world.objects if key.startswith("batch_")]
    if live:
        world.damaged.add(world.random.choice(live))


def remover(world):
    """Removes the current manifest and the indexes of its generation, as a broken disk does. Once
    other actors have run, all is restored: no repair could do that."""
    listed = manifests_of(world.objects)
    generation = generation_of(max(listed)) if listed else 0
    mine = lambda key: key.endswith(".index") and generation_of(key) == generation
    indexes = [key for key in world.objects if key.startswith("segment_") and mine(key)]
    if generation > 1 and indexes:
        world.removed = {key: world.objects.pop(key) for key in [max(listed)] + indexes}
    return
    yield


def replace_manifests(world):
    """Restores torn manifests with proven content. The log continues before that."""
    listed = yield from world.list("manifest_")
    for key in [key for key in reversed(listed) if key in world.torn]:
        was = world.objects.get(key)
        if was is None:
            continue
        if MUTANT == "step-back-unproven":
            yield from world.delete(key)
            continue
        if key == listed[-1] and MUTANT != "replace-before-next":
            try:
                following = dict(was, gen=was["gen"] + 1)
                yield from world.create("manifest_%06d" % following["gen"], following)
            except Lost:
                return
            except Exists:
                pass
        yield from world.delete(key)
        for _ in range(world.random.choice([0, 0, world.random.randrange(600)])):
            yield
        try:
            yield from world.create(key, was, False)
        except Exists:
            pass


def repairer(world):
    """Restores torn manifests, and absorbs damaged live batches as lost: their events get positions
    that no reader can read."""
    for _ in range(6):
        for _ in range(world.random.randrange(100)):
            yield
        yield from replace_manifests(world)
        attempt = world.random.getrandbits(30)
        try:
            names, base, others = yield from look(world, None)
            live = yield from live_of(world, base, names, {})
            broken = [name for name in live if name in world.damaged]
            if not broken:
                continue
            # All live batches before it and it: the order of a writer stays.
            taken = live[:live.index(broken[0]) + 1]
            entries, events, lost = [], [], set(base["lost"])
            for name in taken:
                body = yield from world.get(name)
                if name == broken[0]:
                    lost |= set(body)
                    body = [None] * len(body)
                entries.append((name, len(events), len(body), 0, name == broken[0]))
                events += body
            if MUTANT == "lost-without-a-mark":
                entries, events = entries[:-1], events[:-len(body)]
                if not entries:
                    yield from world.delete(broken[0])
                    continue
            name = "segment_%06d_%08x_0" % (base["gen"] + 1, attempt)
            segment = yield from write(world, name, base["next"], entries, events)
            new = dict(base, gen=base["gen"] + 1, attempt=attempt, next=base["next"] + len(events),
                       segs=base["segs"] + [segment], lost=lost)
            if MUTANT == "lost-without-a-mark":
                yield from world.delete(broken[0])
            yield from commit(world, base, new, names, others, None)
        except (NotFound, Contradiction, Damaged):
            continue


def reader(world, passes):
    """Reads to the end repeatedly with one position; checks at the end of each pass."""
    at, yielded, got, told, generation = 0, {}, [], 0, 0
    for _ in range(passes):
        before = set(world.acknowledged)
        done = False
        while not done:
            try:
                if MUTANT == "reader-manifest-first":
                    current = yield from manifest(world)
                    names = yield from batches(world, yielded)
                else:
                    names = yield from batches(world, yielded)
                    current = yield from manifest(world, None, generation)
                    if not generation and (yield from missing_manifest(world, current, names)):
                        continue
                generation, cache = current["gen"], {}
                live = yield from live_of(world, current, names, cache)
                if current["first"] > at:
                    # Overtaken by a trim. Of the removed events, the batches yielded live are no
                    # loss.
                    gone, seen = dict(yielded), 0
                    for segment in current["segs"] + [s for _, s in current["retired"]]:
                        index = yield from world.get(segment["name"] + ".index")
                        position = segment["pos"]
                        for name, _, count, trimmed, lost in index:
                            start, position = position - trimmed, position + count
                            if name in gone and name not in live:
                                events = gone.pop(name)
                                seen += min(max(current["first"] - start, 0), events)
                                if position <= current["first"]:
                                    yielded.pop(name)
                    for name, events in gone.items():
                        if name not in live:
                            seen += events
                            yielded.pop(name)
                    told += current["first"] - at - seen
                    at = current["first"]
                for segment in current["segs"]:
                    if segment["pos"] + segment["n"] <= at:
                        continue
                    index = yield from world.get(segment["name"] + ".index")
                    body = yield from world.get(segment["name"])
                    for name, offset, count, trimmed, lost in index:
                        start = segment["pos"] + offset
                        if start + count <= at:
                            continue
                        known = 0 if MUTANT == "forget-seen" else yielded.get(name, 0)
                        skip = max(known - trimmed, at - start, 0)
                        if lost:
                            told += max(count - skip, 0)
                        else:
                            got += body[offset + skip:offset + count]
                        yielded.pop(name, None)
                        at = start + count
                        if world.random.random() < 0.05:
                            raise NotFound("resumed here")
                for name in live:
                    if name in world.damaged:
                        break  # an error that names it; the reader tries again later
                    body = yield from world.get(name)
                    known = yielded.get(name, 0)
                    upto = len(body)
                    if world.random.random() < 0.4:
                        upto = world.random.randint(known, len(body))
                    got += body[known:upto]
                    if upto:
                        yielded[name] = upto
                    if upto < len(body):
                        for _ in range(world.random.randrange(300)):
                            yield
                        raise NotFound("resumed in the middle of a batch")
                done = True
            except NotFound:
                continue
            except Damaged:
                for _ in range(20):
                    yield
            except Contradiction:
                return "an honest listing is taken for a lie"
        if len(got) != len(set(got)):
            return "twice: %r" % [event for event in set(got) if got.count(event) > 1][:4]
        absent = before - set(got) - world.trimmed - world.declared_lost
        # Behind a damaged batch nothing is read: an error, not a loss.
        if absent and not any(name in world.objects for name in world.damaged):
            return "lost: %r" % sorted(absent)[:4]
        if set(got) - world.written:
            return "invented"
        if told > len(world.trimmed | world.declared_lost):
            return "told of %d lost events, %d were" % (told, len(world.trimmed | world.declared_lost))
        order = in_order(got)
        if order:
            return order
        for _ in range(world.random.randrange(60)):
            yield


def in_order(got):
    for id in {event[0] for event in got}:
        numbers = [event[1] for event in got if event[0] == id]
        if numbers != sorted(numbers):
            return "order of writer %d: %r" % (id, numbers)


def clean(world):
    """Checks that no object of the manifest holds trimmed events, unless a trim was lazy."""
    listed = manifests_of(world.objects)
    current = world.objects[max(listed)] if listed else EMPTY
    for segment in current["segs"]:
        if current.get("lazy") and segment["pos"] < current["first"]:
            continue
        if set(world.objects.get(segment["name"], ())) & current["trimmed"]:
            return "a trimmed event is in %s" % segment["name"]


def run(seed):
    world = World(seed)
    pick = world.random
    lie = (pick.choice(LIES), pick.choice([0.1, 1, 1])) if pick.random() < 0.4 else None
    actors = [writer(world, id, pick.randint(1, 30)) for id in range(pick.randint(1, 3))]
    actors += [compactor(world, pick.randint(1, 12)) for _ in range(pick.randint(0, 3))]
    actors += [trimmer(world, pick.randint(1, 3)) for _ in range(pick.choice([0, 0, 1, 2]))]
    actors += [reader(world, pick.randint(1, 5)) for _ in range(2)]
    broken = not lie and pick.random() < 0.3
    if broken:
        actors += [breaker(world), repairer(world)]
    late = [writer(world, 100 + n, pick.randint(1, 6)) for n in range(pick.randint(0, 2))]
    late += [compactor(world, 3), trimmer(world, pick.randint(0, 1), lie)]
    late += [compactor(world, 8, lie) for _ in range(3 if lie else 0)]
    pick.shuffle(late)
    one_by_one = False
    if lie and pick.random() < 0.5:
        # A log with some generations and new batches, then only actors that are lied to.
        actors = [writer(world, 0, 40), compactor(world, 20, None, pick.choice([0, 0.7]))]
        late = [writer(world, 1, 4), compactor(world, 3, lie), compactor(world, 3, lie)]
        one_by_one = pick.random() < 0.5
    elif not lie and pick.random() < 0.15:
        # A log with some generations, of which the current manifest is removed, and new batches.
        actors = [writer(world, 0, 40), compactor(world, 20, None, pick.choice([0, 0.7]))]
        late = [remover(world), writer(world, 1, 8), compactor(world, 3), compactor(world, 3)]
        one_by_one = True
    while actors or (one_by_one and late):
        world.step += 1
        if world.step % 50 == 0:
            world.snapshots.append(set(world.objects))
        if late and (not actors if one_by_one else pick.random() < 0.02):
            actors.append(late.pop(0) if one_by_one else late.pop())
        if world.late and pick.random() < 0.03:
            key, value = world.late.pop(pick.randrange(len(world.late)))
            if key not in world.objects:
                world.put(key, value)
        actor = pick.choice(actors)
        try:
            next(actor)
        except StopIteration as stop:
            actors.remove(actor)
            if stop.value and not (lie and stop.value.startswith("order")):
                return seed, stop.value
        wrong = clean(world) if world.step % 20 == 0 else None
        if wrong:
            return seed, wrong
        if pick.random() < 0.0005 and len(actors) > 1:
            actors.remove(pick.choice(actors))
        if world.step > 60000:
            return None
    world.torn.clear()
    world.objects.update(world.removed)
    last = reader(world, 1)
    try:
        for _ in range(20000):
            next(last)
        return seed, "at the end: an object that the manifest names is gone"
    except StopIteration as stop:
        if stop.value and not (lie and stop.value.startswith("order")):
            return seed, "at the end: " + stop.value
    try:
        # Of lies and killed repairs, more may be left than a crash of a compaction leaves.
        for _ in () if lie or broken else look(world, None):
            pass
    except Contradiction:
        return seed, "at the end: a log without damage is refused"


def main(arguments):
    global MUTANT
    all_mutants = "--mutants" in arguments
    if all_mutants:
        arguments.remove("--mutants")
    if "--mutant" in arguments:
        at = arguments.index("--mutant")
        MUTANT = arguments[at + 1]
        del arguments[at:at + 2]
    seeds = int(arguments[0]) if arguments else 2000
    first = int(arguments[1]) if len(arguments) > 1 else 0
    if all_mutants:
        escaped = []
        for MUTANT in MUTANTS:
            caught = next((bad for bad in map(run, range(first, first + seeds)) if bad), None)
            print("%-24s %s" % (MUTANT, "caught by seed %d: %s" % caught if caught else "NOT CAUGHT"))
            escaped += [] if caught else [MUTANT]
        return 1 if escaped else 0
    bad = [wrong for wrong in map(run, range(first, first + seeds)) if wrong]
    print("%s: %d seeds, %d violations %s" % (MUTANT or "protocol", seeds, len(bad), bad[:3]))
    return 0 if bool(bad) == bool(MUTANT) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
