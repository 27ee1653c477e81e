#!/usr/bin/env python3
"""A random-schedule model of the protocols in guest/FORMAT.md.

    tests/model/protocol.py [SEEDS] [FIRST_SEED] [--mutant NAME | --mutants]

Most writers number their batches: each has several creates in progress, and one listing shows if an
earlier batch is missing. Writers of batches without numbers, as earlier versions made them, are
mixed in.

Its actors are writers, compactors, trims, repairs, readers, verifications, readers by name and
copies. Each is a generator
that yields before every store operation, so a schedule is a sequence of choices. An actor may crash
or stall. Checked:

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
6. A batch is acknowledged after all earlier ones of its writer, and visible after them. No
   acknowledged batch is hidden, or called stranded or gone.
7. A position can be resumed by any reader at any time, in the middle of a batch too.
8. A mirror shows the events of each writer in order, up to some point: mirror.py.
9. The commits under a name are one chain, and a trim that spares names removes nothing before one:
   named.py.

The assumption: no batch is unconfirmed, and no create of it in progress, for as many generations as
the index of a trimmed segment is kept.

A mutant breaks one rule. --mutants runs each until it is caught. A violation prints its seed.
"""
import sys
from multiprocessing import Pool

sys.dont_write_bytecode = True

import rules
from catalog import EMPTY, look
from compactor import compactor, trimmer
from named import consumer, forgetter
from mirror import Mirror, copier, mirror_reader
from names import manifests_of
from reader import heir, pending_reader, reader
from repair import breaker, remover, repairer, thief
from verifier import verifier
from world import Contradiction, World
from writer import Handle, writer


def clean(world):
    """Checks that no object of the manifest holds trimmed events, unless a trim was lazy."""
    listed = manifests_of(world.objects)
    current = world.objects[max(listed)] if listed else EMPTY
    for segment in current["segs"]:
        if current.get("lazy") and segment["pos"] < current["first"]:
            continue
        if set(world.objects.get(segment["name"], ())) & current["trimmed"]:
            return "a trimmed event is in %s" % segment["name"]


def crash(world, actor):
    """Ends an actor. The creates of a writer that are in progress may still land."""
    actor.close()
    if actor in world.owners:
        world.owners[actor].die(world)


