"""Damage, and repairs of it."""
from catalog import survey
from compactor import commit, write
from names import generation_of, identity_of, manifests_of, parse, predecessor_of
from rules import broken
from world import Contradiction, Damaged, Exists, Lost, NotFound


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


def thief(world):
    """Removes an acknowledged live batch once, as a careless hand does."""
    for _ in range(world.random.randrange(600)):
        yield
    tries = [key for key, _ in world.late] + world.creating
    busy = world.unconfirmed | world.absorbed | {identity_of(k) for k in tries if "batch_" in k}
    live = [key for key in world.objects if key.startswith("batch_")]
    live = [key for key in live if parse(key).number is not None and identity_of(key) not in busy]
    live = [key for key in live if set(world.contents[identity_of(key)]) <= world.acknowledged]
    if live:
        stolen = identity_of(world.random.choice(live))
        world.stolen.add(stolen)
        for key in [key for key in live if identity_of(key) == stolen]:
            del world.objects[key]


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
        if broken("step-back-unproven"):
            yield from world.delete(key)
            continue
        if key == listed[-1] and not broken("replace-before-next"):
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
    that no reader can read. Of a batch that was acknowledged and is gone, not even the number of
    events is known: the next one of its writer is absorbed without it."""
    for _ in range(6):
        for _ in range(world.random.randrange(100)):
            yield
        yield from replace_manifests(world)
        attempt = world.random.getrandbits(30)
        try:
            state = yield from survey(world)
            base, live = state.current, state.live
            damaged = [name for name in live if name in world.damaged]
            behind = [name for name in state.hidden if predecessor_of(name) in state.gone
                      or broken("repair-takes-stranded")]
            if behind and not damaged:
                live = sorted(live + behind[:1])
            elif not damaged:
                continue
            # All live batches before it and it: the order of a writer stays.
            taken = live[:live.index((damaged or behind)[0]) + 1]
            entries, events, lost = [], [], set(base["lost"])
            for name in taken:
                body = yield from world.get(name)
                is_lost = name in damaged
                if is_lost:
                    lost |= set(body)
                    body = [None] * len(body)
                entries.append((name, len(events), len(body), 0, is_lost))
                events += body
            if damaged and broken("lost-without-a-mark"):
                entries, events = entries[:-1], events[:-len(body)]
                if not entries:
                    yield from world.delete(damaged[0])
                    continue
            name = "segment_%06d_%08x_0" % (base["gen"] + 1, attempt)
            segment = yield from write(world, name, base["next"], entries, events)
            new = dict(base, gen=base["gen"] + 1, attempt=attempt, next=base["next"] + len(events),
                       segs=base["segs"] + [segment], lost=lost)
            if damaged and broken("lost-without-a-mark"):
                yield from world.delete(damaged[0])
            yield from commit(world, new, state, None)
        except (NotFound, Contradiction, Damaged):
            continue
