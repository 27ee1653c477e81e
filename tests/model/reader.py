"""Readers: resumed ones, followers, and those that also yield what a writer has not stored yet."""
from catalog import State, batches, manifest, missing_manifest, sort_out
from names import generation_of, identity_of, manifests_of, parse
from position import Position
from rules import FULL_EVERY, TRIES, WINDOW_MAX, broken
from world import Contradiction, Damaged, NotFound


class Reader:
    """A reader between two passes: its position, and all that was yielded on the way to it."""

    def __init__(self, text=None, got=(), missed=0):
        self.position = Position.decode(text) if text else Position()
        self.got, self.missed, self.generation = list(got), missed, 0
        self.newest, self.older, self.wrong = [], "", None
        self.failed = False

    def resumed(self):
        """Another reader that resumes from the position."""
        return Reader(self.position.encode(), self.got, self.missed)

    def load(self, world):
        """Lists batches before manifests: what was deleted before is then in the manifest."""
        if broken("reader-manifest-first"):
            current = yield from manifest(world)
            names = yield from batches(world, self.position.yielded)
        else:
            names = yield from batches(world, self.position.yielded)
            current = yield from manifest(world, None, self.generation)
            if not self.generation and (yield from missing_manifest(world, current, names)):
                raise NotFound("a manifest is missing: another load must say so")
        # Of a log with more batches, a poll covers the newest ones only.
        covered = world.random.choice([1, 2, 100])
        names = sorted(names)
        self.newest, self.older = names[-covered:], max(names[:-covered], default="")
        return State(names, current)

    def poll(self, world):
        """Lists the newest batches and the manifests. Returns true if that is not what the last
        load listed."""
        listed = yield from world.list(("batch_", "manifest_"), None, self.older)
        generations = [generation_of(key) for key in manifests_of(listed)]
        is_newer = max(generations, default=0) != self.generation
        listed = [key for key in listed if key.startswith("batch_")]
        return listed != self.newest or is_newer and not broken("poll-batches-only")

    def survey(self, world):
        """Loads, and again while a batch that was confirmed is not found for the first time."""
        doubted, cache = set(), {}
        for _ in range(TRIES):
            state = yield from self.load(world)
            yield from sort_out(world, state, doubted, cache)
            if not state.doubted:
                break
            doubted |= state.doubted
        return state

    def step(self, world):
        """Loads and yields once."""
        self.failed = False
        position, state = self.position, (yield from self.survey(world))
        current = state.current
        self.generation = current["gen"]
        if current["first"] > position.next:
            segments = []
            for segment in current["segs"] + [segment for _, segment in current["retired"]]:
                segments.append((segment, (yield from world.get(segment["name"] + ".index"))))
            live = state.live + state.hidden
            self.missed += position.overtaken(current["first"], segments, live)
        for segment in current["segs"]:
            if segment["pos"] + segment["n"] > position.next:
                yield from self.read_segment(world, segment)
        for name in state.live:
            if name in world.damaged:
                self.failed = True  # an error that names it; the reader tries again later
                return
            yield from self.read_live(world, name)
        # An error that names them: what is behind them is not yielded.
        self.failed = bool(state.gone) and not broken("gone-unnoticed")
        world.report_gone(state.gone)

    def read_segment(self, world, segment):
        position = self.position
        index = yield from world.get(segment["name"] + ".index")
        body = yield from world.get(segment["name"])
        for name, offset, count, trimmed, lost in index:
            first = segment["pos"] + offset
            if first + count <= position.next:
                continue
            skip = max(position.known(name) - trimmed, position.next - first, 0)
            upto = count
            if skip < count and not lost and world.random.random() < 0.05:
                upto = world.random.randint(skip, count)
            if lost:
                self.missed += max(count - skip, 0)
            else:
                self.got += body[offset + skip:offset + upto]
            if upto or skip == count:
                position.pass_batch(name, first - trimmed, first + upto)
            if upto < count or world.random.random() < 0.05:
                raise NotFound("resumed here")

    def read_live(self, world, name):
        body = yield from world.get(name)
        known = self.position.known(name)
        if known == len(body):
            return
        upto = len(body)
        if world.random.random() < 0.4:
            upto = world.random.randint(known, len(body))
        self.got += body[known:upto]
        if upto > known:
            self.position.yield_live(name, upto)
        if upto < len(body):
            for _ in range(world.random.randrange(300)):
                yield
            raise NotFound("resumed in the middle of a batch")

    def check(self, world, before):
        """Checks a finished pass. `before` was acknowledged when it began."""
        got = self.got
        if len(got) != len(set(got)):
            return "twice: %r" % [event for event in set(got) if got.count(event) > 1][:4]
        absent = before - set(got) - world.trimmed - world.declared_lost - stolen(world)
        # Behind a batch that is damaged or gone nothing is read: an error, not a loss.
        if absent and not self.failed:
            return "lost: %r" % sorted(absent)[:4]
        if set(got) - world.written:
            return "invented"
        passed = {world.sequence.get(at) for at in range(self.position.next)}
        if self.missed != len(passed - set(got)) and not world.lie and not world.stolen:
            return "%d events are reported missed, %d were" % (self.missed,
                                                               len(passed - set(got)))
        if not world.lie and not world.stolen:
            for writer in {event[0] for event in got}:
                entry = self.position.writers.get(writer)
                live = len({event for event in got if event[0] == writer} - passed)
                if entry and (entry.events != live or not live):
                    return "%d live events are yielded, %d by the position" % (live, entry.events)
        return in_order(got)


