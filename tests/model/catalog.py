"""Listings, the current manifest, and what follows from them.

Visible is a batch that is live and behind no gap. That is a property of the log, not of who looks:
what was visible once is visible until it is absorbed.

1. An unnumbered batch is visible if two listings show a prefix of its writer's batches.
2. A numbered batch is visible if it is the first of its writer, or if the one before it is visible
   or in an index of the manifest, those of trimmed segments included.
3. Or if the one before it was confirmed, as the name of a listed batch says, a load after that does
   not find it either, and its time is not after the horizon: then it was absorbed and trimmed, and
   its index dropped since. After the horizon, it is an acknowledged batch that is gone: damage.
4. The horizon is the newest time of any index that was dropped. While a listed batch or the one
   before it may be in an index, that is not dropped.
"""
from names import (generation_of, identity_of, manifests_of, parse, predecessor_of, time_of,
                   writer_of)
from rules import KEPT, TRIES, broken
from world import Contradiction, NotFound

EMPTY = dict(gen=0, attempt=None, first=0, next=0, segs=[], retired=[], trimmed=set(), lost=set(),
             horizon=-1)


class State:
    """The result of a load. `names` are all listed batches, `hidden` the live ones behind a gap.
    `doubted` are the predecessors that were confirmed and not found, `gone` those that an earlier
    load did not find either. `since` is the step at which it began."""

    def __init__(self, names, current, others=(), since=0):
        self.names, self.current, self.others, self.since = names, current, others, since
        self.live, self.hidden, self.doubted, self.gone = [], [], set(), set()


def manifest(world, lie=None, least=0):
    """Returns the current manifest. Fails if the listing shows none as new as one seen before."""
    for _ in range(TRIES):
        listed = yield from world.list("manifest_", lie)
        highest = generation_of(listed[-1]) if listed else 0
        if highest < least and not broken("trust-any-look"):
            continue
        if not listed:
            return EMPTY
        try:
            return (yield from world.get(listed[-1]))
        except NotFound:
            continue
    raise Contradiction()


def batches(world, known=(), lie=None):
    """Lists the batches: again if any unnumbered name is not known. Of those the listing
    returned holds a prefix of each writer's batches."""
    first = yield from world.list("batch_", lie)
    unnumbered = [name for name in first if parse(name).number is None]
    if broken("list-once") or set(unnumbered) <= set(known):
        return first
    newest = {}
    for name in unnumbered:
        newest[writer_of(name)] = max(newest.get(writer_of(name), ""), name)
    second = yield from world.list("batch_", lie)
    return [name for name in second
            if parse(name).number is not None or name <= newest.get(writer_of(name), "")]


def contains(world, current, time, wanted, cache):
    """Returns true if an index of the manifest has a batch of this time that is wanted."""
    retired = [] if broken("forget-retired") else [segment for _, segment in current["retired"]]
    for segment in current["segs"] + retired:
        if segment["from"] <= time <= segment["to"]:
            if segment["name"] not in cache:
                cache[segment["name"]] = yield from world.get(segment["name"] + ".index")
            if any(wanted(entry[0]) for entry in cache[segment["name"]]):
                return True
    return False


def held(world, current, name, cache):
    """Returns true if an index of the manifest holds the batch."""
    if broken("known-by-name"):
        return (yield from contains(world, current, time_of(name), name.__eq__, cache))
    identity = identity_of(name)
    same = lambda other: identity_of(other) == identity
    return (yield from contains(world, current, time_of(name), same, cache))


def sort_out(world, state, doubted=(), cache=None, by="read"):
    """Finds the visible batches. `doubted` are those that an earlier load did not find."""
    cache = {} if cache is None else cache
    current, visible, blocked = state.current, set(), set()
    live = {}
    for name in state.names:
        if not (yield from held(world, current, name, cache)):
            live.setdefault(name if broken("known-by-name") else identity_of(name), name)
    confirmed = {}
    for batch in map(parse, state.names):
        if batch.number is not None:
            least = batch.number - batch.waiting
            confirmed[batch.writer] = max(confirmed.get(batch.writer, 0), least)
    for name in live.values():
        batch, before = parse(name), predecessor_of(name)
        follows = batch.number in (None, 0) or broken(by + "-gap")
        if not follows and batch.writer not in blocked:
            is_it = lambda other: identity_of(other) == before
            follows = before in visible or broken("absent-is-absorbed")
            if not follows and not broken("listed-only"):
                follows = yield from contains(world, current, batch.before, is_it, cache)
            was_confirmed = before[1] < confirmed[batch.writer]
            if broken("confirmed-by-time"):
                was_confirmed = True
            if not follows and was_confirmed:
                if before not in doubted and not broken("decide-by-one-load"):
                    state.doubted.add(before)
                elif batch.before <= current["horizon"]:
                    follows = True
                else:
                    state.gone.add(before)
        if follows:
            visible.add(identity_of(name))
            state.live.append(name)
        else:
            blocked.add(batch.writer)
            state.hidden.append(name)
    return state


def look(world, lie, least=0, list_batches=True, own=None):
    """Returns a consistent listing for the decisions and deletes of a commit, or fails."""
    for _ in range(TRIES):
        since = world.step
        names = (yield from batches(world, lie=lie)) if list_batches else []
        others = yield from world.list(("manifest_", "segment_"), lie)
        listed = manifests_of(others)
        if not listed:
            later = [key for key in others if generation_of(key) > 1]
            if broken("trust-any-look") or not (later or alone(others, 1) or least):
                return State(names, EMPTY, others, since)
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
        if agrees or broken("trust-any-look"):
            return State(names, current, others, since)
    raise Contradiction()


def survey(world, lie=None):
    """Loads the log for a commit, and again while a batch that was confirmed is not found for the
    first time."""
    doubted = set()
    for _ in range(TRIES):
        state = yield from look(world, lie)
        yield from sort_out(world, state, doubted, by="absorb")
        if not state.doubted:
            break
        doubted |= state.doubted
    return state


def alone(others, generation):
    """Returns the segments of a generation that have no index."""
    if broken("segment-alone"):
        return []
    segments = [key for key in others if key.startswith("segment_") and not key.endswith(".index")]
    return [key for key in segments
            if generation_of(key) == generation and key + ".index" not in others]


def missing_manifest(world, current, names):
    """Returns true if a segment shows that a manifest after the current one existed."""
    following = current["gen"] + 1
    listed = {identity_of(name) for name in names}
    others = yield from world.list("segment_")
    if alone(others, following) or any(generation_of(key) > following for key in others):
        return True
    for key in others:
        if key.endswith(".index") and generation_of(key) == following:
            for entry in (yield from world.get(key)):
                if identity_of(entry[0]) in listed:
                    continue
                if not (yield from held(world, current, entry[0], {})):
                    return True
    return False
