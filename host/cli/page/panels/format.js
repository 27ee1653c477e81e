// Formats numbers, sizes and times for people.

const GROUPED = new Intl.NumberFormat("en-US");
const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function grouped(number) {
  return GROUPED.format(number);
}

export function count(number, one, many) {
  return `${grouped(number)} ${number === 1 ? one : many}`;
}

// Returns a short number for an axis, as 12k.
export function short(number) {
  if (number >= 1e9) return `${trimmed(number / 1e9)}G`;
  if (number >= 1e6) return `${trimmed(number / 1e6)}M`;
  if (number >= 1e3) return `${trimmed(number / 1e3)}k`;
  return trimmed(number);
}

function trimmed(number) {
  return String(Number(number.toPrecision(3)));
}

export function size(bytes) {
  let unit = 0;
  let rest = bytes;
  while (rest >= 1024 && unit < UNITS.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return unit === 0 ? count(bytes, "byte", "bytes") : `${rest.toFixed(1)} ${UNITS[unit]}`;
}

// The steps of a time axis, in microseconds.
const SECOND = 1e6;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((microseconds) => microseconds),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((milliseconds) => milliseconds * 1e3),
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 30, 91, 182, 365, 730, 1825, 3650].map((days) => days * DAY),
];

// Returns a time in microseconds since 1970, to the precision of a step of time.
export function time(microseconds, step = 1) {
  if (!Number.isFinite(microseconds)) return "-";
  const at = new Date(Math.floor(microseconds / 1e3));
  if (Number.isNaN(at.getTime())) return "-";
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return step >= DAY ? date : `${date} ${clock(microseconds, step)}`;
}

// Returns the time of the day, in the zone of the browser.
export function clock(microseconds, step = 1) {
  const at = new Date(Math.floor(microseconds / 1e3));
  const minutes = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (step >= MINUTE) return minutes;
  const seconds = `${minutes}:${two(at.getSeconds())}`;
  if (step >= SECOND) return seconds;
  const fraction = String(((microseconds % 1e6) + 1e6) % 1e6).padStart(6, "0");
  const digits = Math.ceil(6 - Math.log10(step) - 1e-9);
  return `${seconds}.${fraction.slice(0, Math.min(Math.max(digits, 1), 6))}`;
}

function two(number) {
  return String(number).padStart(2, "0");
}
