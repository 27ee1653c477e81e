"""Writers: seal the buffer, create the batch, acknowledge it once it and all before it are stored.

A writer of numbered batches keeps up to `window` batches that it has not acknowledged, with their
creates in progress. A writer of unnumbered batches keeps one.
"""
from names import batch_name, identity_of, numbered_name, time_of
from rules import WINDOW_MAX, broken
from world import Exists, Lost, Refused


class Sealed:
    """A batch between its seal and its acknowledgement."""

    def __init__(self, time, number, before, events):
        self.time, self.number, self.before, self.events = time, number, before, events
        self.stored, self.name = False, None


class Handle:
    """The state of a writer: open buffer, sealed batches in order, time and number sealed last."""

    def __init__(self, world, id):
        self.id = id
        self.numbered = world.random.random() < 0.8
        self.window = world.random.choice([1, 2, WINDOW_MAX]) if self.numbered else 1
        self.skew = world.random.choice([0, 0, 0, -60, 300])
        self.buffer, self.sealed, self.appended = [], [], []
        self.last, self.number, self.before, self.dead = 0, 0, 0, False

    def seal(self, world):
        self.last = max(world.now() + self.skew, self.last + 1)
        sealed = Sealed(self.last, self.number, self.before, tuple(self.buffer))
        self.buffer, self.before, self.number = [], self.last, self.number + 1
        self.sealed.append(sealed)
        self.name(sealed)
        world.unconfirmed.add(identity_of(sealed.name))
        return sealed

    def name(self, sealed):
        """Names a batch for a try. The number of batches that it waits for may have decreased."""
        if not self.numbered:
            sealed.name = batch_name(sealed.time, self.id, sealed.events)
            return
        if sealed.name and broken("waiting-stays"):
            return
        # From the first of its batches that is not stored yet.
        unconfirmed = [other.number for other in self.sealed if not other.stored]
        waiting = sealed.number - min(unconfirmed)
        sealed.name = numbered_name(sealed.time, self.id, sealed.number, sealed.before, waiting,
                                    sealed.events)

    def die(self, world):
        self.dead = True
        world.unconfirmed -= {identity_of(sealed.name) for sealed in self.sealed}

    def acknowledge(self, world):
        """Acknowledges the stored batches at the front."""
        while self.sealed and (self.sealed[0].stored or broken("acknowledge-early")):
            stored = [sealed for sealed in self.sealed if sealed.stored]
            if not stored:
                return
            world.acknowledged |= set(stored[0].events)
            world.unconfirmed.discard(identity_of(stored[0].name))
            self.sealed.remove(stored[0])


def put_batch(world, handle, sealed):
    """Creates a sealed batch, and retries until it is stored or the writer dies."""
    while not handle.dead:
        handle.name(sealed)
        world.contents[identity_of(sealed.name)] = sealed.events
        try:
            yield from world.create(sealed.name, sealed.events)
        except Exists:
            pass
        except (Lost, Refused) as error:
            if broken("rename-on-retry") and isinstance(error, Lost):
                sealed.time = handle.last = max(world.now(), handle.last + 1)
            if world.random.random() < 0.07:
                handle.die(world)
            yield from world.rest()
            continue
        sealed.stored = True
        return


def writer(world, handle, count, idle=0):
    names = yield from world.list("batch_")
    handle.last = max(map(time_of, names), default=0)
    while not handle.dead:
        handle.acknowledge(world)
        if len(handle.appended) == count and not handle.buffer and not handle.sealed:
            return
        if len(handle.appended) < count and world.random.random() < 0.5:
            event = (handle.id, len(handle.appended))
            handle.appended.append(event)
            handle.buffer.append(event)
            world.written.add(event)
        elif handle.buffer and len(handle.sealed) < handle.window:
            world.spawn(put_batch(world, handle, handle.seal(world)), handle)
        if world.random.random() < idle:
            for _ in range(world.random.randrange(1500)):
                yield
        yield
