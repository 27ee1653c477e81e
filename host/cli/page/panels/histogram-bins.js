// Counts events by time: bars for a range of time, and the marks of its axis.

import { LIVE, LOST } from "../worker/log-layout.js";
import { STEPS } from "./format.js";

// Returns the first and the last time of all rows; none without rows.
export function timesOf({ time, until, flags }) {
  let [first, last] = [Infinity, -Infinity];
  for (let row = 0; row < time.length; row += 1) {
    if (flags[row] & LOST) continue;
    first = Math.min(first, time[row]);
    last = Math.max(last, until[row]);
  }
  return first <= last ? [first, last] : undefined;
}

// Returns `bars` counts of compacted and of live events between two times, and the first place in
// each. A segment that is drawn as a whole counts evenly between its times.
export function binsOf(rows, [from, until], bars) {
  const width = (until - from) / bars;
  const bins = Array.from({ length: bars }, (_, bar) => {
    const begin = from + bar * width;
    return { from: begin, until: begin + width, compacted: 0, live: 0, place: undefined };
  });
  const barOf = (time) => Math.min(Math.max(Math.floor((time - from) / width), 0), bars - 1);
  for (let row = 0; row < rows.time.length; row += 1) {
    const [time, end] = [rows.time[row], rows.until[row]];
    if (rows.flags[row] & LOST || end < from || time > until) continue;
    const kind = rows.flags[row] & LIVE ? "live" : "compacted";
    const [first, last] = [barOf(time), barOf(end)];
    const spread = Math.max((end - time) / width, 1);
    for (let bar = first; bar <= last; bar += 1) {
      bins[bar][kind] += rows.events[row] / Math.max(last - first + 1, spread);
      bins[bar].place ??= rows.ordinal[row];
    }
  }
  return bins;
}

// Returns the step of a time axis, so that at most `marks` marks are needed.
export function stepFor(span, marks) {
  return STEPS.find((step) => span / step <= marks) ?? STEPS.at(-1);
}

// Returns the times of the marks, in the zone of the browser.
export function marksIn([from, until], step) {
  const zone = new Date(from / 1e3).getTimezoneOffset() * 60e6;
  const marks = [];
  const first = Math.ceil((from - zone) / step) * step + zone;
  for (let at = first; at <= until; at += step) marks.push(at);
  return marks;
}

// Returns a round number of at least `most` for the top of the axis of counts.
export function roundedUp(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  return [1, 1.6, 2, 3, 4, 5, 6, 8, 10]
    .map((factor) => factor * power)
    .find((round) => round >= most);
}
