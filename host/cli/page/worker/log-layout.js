// Finds where the events of a log are: its segments and live batches, with times and sizes.
//
// The component reads, checks and counts events. This is for drawing alone, so it checks nothing:
// an object that it cannot use is left out of the drawing, and named.
//
// Invariants:
// 1. Memory is bounded: at most BATCHES_MAX batches are drawn one by one. Of older ones, each
//    segment is drawn as a whole.
// 2. Rows are in the order of positions, live batches last.

import { batchOf, isManifest } from "./object-names.js";

const BATCHES_MAX = 200_000;
const LIST_LIMIT = 10_000;
const LIVE_NAMED_MAX = 5_000;

export const LIVE = 1;
export const LOST = 2;
export const WHOLE_SEGMENT = 4;

// Returns the layout of a log. With `withSizes`, live batches have sizes: a bucket lists them, and
// a folder would take a request for each.
export function layoutOf(store, name, withSizes) {
  const listed = list(store, `${name}/batch_`, withSizes).flatMap(({ key, size, kind }) => {
    const batch = kind === "object" ? batchOf(key.slice(name.length + 1)) : undefined;
    return batch === undefined ? [] : [{ ...batch, size: Number(size) }];
  });
  const unusable = [];
  const manifest = currentManifest(store, name, unusable);
  const indexes = readIndexes(store, name, manifest, listed, unusable);
  const live = liveBatches(listed, indexes.absorbed);
  const rows = new Rows();
  const segments = (manifest.segments ?? []).map((segment) => {
    addSegment(rows, segment, indexes.lines.get(segment.name));
    return segmentOf(segment);
  });
  let ordinal = manifest.next_position ?? 0;
  for (const { time, events } of live) {
    rows.add({ time, until: time, ordinal, events: events ?? 0, flags: LIVE });
    ordinal += events ?? 0;
  }
  return {
    rows: rows.finish(),
    segments,
    liveCount: live.length,
    live: live
      .slice(-LIVE_NAMED_MAX)
      .map(({ name, time, events, size }) => ({ name, time, events, size })),
    unusable,
  };
}

function segmentOf({ name, position, batches, events, bytes, first_time, last_time, lost }) {
  const times = { firstTime: first_time, lastTime: last_time };
  return { name, position, batches, events, bytes, lost: lost ?? 0, tier: tierOf(bytes), ...times };
}

// Returns the tier of a segment: it has at least 8^tier bytes.
export function tierOf(bytes) {
  let tier = 0;
  for (let most = 8; most <= bytes; most *= 8) tier += 1;
  return tier;
}

function list(store, prefix, withSizes) {
  const listing = new store.Listing(prefix, undefined, withSizes);
  const entries = [];
  for (let more = true; more;) {
    const page = listing.next(LIST_LIMIT);
    entries.push(...page.objects);
    ({ more } = page);
  }
  return entries;
}

function currentManifest(store, name, unusable) {
  const keys = list(store, `${name}/manifest_`, false).map(({ key }) => key);
  const key = keys.filter((key) => isManifest(key.slice(name.length + 1))).at(-1);
  if (key === undefined) return {};
  const manifest = parsed(() => JSON.parse(text(store, key)), key, unusable) ?? {};
  const isUsable = Array.isArray(manifest.segments) && Number.isSafeInteger(manifest.next_position);
  if (!isUsable && !unusable.includes(key)) unusable.push(key);
  return isUsable ? manifest : {};
}

// Returns the lines of indexes by segment, and the ids of all batches in them.
//
// The newest indexes are read until there are enough batches. Any other is read only if a listed
// batch may be in it.
function readIndexes(store, name, manifest, listed, unusable) {
  const lines = new Map();
  const absorbed = new Set();
  const times = listed.map(({ time }) => time);
  let batches = 0;
  const retired = (manifest.retired ?? []).map(({ segment }) => segment);
  for (const segment of [...(manifest.segments ?? [])].reverse().concat(retired)) {
    const isCurrent = !retired.includes(segment);
    const isDrawn = isCurrent && batches + segment.batches <= BATCHES_MAX;
    const mayHold = times.some((time) => time >= segment.first_time && time <= segment.last_time);
    if (!isDrawn && !mayHold) continue;
    const key = `${name}/${segment.name.replace(/\.jsonl$/, ".index")}`;
    const index = parsed(() => indexLines(text(store, key)), key, unusable);
    if (index === undefined) continue;
    for (const line of index) absorbed.add(batchOf(line.batch)?.id ?? line.batch);
    if (!isDrawn) continue;
    lines.set(segment.name, index);
    batches += index.length;
  }
  return { lines, absorbed };
}

function indexLines(text) {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

function text(store, key) {
  return new TextDecoder().decode(store.get(key, undefined));
}

// Returns the value, or none if the object is gone or has no such form.
function parsed(work, key, unusable) {
  try {
    return work();
  } catch (error) {
    const isGone = error.kind === "not-found";
    if (!isGone && !(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
    unusable.push(key);
    return undefined;
  }
}

// Returns the batches in no index, in order, each once. Of a writer, those behind a gap in its
// numbers are hidden.
function liveBatches(listed, absorbed) {
  const byId = new Map(listed.map((batch) => [batch.id, batch]));
  const live = [...byId.values()].filter(({ id }) => !absorbed.has(id));
  const last = new Map();
  const gaps = new Set();
  return live
    .sort((a, b) => (a.order < b.order ? -1 : 1))
    .filter(({ writer, number }) => {
      if (writer === undefined) return true;
      const before = last.get(writer);
      last.set(writer, number);
      if (before === undefined ? false : number !== before + 1) gaps.add(writer);
      return !gaps.has(writer);
    });
}

function addSegment(rows, segment, index) {
  let ordinal = segment.position;
  if (index === undefined) {
    const { first_time: time, last_time: until, events } = segment;
    rows.add({ time, until, ordinal, events, flags: WHOLE_SEGMENT });
    return;
  }
  for (const { batch, events, lost } of index) {
    const time = batchOf(batch)?.time ?? segment.first_time;
    rows.add({ time, until: time, ordinal, events, flags: lost ? LOST : 0 });
    ordinal += events;
  }
}

// The rows of the drawing, in columns, so that they can be passed on without a copy.
class Rows {
  #rows = [];

  add(row) {
    this.#rows.push(row);
  }

  finish() {
    const column = (type, name) => type.from(this.#rows, (row) => row[name]);
    return {
      time: column(Float64Array, "time"),
      until: column(Float64Array, "until"),
      ordinal: column(Float64Array, "ordinal"),
      events: column(Float64Array, "events"),
      flags: column(Uint8Array, "flags"),
    };
  }
}
