"""Named positions: readers that keep their place in the log, under a name.

A commit creates position_NAME_NUMBER, one number after the highest that its reader has seen, and
then checks that the object before is still the one seen. If it is not, the number was used before,
and deleted since: the oldest objects are deleted in ascending order.

Checked:

1. An acknowledged commit is the first object ever of its number, and names the first of the number
   before. So the commits of a name are one chain, and of two readers one commits each step.
2. An open shows no commit before one that was acknowledged when it began.
3. What a commit acknowledged is not read again, and nothing is left out: the events of a position
   are those that its reader got on the way to it.

The assumption: fewer commits under a name are confirmed during one listing of it than are kept.
"""
from reader import Reader, full_pass
from rules import POSITIONS_KEPT, TRIES, broken
from world import Damaged, Exists, Lost, NotFound, Refused


def number_of(key):
    return int(key.rsplit("_", 1)[1])


def key_of(name, number):
    return "position_%s_%06d" % (name, number)


def list_name(world, name):
    """Lists the numbers under a name. As long as that takes, few commits are confirmed."""
    listing = [name, 0]
    world.listings.append(listing)
    try:
        keys = yield from world.list("position_%s_" % name)
        return [number_of(key) for key in keys]
    finally:
        world.listings = [other for other in world.listings if other is not listing]


class Conflict(Exception):
    pass


class Named:
    """A reader's part of a name: the number and the attempt seen last, and what it deletes."""

    def __init__(self, name, number, attempt, content, garbage):
        self.name, self.number, self.attempt, self.content = name, number, attempt, content
        # The listed ones that are not kept. Of those that are, one that was created during the
        # listing may be left out: each is deleted later, listed or not.
        self.garbage, self.oldest = garbage, max(1, number - POSITIONS_KEPT + 1)
        self.tries = set()

    def reader(self):
        """A reader at the position that was committed last, or at the beginning."""
        return Reader(*self.content) if self.content else Reader()

    def commit(self, world, content):
        """Commits. Raises Lost if that is in doubt: then it can be repeated."""
        for _ in range(TRIES):
            # What an earlier try may have created is confirmed first.
            if self.tries and (yield from self.confirm(world)):
                continue
            attempt = world.random.getrandbits(60)
            self.tries.add(attempt)
            while any(name == self.name and count > 1 for name, count in world.listings):
                yield
            value = dict(attempt=attempt, previous=self.attempt, content=content)
            try:
                yield from world.create(key_of(self.name, self.number + 1), value)
            except (Exists, Lost, Refused):
                if not (yield from self.confirm(world)):
                    raise Lost()
                if self.attempt == attempt:
                    return
                continue
            yield from self.advance(world, attempt)
            return

    def confirm(self, world):
        """Gets the next object. True if it is of an own try, false if there is none."""
        try:
            found = yield from world.get(key_of(self.name, self.number + 1))
        except NotFound:
            return False
        if found["attempt"] not in self.tries and not broken("conflict-ignored"):
            raise Conflict()
        own = max(self.tries) if broken("conflict-ignored") else found["attempt"]
        yield from self.advance(world, own)
        return True

    def advance(self, world, attempt):
        """Checks the object before, and then acknowledges the commit. Before the first there is
        none: a listing shows if that number was used before."""
        if not self.number and not broken("first-unchecked"):
            if max((yield from list_name(world, self.name)), default=1) > 1:
                raise Conflict()
        if self.number and not broken("predecessor-unchecked"):
            try:
                before = yield from world.get(key_of(self.name, self.number))
            except NotFound:
                raise Conflict()
            if before["attempt"] != self.attempt:
                raise Conflict()
        world.acknowledge(self.name, self.number + 1, attempt, self.attempt)
        self.number, self.attempt, self.tries = self.number + 1, attempt, set()
        yield from self.collect(world)

    def collect(self, world):
        """Deletes what is not kept, the oldest first, each confirmed before the next."""
        while self.oldest + POSITIONS_KEPT <= self.number:
            self.garbage.append(self.oldest)
            self.oldest += 1
        if broken("collect-unordered"):
            self.garbage.reverse()
        while self.garbage:
            key = key_of(self.name, self.garbage[0])
            yield from world.delete(key)
            if key in world.objects and not broken("collect-unordered"):
                return
            self.garbage.pop(0)


def open_named(world, name):
    for _ in range(TRIES):
        numbers = yield from list_name(world, name)
        highest = max(numbers, default=0)
        garbage = [number for number in numbers if number <= highest - POSITIONS_KEPT]
        if not highest:
            return Named(name, 0, None, None, [])
        try:
            found = yield from world.get(key_of(name, highest))
        except NotFound:
            continue
        return Named(name, highest, found["attempt"], found["content"], garbage)
    raise NotFound(name)


def consumer(world, name, rounds):
    """Opens by name, reads and commits, and crashes in between: often, and after the work too."""
    for _ in range(rounds):
        acknowledged = world.confirmed.get(name, 0)
        named = yield from open_named(world, name)
        if named.number < acknowledged:
            return "an open shows %d, and %d was committed" % (named.number, acknowledged)
        state = named.reader()
        for _ in range(world.random.choice([1, 3, 30])):
            if world.random.random() < 0.3:
                state, wrong = yield from full_pass(world, state)
                if wrong:
                    return "under a name: " + wrong
            if world.random.random() < 0.1:
                break
            if world.random.random() < 0.1:
                for _ in range(world.random.choice([20, 2000])):
                    yield
            content = (state.position.encode(), tuple(state.got), state.missed)
            try:
                yield from named.commit(world, content)
            except Conflict:
                break
            except Lost:
                if world.random.random() < 0.5:
                    break


def forgetter(world, name):
    """Forgets a name: a commit without a position."""
    for _ in range(world.random.randrange(500)):
        yield
    try:
        yield from (yield from open_named(world, name)).commit(world, None)
    except (Conflict, Lost):
        pass


def held(world):
    """The readers at the positions of all names, for a trim that removes nothing before them."""
    keys = yield from world.list("position_")
    readers = []
    for name in sorted({key.split("_")[1] for key in keys}):
        named = yield from open_named(world, name)
        if named.content:
            readers.append(named.reader())
    return readers