def run(seed):
    world = World(seed)
    pick = world.random
    lie = (pick.choice(rules.LIES), pick.choice([0.1, 1, 1])) if pick.random() < 0.4 else None
    world.lie = lie

    def new_writer(id, count, idle=0):
        handle = Handle(world, id)
        actor = writer(world, handle, count, idle)
        world.owners[actor] = handle
        return actor

    actors = [new_writer(id, pick.randint(1, 30)) for id in range(pick.randint(1, 3))]
    actors += [compactor(world, pick.randint(1, 12)) for _ in range(pick.randint(0, 3))]
    actors += [trimmer(world, pick.randint(1, 3)) for _ in range(pick.choice([0, 0, 1, 2]))]
    actors += [reader(world, pick.randint(1, 5)) for _ in range(2)]
    broken = not lie and pick.random() < 0.3
    if broken:
        actors += [pick.choice([breaker(world), thief(world)]), repairer(world)]
    late = [new_writer(100 + n, pick.randint(1, 6)) for n in range(pick.randint(0, 2))]
    late += [compactor(world, 3), trimmer(world, pick.randint(0, 1), lie)]
    late += [compactor(world, 8, lie) for _ in range(3 if lie else 0)]
    handles = list(world.owners.values())
    late += [pending_reader(world, pick.choice(handles)) for _ in range(pick.randint(0, 2))]
    late += [heir(world)]
    late += [verifier(world)]
    if not lie and pick.random() < 0.5:
        # Writers rest while others work, and the indexes of trimmed segments are dropped.
        world.retired = pick.choice([0, 1, 2, 4])
        actors += [new_writer(5, 20, 0.05), new_writer(6, 20, 0.05), new_writer(7, 80)]
        if pick.random() < 0.5:
            # Writers whose second batch is refused at first, and rests for some generations.
            world.refused |= {(8 + n, 1) for n in range(4)}
            world.outlast = 12
            actors += [new_writer(8 + n, 2) for n in range(4)]
        late += [pending_reader(world, handle) for handle in world.owners.values()]
    if not lie and pick.random() < 0.4:
        for name in "ab"[:pick.randint(1, 2)]:
            actors += [consumer(world, name, 8) for _ in range(pick.randint(1, 3))]
            late += [consumer(world, name, 8), trimmer(world, 2)]
            late += [forgetter(world, name)] if pick.random() < 0.3 else []
    if not lie and not broken and pick.random() < 0.5:
        mirror = Mirror(world)
        actors += [copier(world, mirror, pick.randint(2, 12)) for _ in range(pick.randint(1, 2))]
        actors += [mirror_reader(world, mirror, 8), mirror_reader(world, mirror, 8)]
    pick.shuffle(late)
    one_by_one = False
    if lie and pick.random() < 0.5:
        # A log with some generations and new batches, then only actors that are lied to.
        actors = [new_writer(0, 40), compactor(world, 20, None, pick.choice([0, 0.7]))]
        late = [new_writer(1, 4), compactor(world, 3, lie), compactor(world, 3, lie)]
        one_by_one = pick.random() < 0.5
    elif not lie and world.retired == rules.RETIRED and pick.random() < 0.15:
        # A log with some generations, of which the current manifest is removed, and new batches.
        actors = [new_writer(0, 40), compactor(world, 20, None, pick.choice([0, 0.7]))]
        late = [remover(world), new_writer(1, 8), compactor(world, 3), compactor(world, 3)]
        one_by_one = True
    while actors or (one_by_one and late):
        world.step += 1
        if world.step % 50 == 0:
            world.snapshots.append(set(world.objects))
        actors += world.spawned
        world.spawned.clear()
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
            if stop.value and not (lie and "order" in stop.value):
                return seed, stop.value
        wrong = clean(world) if world.step % 20 == 0 else None
        if wrong or world.alarms:
            return seed, wrong or world.alarms[0]
        if pick.random() < 0.0005 and len(actors) > 1:
            actor = actors.pop(pick.randrange(len(actors)))
            crash(world, actor)
        if world.step > 60000:
            return None
    world.torn.clear()
    world.objects.update(world.removed)
    last = reader(world, 1)
    try:
        for _ in range(20000):
            next(last)
        # A batch that was removed, and is in a segment that a killed compaction has left, looks
        # like one that a missing manifest has absorbed.
        if not world.stolen:
            return seed, "at the end: an object that the manifest names is gone"
    except StopIteration as stop:
        if stop.value and not (lie and "order" in stop.value):
            return seed, "at the end: " + stop.value
    if world.alarms:
        return seed, world.alarms[0]
    try:
        # Of lies and killed repairs, more may be left than a crash of a compaction leaves.
        for _ in () if lie or broken else look(world, None):
            pass
    except Contradiction:
        return seed, "at the end: a log without damage is refused"


def break_rule(mutant):
    """Breaks a rule in this process, or none."""
    rules.MUTANT = mutant


def first_violation(arguments):
    """Breaks a rule. Returns the first seed that notices it, with what it notices."""
    rules.MUTANT, seeds = arguments
    return next(filter(None, map(run, seeds)), None)


def main(arguments):
    all_mutants = "--mutants" in arguments
    arguments = [argument for argument in arguments if argument != "--mutants"]
    if "--mutant" in arguments:
        at = arguments.index("--mutant")
        rules.MUTANT = arguments[at + 1]
        del arguments[at:at + 2]
    seeds = int(arguments[0]) if arguments else 2000
    first = int(arguments[1]) if len(arguments) > 1 else 0
    seeds = range(first, first + seeds)
    with Pool(None, break_rule, (rules.MUTANT,)) as pool:
        if all_mutants:
            tries = [(mutant, seeds) for mutant in rules.MUTANTS]
            caught = list(pool.imap(first_violation, tries, 1))
            for mutant, violation in zip(rules.MUTANTS, caught):
                print("%-24s %s" % (mutant, "caught by seed %d: %s" % violation if violation
                                    else "NOT CAUGHT"))
            return 0 if all(caught) else 1
        bad = list(filter(None, pool.imap(run, seeds, 50)))
    name = rules.MUTANT or "protocol"
    print("%s: %d seeds, %d violations %s" % (name, len(seeds), len(bad), bad[:3]))
    return 0 if bool(bad) == bool(rules.MUTANT) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
