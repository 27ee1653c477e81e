// Reads a log with the component: its numbers, its events by their place, and what is new.

import { drop } from "./host-bytes.js";
import { layoutOf } from "./log-layout.js";

const LINE_FEED = 10;

export class LogReader {
  #component;
  #store;
  #name;
  #listsSizes;
  #follower;

  // `listsSizes` tells whether a listing has sizes without more requests.
  constructor(component, store, name, listsSizes) {
    this.#component = component;
    this.#store = store;
    this.#name = name;
    this.#listsSizes = listsSizes;
  }

  // Returns the numbers of the log and its layout.
  overview() {
    const stats = this.#stats();
    return { stats, layout: layoutOf(this.#store, this.#name, this.#listsSizes) };
  }

  // Returns the events from a place on: at most `count`, and at most about `bytesMax` bytes.
  //
  // An event in a segment has a position. The place of a live one is counted from the end, so it
  // holds for the given numbers of the log only. None are returned if those have changed, or if
  // events were trimmed.
  events({ from, count, bytesMax, nextPosition, liveEvents }) {
    const options = { limit: BigInt(count) };
    if (from < nextPosition) {
      options.start = String(from);
    } else {
      const now = this.#stats();
      if (now.nextPosition !== nextPosition || liveEventsOf(now) !== liveEvents) return undefined;
      options.last = BigInt(liveEvents - (from - nextPosition));
    }
    const { appendLog, hostLines } = this.#component;
    const pieces = [];
    let bytes = 0;
    let events = 0;
    let damage;
    const reader = appendLog.read(this.#name, options);
    try {
      while (events < count && bytes < bytesMax) {
        const page = hostLines.next(reader);
        if (page === undefined) break;
        if (page.missed > 0n) return undefined;
        events += Number(page.events);
        if (page.lines === undefined) continue;
        pieces.push(page.lines.read().slice());
        bytes += pieces.at(-1).length;
        drop(page.lines);
      }
    } catch (error) {
      if (error.payload?.tag !== "damaged") throw error;
      damage = error.payload.val;
    } finally {
      drop(reader);
    }
    return { ...joined(pieces, events), damage };
  }

  // Returns the number of events behind a position, and those before it.
  lag({ position }) {
    const point = { tag: "position", val: position };
    const before = this.#component.appendLog.planTrim(this.#name, point, { lazy: true });
    const stats = this.#stats();
    return { before: Number(before.events), behind: stats.events - Number(before.events) };
  }

  // Returns whether there are new events since the last call.
  hasNew() {
    const { appendLog, hostLines } = this.#component;
    this.#follower ??= appendLog.read(this.#name, { last: 0n });
    let found = false;
    for (;;) {
      const page = hostLines.next(this.#follower);
      if (page === undefined) return found;
      if (page.lines !== undefined) drop(page.lines);
      found = true;
    }
  }

  #stats() {
    return plain(this.#component.appendLog.stat(this.#name));
  }
}

// Returns the number of events in live batches.
export function liveEventsOf(stats) {
  const compacted = stats.nextPosition - stats.firstPosition - stats.lostEvents;
  return Math.max(stats.events - compacted, 0);
}

// Converts 64-bit numbers. Counts, sizes and microseconds since 1970 fit into a number.
export function plain(value) {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, plain(of)]));
}

// Joins pages. `ends` has the offset behind each event, line feed excluded.
function joined(pieces, events) {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  const ends = new Uint32Array(events);
  let end = -1;
  for (let number = 0; number < events; number += 1) {
    end = bytes.indexOf(LINE_FEED, end + 1);
    ends[number] = end;
  }
  return { bytes, ends };
}