def stolen(world):
    """The events of a removed batch, and of those behind it that do not tell that it was stored.
    The next one does."""
    batches = [(writer, number + n) for writer, number in world.stolen for n in range(WINDOW_MAX)]
    return {event for batch in batches for event in world.contents.get(batch, ())}


def full_pass(world, state):
    """Reads to the end of the log. Returns the reader, and what is wrong with what it yielded."""
    before = set(world.acknowledged)
    while True:
        try:
            yield from state.step(world)
            return state, state.check(world, before)
        except NotFound:
            if world.random.random() < 0.3:
                state = state.resumed()
        except Damaged:
            for _ in range(20):
                yield
        except Contradiction:
            return state, "an honest listing is taken for a lie"


def reader(world, passes, state=None):
    """Reads to the end repeatedly with one position, and follows in between."""
    state = state or Reader()
    for number in range(passes):
        if number and not (yield from is_load_due(world, state)):
            continue
        if state.wrong:
            return state.wrong
        state, wrong = yield from full_pass(world, state)
        if wrong:
            return wrong
        if world.random.random() < 0.1:
            world.saved.append(state.resumed())
        for _ in range(world.random.randrange(60)):
            yield


def is_load_due(world, state):
    """Polls until something is new. If that is never so, what the polls do not cover is seen by a
    full load."""
    before = set(world.acknowledged)
    for _ in range(FULL_EVERY):
        # What is compacted during a poll may be new at the next one only.
        earlier, before = before, set(world.acknowledged)
        if (yield from state.poll(world)):
            return True
    if state.older and not broken("poll-the-newest-only"):
        return True
    state.wrong = state.check(world, earlier)
    return bool(state.wrong)


def heir(world):
    """Resumes from a position that another reader returned long ago."""
    for _ in range(world.random.randrange(2000)):
        yield
    if world.saved:
        saved = world.random.choice(world.saved)
        return (yield from reader(world, 2, saved.resumed()))


def pending_reader(world, handle):
    """Reads everything, and then what a writer holds. The writer continues in the meantime."""
    for _ in range(world.random.randrange(80)):
        yield
    start = set(world.acknowledged) | set(handle.appended)
    sealed, buffer, last = list(handle.sealed), tuple(handle.buffer), handle.last
    for _ in range(world.random.choice([0, 0, 300])):
        yield
    later = lambda name: (parse(name).writer == handle.id and parse(name).time > last
                          and not broken("keep-newer"))
    for _ in range(200):
        state, got, stored = Reader(), [], set()
        try:
            loaded = yield from state.survey(world)
            for segment in loaded.current["segs"]:
                body = yield from world.get(segment["name"])
                index = yield from world.get(segment["name"] + ".index")
                at = segment["pos"]
                for name, offset, count, _, lost in index:
                    stored.add(identity_of(name))
                    skip = min(max(loaded.current["first"] - at, 0), count)
                    at += count
                    if not later(name) and not lost:
                        got += body[offset + skip:offset + count]
            if loaded.gone or any(name in world.damaged for name in loaded.live):
                return None  # an error
            for name in loaded.live:
                stored.add(identity_of(name))
                if not later(name):
                    got += yield from world.get(name)
            break
        except (NotFound, Damaged):
            continue
        except Contradiction:
            return "an honest listing is taken for a lie"
    else:
        return None
    if broken("pending-last"):
        sealed, buffer = list(handle.sealed), tuple(handle.buffer)
    met = [number for number, one in enumerate(sealed) if identity_of(one.name) in stored]
    # What was sealed before one that was met is stored, or was trimmed.
    first = 0 if broken("tail-by-name") or not met else max(met) + 1
    for one in sealed[first:]:
        if identity_of(one.name) not in stored:
            got += one.events
    got += buffer
    if len(got) != len(set(got)):
        return "a writer reads twice: %r" % [e for e in set(got) if got.count(e) > 1][:4]
    absent = start - set(got) - world.trimmed - world.declared_lost - stolen(world)
    if absent and not handle.dead:
        return "a writer does not read: %r" % sorted(absent)[:4]
    return in_order(got)


def in_order(got):
    last = {}
    for id, number in got:
        if number < last.get(id, -1):
            return "order of writer %d: %d before %d" % (id, last[id], number)
        last[id] = number
    return None
