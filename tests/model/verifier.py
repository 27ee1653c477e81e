"""Verification of what no reader is shown yet.

A batch behind a gap is called stranded if two loads show it so: one at the beginning, and one after
everything was read. It was not acknowledged when the second began, and the batch before it was not
in the store. That batch may still land, if its writer is not dead. No listing can exclude it.
"""
from catalog import State, batches, manifest, sort_out
from names import identity_of, predecessor_of
from rules import broken
from world import Contradiction, Damaged, NotFound


def load(world, doubted=()):
    if broken("verify-manifest-first"):
        current = yield from manifest(world)
        yield from rest(world)
        names = yield from batches(world)
    else:
        names = yield from batches(world)
        yield from rest(world)
        current = yield from manifest(world)
    return (yield from sort_out(world, State(names, current), doubted))


def rest(world):
    for _ in range(world.random.choice([0, 0, 100])):
        yield


def verifier(world):
    for _ in range(world.random.randrange(2000)):
        yield
    for _ in range(8):
        try:
            first = yield from load(world)
            for _ in range(world.random.randrange(500)):
                yield
            acknowledged, stored = set(world.acknowledged), set(world.absorbed)
            stored |= {identity_of(key) for key in world.objects if key.startswith("batch_")}
            second = first
            if not broken("verify-first-look"):
                second = yield from load(world, first.doubted)
        except (NotFound, Damaged):
            continue
        except Contradiction:
            return "an honest listing is taken for a lie"
        world.report_gone(second.gone)
        hidden = {identity_of(name) for name in first.hidden}
        stranded = [name for name in second.hidden if identity_of(name) in hidden]
        for name in stranded:
            if identity_of(name)[0] in {writer for writer, _ in world.stolen}:
                continue
            if acknowledged & set(world.contents[identity_of(name)]):
                return "an acknowledged batch is called stranded: %s" % name
            before = predecessor_of(name)
            if before in stored and before not in map(identity_of, second.hidden):
                return "a batch is called stranded, and the one before it is stored: %s" % name
        return None
