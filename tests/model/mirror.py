"""Copies to another store, and readers of it.

The target lists before the source, so what it has, the source has or has absorbed. The segments and
indexes that a manifest names are copied before it, and the live batches after it, those of a writer
in order. Whatever the manifest made superfluous is deleted last. Checked: a reader of the target
finds each writer's events in order up to some point, but for trimmed ones, and each once.
"""
from catalog import EMPTY, State, batches, held, sort_out
from names import generation_of, identity_of, manifests_of, parse, time_of
from rules import TRIES, broken
from world import Contradiction, Damaged, Exists, Lost, NotFound, Refused, World


class Mirror:
    """The store of the target. Its creates and deletes fail as those of the source."""

    list, get, lying = World.list, World.get, World.lying

    def __init__(self, world):
        self.random, self.fault = world.random, world.fault
        self.objects, self.late, self.torn = {}, [], set()

    def create(self, key, value):
        yield
        fate = self.random.random() if self.random.random() < self.fault else 1
        if fate < 0.3:
            raise Lost()
        if fate < 0.6:
            self.late.append((key, value))
            raise Lost()
        self.objects.setdefault(key, value)
        if fate < 1:
            raise Lost()

    def delete(self, key):
        yield
        if self.random.random() >= self.fault:
            self.objects.pop(key, None)

    def land(self):
        """Lands a create whose reply was lost."""
        if self.late and self.random.random() < 0.2:
            key, value = self.late.pop(self.random.randrange(len(self.late)))
            self.objects.setdefault(key, value)

    def report_gone(self, batches):
        pass


def highest(store, listed):
    """Returns the highest manifest of a listing."""
    if not listed:
        return EMPTY
    return (yield from store.get(listed[-1]))


def load(store):
    names = yield from batches(store)
    current = yield from highest(store, (yield from store.list("manifest_")))
    return (yield from sort_out(store, State(names, current), set()))


def copy(world, mirror):
    """Copies what is new. Returns false if the source has forgotten what the target has."""
    there = yield from mirror.list("")
    here = yield from load(world)
    current, cache = here.current, {}
    for name in there:
        if name.startswith("batch_") and name not in here.names:
            if not (yield from held(world, current, name, cache)):
                return False
    def put(key):
        if key not in there:
            yield from mirror.create(key, (yield from world.get(key)))
    manifest = ["manifest_%06d" % current["gen"]] if current["gen"] else []
    named = [segment["name"] for segment in current["segs"]]
    retired = [segment["name"] + ".index" for _, segment in current["retired"]]
    needed = [key for name in named for key in (name + ".index", name)] + retired
    for key in manifest + needed if broken("copy-manifest-first") else needed + manifest:
        yield from put(key)
    live = sorted(here.live, key=lambda name: (time_of(name), name))
    for name in reversed(live) if broken("copy-unordered") else live:
        yield from put(name)
    cache = {}
    current = yield from highest(mirror, (yield from mirror.list("manifest_")))
    for name in there:
        if name.startswith("batch_") and (yield from held(mirror, current, name, cache)):
            yield from mirror.delete(name)
        stem = name.replace(".index", "")
        kept = {segment["name"] for segment in current["segs"]}
        kept |= {segment["name"] for _, segment in current["retired"] if name != stem}
        if name.startswith("segment_") and generation_of(name) <= current["gen"]:
            if stem not in kept:
                yield from mirror.delete(name)
    return True


def copier(world, mirror, rounds):
    for _ in range(rounds):
        try:
            if not (yield from copy(world, mirror)):
                return
        except (NotFound, Lost, Damaged):
            pass
        mirror.land()
        for _ in range(world.random.randrange(60)):
            yield


def mirror_reader(world, mirror, passes):
    for _ in range(passes):
        for _ in range(world.random.randrange(120)):
            yield
        for _ in range(TRIES):
            try:
                got = yield from read(mirror)
                break
            except NotFound:
                continue
        else:
            return "an object of the mirror is gone"
        if got is None:
            return "a batch of the mirror is called gone"
        if len(got) != len(set(got)):
            return "the mirror shows an event twice"
        following = {}
        for id, number in got:
            missing = {(id, n) for n in range(following.get(id, 0), number)}
            if number < following.get(id, 0):
                return "the mirror shows the events of writer %d out of order" % id
            if missing - world.trimmed - world.declared_lost:
                return "the mirror does not show %r" % sorted(missing)[:4]
            following[id] = number + 1


def read(mirror):
    """Reads everything. None if a confirmed batch does not exist."""
    doubted = set()
    for _ in range(TRIES):
        names = yield from batches(mirror)
        current = yield from highest(mirror, (yield from mirror.list("manifest_")))
        state = yield from sort_out(mirror, State(names, current), doubted)
        if not state.doubted:
            break
        doubted |= state.doubted
    if state.gone:
        return None
    got = []
    for segment in state.current["segs"]:
        body = yield from mirror.get(segment["name"])
        got += body[max(state.current["first"] - segment["pos"], 0):]
    for name in state.live:
        got += yield from mirror.get(name)
    return got
