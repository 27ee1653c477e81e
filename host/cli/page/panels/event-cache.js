// Keeps the events that were loaded, in bounded memory.
//
// Invariants:
// 1. At most KEPT_BYTES_MAX bytes of events are kept, but for the block that was loaded last. The
//    blocks that were used least recently go first.
// 2. One request at a time is made: that for the events that are shown, or next to them.
// 3. Blocks do not overlap, and are sorted by place.

const MIB = 1024 * 1024;
const KEPT_BYTES_MAX = 32 * MIB;
// The most bytes that are loaded next to the shown events, for the search.
const AHEAD_BYTES_MAX = 8 * MIB;
const BLOCK_EVENTS_MAX = 20_000;
const BLOCK_BYTES_MAX = MIB;

export class EventCache extends EventTarget {
  #client;
  #runs;
  #stats;
  #blocks = [];
  #damaged = [];
  #bytes = 0;
  #clock = 0;
  #blockEvents = BLOCK_EVENTS_MAX;
  #wanted = [0, 0];
  #isLoading = false;

  constructor(client) {
    super();
    this.#client = client;
  }

  get bytes() {
    return this.#bytes;
  }

  get events() {
    return this.#blocks.reduce((sum, { ends }) => sum + ends.length, 0);
  }

  // Takes the numbers of the log as it is now. Live events may have other places than before.
  setLog(stats, liveEvents) {
    const before = this.#stats;
    this.#stats = { nextPosition: stats.nextPosition, liveEvents };
    // This number of events has about the bytes of a block.
    const fitting = BLOCK_BYTES_MAX / (stats.bytes / Math.max(stats.events, 1) || 1);
    this.#blockEvents = Math.min(Math.max(Math.floor(fitting), 1), BLOCK_EVENTS_MAX);
    const isSame = before?.nextPosition === stats.nextPosition && before?.liveEvents === liveEvents;
    if (isSame) return;
    const stable = Math.min(before?.nextPosition ?? 0, stats.nextPosition);
    this.#keepOnly(({ from, ends }) => from + ends.length <= stable);
    this.#damaged = [];
  }

  // Forgets all events, so that they are read again.
  clear() {
    this.#keepOnly(() => false);
    this.#damaged = [];
  }

  setRuns(runs) {
    this.#runs = runs;
  }

  // Asks for the lines of the list from `first` up to `end`.
  want(first, end) {
    this.#wanted = [first, end];
    this.#load();
  }

  // Returns { bytes } of an event, { damage }, or nothing if it is not loaded.
  get(place) {
    const block = this.#blockOf(place);
    if (block !== undefined) {
      block.used = this.#clock += 1;
      return { bytes: eventIn(block, place - block.from) };
    }
    return this.#damaged.find(({ from, end }) => place >= from && place < end);
  }

  // Calls `visit(place, bytes)` for the events of each block.
  blocks() {
    return this.#blocks;
  }

  async #load() {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      for (let place = this.#missing(); place !== undefined; place = this.#missing()) {
        if (!(await this.#loadAt(place))) break;
      }
    } catch (error) {
      this.dispatchEvent(new CustomEvent("failed", { detail: error }));
    } finally {
      this.#isLoading = false;
    }
  }

  // Returns the place of an event to load: shown ones first, then those next to them.
  #missing() {
    const [first, end] = this.#wanted;
    const shown = this.#missingIn(first, end, 1);
    if (shown !== undefined || this.#bytes >= AHEAD_BYTES_MAX) return shown;
    return this.#missingIn(end, this.#runs.total, 1) ?? this.#missingIn(first - 1, -1, -1);
  }

  // Returns the place in the first line from `line` to `stop` that is not loaded.
  #missingIn(line, stop, step) {
    while (step > 0 ? line < stop : line > stop) {
      const place = this.#runs.placeOf(line);
      if (place === undefined) return undefined;
      const known = this.#known().find(({ from, end }) => place >= from && place < end);
      if (known === undefined) return step > 0 ? place : this.#backward(place);
      const end = Math.min(known.end, this.#runs.runEnd(place));
      line += step > 0 ? end - place : known.from - place - 1;
    }
    return undefined;
  }

  // Returns the ranges of places that are loaded or damaged.
  #known() {
    const loaded = this.#blocks.map(({ from, ends }) => ({ from, end: from + ends.length }));
    return [...loaded, ...this.#damaged];
  }

  // Returns the place at which a block begins that ends with this event.
  #backward(place) {
    const line = Math.max(this.#runs.lineOf(place) - this.#blockEvents + 1, 0);
    const earliest = Math.max(this.#runs.placeOf(line), place - this.#blockEvents + 1);
    const before = this.#known()
      .map(({ end }) => end)
      .filter((end) => end <= place);
    const free = Math.max(earliest, ...before);
    return this.#runs.runEnd(free) > place ? free : place;
  }

  // Loads a block. Returns false if the log has changed.
  async #loadAt(from) {
    const { nextPosition, liveEvents } = this.#stats;
    const after = Math.min(
      ...this.#known()
        .map((known) => known.from)
        .filter((known) => known > from),
    );
    // Compacted and live events are found in different ways.
    const end = Math.min(
      after,
      this.#runs.runEnd(from),
      from < nextPosition ? nextPosition : Infinity,
    );
    const count = Math.min(end - from, this.#blockEvents);
    const stats = this.#stats;
    const argument = { from, count, bytesMax: BLOCK_BYTES_MAX, nextPosition, liveEvents };
    const found = await this.#client.call("events", argument);
    if (stats !== this.#stats) return true;
    if (found === undefined || (found.ends.length === 0 && !found.damage)) {
      this.dispatchEvent(new Event("stale"));
      return false;
    }
    if (found.ends.length > 0) this.#insert({ from, bytes: found.bytes, ends: found.ends });
    if (found.damage) this.#markDamaged(from + found.ends.length, found.damage);
    this.dispatchEvent(new Event("loaded"));
    return true;
  }

  // Nothing of a damaged batch is returned.
  #markDamaged(place, damage) {
    const { end } = this.#runs.batchOf(place);
    this.#damaged.push({ from: place, end: Math.max(end, place + 1), damage });
    this.dispatchEvent(new CustomEvent("damaged", { detail: damage }));
  }

  #insert(block) {
    block.used = this.#clock += 1;
    this.#blocks.push(block);
    this.#blocks.sort((a, b) => a.from - b.from);
    this.#bytes += block.bytes.length;
    const oldest = [...this.#blocks].sort((a, b) => a.used - b.used);
    const dropped = new Set();
    let bytes = this.#bytes;
    for (const old of oldest) {
      if (bytes <= KEPT_BYTES_MAX || old === block) break;
      dropped.add(old);
      bytes -= old.bytes.length;
    }
    if (dropped.size > 0) this.#keepOnly((kept) => !dropped.has(kept));
  }

  #keepOnly(isKept) {
    this.#blocks = this.#blocks.filter(isKept);
    this.#bytes = this.#blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  #blockOf(place) {
    let [low, high] = [0, this.#blocks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#blocks[middle].from <= place) low = middle + 1;
      else high = middle;
    }
    const block = this.#blocks[low - 1];
    return block && place < block.from + block.ends.length ? block : undefined;
  }
}

// Returns the bytes of an event of a block.
export function eventIn({ bytes, ends }, number) {
  return bytes.subarray(number === 0 ? 0 : ends[number - 1] + 1, ends[number]);
}
