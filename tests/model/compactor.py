"""Commits: compactions and trims.

A commit writes indexes and segments, creates the manifest, lists everything again, and only then
deletes what the current manifest makes superfluous.
"""
from catalog import held, look, survey
from named import held as held_by_names
from names import generation_of, manifests_of, marker_of, parse, time_of, writer_of
from rules import KEPT, TRIES, broken
from world import Contradiction, Damaged, Exists, Lost, NotFound


def cut(index, body, position, first):
    """Returns the batches of a segment, starting with the first remaining event."""
    entries, events = [], []
    for name, offset, count, trimmed, lost in index:
        skip = min(max(first - position, 0), count)
        position += count
        if skip == count:
            continue
        forgets = broken("cut-forgets-offset")
        entries.append((name, len(events), count - skip, 0 if forgets else trimmed + skip, lost))
        events += [None] * (count - skip) if lost else body[offset + skip:offset + count]
    return entries, events


def copy(world, segments, first):
    """Joins indexes and events of neighbouring segments, without trimmed events."""
    entries, events = [], []
    for segment in segments:
        index = yield from world.get(segment["name"] + ".index")
        body = yield from world.get(segment["name"])
        left = segment["pos"] if broken("merge-copies-trimmed") else first
        more, body = cut(index, body, segment["pos"], left)
        entries += [(n, o + len(events), c, t, l) for n, o, c, t, l in more]
        events += body
    return entries, events


def write(world, name, position, entries, events, lie=None):
    """Writes an index, then its segment. One whose fate is unknown is left as it is."""
    objects = [(name + ".index", tuple(entries)), (name, tuple(events))]
    if broken("segment-first"):
        objects.reverse()
    try:
        for key, value in objects:
            yield from world.create(key, value, world.random.random() < 0.1, lie)
    except Lost:
        if broken("discard-in-doubt"):
            for key, _ in objects:
                yield from world.delete(key)
        raise NotFound(name)
    times = [time_of(entry[0]) for entry in entries]
    return {"name": name, "pos": position, "n": len(events), "from": min(times), "to": max(times)}


def drop_retired(world, new, state):
    """Drops the indexes of what was trimmed long ago, unless a listed batch needs them."""
    kept = []
    for generation, segment in new["retired"]:
        times = []
        for batch in map(parse, state.names):
            times += [] if broken("drop-listed-batch") else [batch.time]
            if batch.number and not broken("drop-needed-index"):
                times.append(batch.before)
        needed = any(segment["from"] <= time <= segment["to"] for time in times)
        index = world.objects.get(segment["name"] + ".index", ())
        old = new["gen"] - generation > world.retired
        if old and not needed and world.may_drop(index, state.since):
            if not broken("drop-horizon"):
                new["horizon"] = max(new["horizon"], segment["to"])
        else:
            kept.append((generation, segment))
    new["retired"] = kept


def commit(world, new, before, lie):
    """Creates the manifest, then deletes the garbage. Returns false when another won."""
    key = "manifest_%06d" % new["gen"]
    names = before.names
    drop_retired(world, new, before)
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
    if broken("delete-own"):
        current, others, dead = new, before.others, list(names)
    else:
        # Everything is listed again: the state before the commit may be stale by now.
        own = new if won else None
        for _ in range(TRIES):
            state = yield from look(world, lie, new["gen"], False, own)
            current, others = state.current, state.others
            try:
                yield from world.get(marker_of(current["gen"]))
            except NotFound:
                break
            if broken("ignore-marker", "trust-any-look"):
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
            if not broken("delete-unmarked"):
                try:
                    yield from world.create(marker_of(generation_of(key)), ())
                except Exists:
                    pass
                except Lost:
                    continue
            yield from world.delete(key)
    return won


def readable(world, live):
    """Returns the batches that are not damaged, and of numbered ones those before the first."""
    blocked, whole = set(), []
    for name in live:
        if name in world.damaged and parse(name).number is not None:
            blocked.add(writer_of(name))
        if name not in world.damaged and writer_of(name) not in blocked:
            whole.append(name)
    return whole


def compactor(world, rounds, lie=None, merges=0.7):
    for _ in range(rounds):
        attempt = world.random.getrandbits(30)
        try:
            state = yield from survey(world, lie)
            base, live = state.current, readable(world, state.live)
            if live and world.random.random() < world.bound:
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
                    if not broken("merge-copies-trimmed"):
                        position = max(position, base["first"])
                    segments[at:to] = [
                        (yield from write(world, stem + "1", position, entries, events, lie))]
                    # Its deleted batches must still be known as absorbed.
                    if lazy and not broken("rewrite-forgets-batches"):
                        retired.append((generation, part[0]))
            if not live and len(segments) == len(base["segs"]) and not lazy:
                continue
            new = dict(base, gen=generation, attempt=attempt, next=end, segs=segments,
                       retired=retired, lazy=False)
            yield from commit(world, new, state, lie)
        except (NotFound, Contradiction, Damaged):
            continue
        for _ in range(world.random.randrange(30)):
            yield


def trimmer(world, rounds, lie=None, rest=200):
    for _ in range(rounds):
        for _ in range(world.random.randrange(rest)):
            yield
        attempt = world.random.getrandbits(30)
        try:
            # The positions are got before the log is loaded: later ones have passed more.
            hold = [] if lie or world.random.random() < 0.5 else (yield from held_by_names(world))
            state = yield from survey(world, lie)
            base = state.current
            if base["next"] == base["first"]:
                continue
            first = world.random.randint(base["first"] + 1, base["next"])
            if world.random.random() < 0.3:
                first = base["next"]
            if not broken("trim-ignores-names"):
                first = min([first] + [reader.position.next for reader in hold])
            if first <= base["first"]:
                continue
            lazy = world.random.random() < 0.3
            trimmed, segments, retired = set(base["trimmed"]), [], list(base["retired"])
            for segment in base["segs"]:
                end = segment["pos"] + segment["n"]
                if segment["pos"] < first:
                    body = yield from world.get(segment["name"])
                    trimmed |= {e for e in body[:first - segment["pos"]] if e}
                if end <= first:
                    retired.append((base["gen"] + 1, segment))
                elif segment["pos"] < first and not lazy and not broken("trim-keeps-bytes"):
                    entries, events = yield from copy(world, [segment], first)
                    name = "segment_%06d_%08x_0" % (base["gen"] + 1, attempt)
                    segments.append((yield from write(world, name, first, entries, events, lie)))
                    retired.append((base["gen"] + 1, segment))
                else:
                    segments.append(segment)
            if any(trimmed - base["trimmed"] - set(reader.got) for reader in hold):
                return "a trim removes what a name has not passed"
            new = dict(base, gen=base["gen"] + 1, attempt=attempt, first=first, segs=segments,
                       retired=retired, trimmed=trimmed, lazy=lazy)
            yield from commit(world, new, state, lie)
        except (NotFound, Contradiction, Damaged):
            continue
