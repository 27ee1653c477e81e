// Maps the lines of the list to the events of the log.
//
// An event has a place: its position, or the next numbers for live ones. The list shows the
// readable events of a range of time. Their places form runs without gaps.

import { LIVE, LOST, WHOLE_SEGMENT } from "../worker/log-layout.js";

export class Runs {
  #runs = [];
  #rows;
  total = 0;

  // `range` is [from, until] in microseconds; without it, all events.
  constructor(rows, firstPosition, range) {
    this.#rows = rows;
    for (let row = 0; row < rows.time.length; row += 1) {
      if (rows.flags[row] & LOST || !isWithin(rows, row, range)) continue;
      const end = rows.ordinal[row] + rows.events[row];
      const from = Math.max(rows.ordinal[row], firstPosition);
      if (from < end) this.#add(from, end);
    }
  }

  #add(from, end) {
    const last = this.#runs.at(-1);
    if (last?.end === from) last.end = end;
    else this.#runs.push({ from, end, line: this.total });
    this.total += end - from;
  }

  // Returns the place of the event in a line.
  placeOf(line) {
    const run = this.#runs[lastNotAfter(this.#runs.length, (at) => this.#runs[at].line, line)];
    return run && run.from + (line - run.line);
  }

  // Returns the line of an event, or that of the next one in the list.
  lineOf(place) {
    const at = lastNotAfter(this.#runs.length, (run) => this.#runs[run].from, place);
    if (at < 0) return 0;
    const { from, end, line } = this.#runs[at];
    return Math.min(line + Math.min(place, end) - from, Math.max(this.total - 1, 0));
  }

  // Returns the end of the run that a place is in.
  runEnd(place) {
    const at = lastNotAfter(this.#runs.length, (run) => this.#runs[run].from, place);
    return this.#runs[at]?.end ?? place;
  }

  // Returns the batch of an event: its time, its places, and whether it is live.
  batchOf(place) {
    const { time, until, ordinal, events, flags } = this.#rows;
    const row = lastNotAfter(time.length, (at) => ordinal[at], place);
    return {
      time: flags[row] & WHOLE_SEGMENT ? undefined : time[row],
      until: until[row],
      from: ordinal[row],
      end: ordinal[row] + events[row],
      isLive: (flags[row] & LIVE) !== 0,
    };
  }
}

function isWithin(rows, row, range) {
  return range === undefined || (rows.until[row] >= range[0] && rows.time[row] <= range[1]);
}

// Returns the last index of `length` whose value is at most `wanted`, or -1.
function lastNotAfter(length, value, wanted) {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value(middle) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
