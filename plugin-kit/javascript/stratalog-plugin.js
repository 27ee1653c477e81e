// Logs for plugins: append events, and read them.
//
//   const log = Log.open("errors");
//   log.appendJson({ code: 500 });
//   log.close();
//   for (const event of read("errors")) print(event.text);
//
// `errors` is a label. Who runs the plugin decides which log, in which store, the label means. The
// WIT of the interface `append-log` is the manual of durability, order and cost. What this module
// has no function for, such as `trim` and `verify`, is in `stratalog:log/append-log@0.1.0`.

import { Log as Handle, read as readLog, readNamed } from "stratalog:log/append-log@0.1.0";

// A failed call on a log: one line that names the call, the log and the cause.
export class LogError extends Error {
  constructor(action, label, cause, isOfLines) {
    super(`cannot ${action} the log "${label}": ${text(cause, isOfLines)}`);
    this.name = "LogError";
    this.label = label;
    // The case of the error as `tag`, with its data as `val`. Its WIT says what to do.
    this.cause = cause;
  }
}

// An event that was read.
export class Event {
  constructor(bytes, time) {
    // Without a line feed.
    this.bytes = bytes;
    // The time of the batch of the event; null if it is not in a batch yet.
    this.time = time;
  }

  get text() {
    return new TextDecoder().decode(this.bytes);
  }

  json() {
    return JSON.parse(this.text);
  }
}

// A handle that appends to a log. Events are buffered, and durable after `flush` or `close`.
export class Log {
  #handle;

  constructor(label, handle) {
    this.label = label;
    this.#handle = handle;
  }

  // Opens the log with a label. The record `options` of the WIT describes the options. A batch may
  // have more events than `flushThreshold`, while others are being written.
  static open(label, options = {}) {
    check(options, OPEN_OPTIONS);
    for (const name of OPEN_OPTIONS) checkCount(name, options[name]);
    return new Log(label, attempt("open", label, () => Handle.open(label, options)));
  }

  // Appends one event: bytes or text without a line feed.
  append(event) {
    const data = bytes(event);
    attempt("append to", this.label, () => this.#handle.append(data));
  }

  // Appends a value as one line of JSON.
  appendJson(value) {
    const event = JSON.stringify(value);
    if (event === undefined) throw new TypeError(`${typeof value} is no value of JSON`);
    this.append(event);
  }

  // Appends many events, each ended by a line feed: all of them, or none.
  appendLines(lines) {
    const data = bytes(lines);
    return attempt("append to", this.label, () => this.#handle.appendLines(data), true);
  }

  // Makes all appended events durable, and returns the total of this handle.
  flush() {
    return attempt("flush", this.label, () => this.#handle.flush());
  }

  // Flushes and closes the handle.
  close() {
    return attempt("close", this.label, () => this.#handle.close());
  }

  // Runs maintenance without a wait; returns true if anything is not durable yet.
  tick() {
    return this.#handle.tick();
  }

  // Reads the stored events, then those of this handle that are not durable yet.
  read() {
    return new Events(this.label, attempt("read", this.label, () => this.#handle.readAll()));
  }
}

// Reads the log with a label. The record `read-options` of the WIT describes the options; `since`
// and `until` are dates here. With a `name`, it begins at the position that `Events.commit` has
// committed last under that name. The host must have granted the right `commit` for that.
export function read(label, options = {}) {
  check(options, READ_OPTIONS);
  const { name } = options;
  for (const name of ["last", "limit"]) checkLongCount(name, options[name]);
  if (options.start !== undefined) checkText("start", options.start);
  if (name !== undefined) checkText("name", name);
  const { start, last, limit } = options;
  const all = { start, last, limit, since: micros("since", options), until: micros("until", options) };
  const reader = attempt("read", label, () =>
    name === undefined ? readLog(label, all) : readNamed(label, name, all),
  );
  return new Events(label, reader);
}

// The events of a log, one after the other. It ends at the end of the log as currently stored. Then
// `next` polls the store for new events: to follow a log, call it again.
export class Events {
  // The number of events that the log no longer has, and that were passed so far.
  missed = 0n;
  #reader;
  #page = [];
  #returned = 0;
  #positions = { first: 0, known: [] };

  constructor(label, reader) {
    this.label = label;
    this.#reader = reader;
  }

  [Symbol.iterator]() {
    return this;
  }

  next() {
    while (this.#returned === this.#page.length) {
      if (!this.#load()) return { done: true, value: undefined };
    }
    this.#returned += 1;
    return { done: false, value: this.#page[this.#returned - 1] };
  }

  // Returns the position right behind the last event that was returned. A read that starts there
  // returns exactly the events behind it: keep the position once the event is dealt with. Undefined
  // if the events of an open handle are read.
  position() {
    if (this.#returned === 0) return this.#reader.position();
    const number = this.#returned - 1;
    const isKnown = ({ first, known }) => first <= number && number < first + known.length;
    if (!isKnown(this.#positions)) {
      const text = this.#reader.positions(BigInt(number));
      if (text === undefined) return undefined;
      this.#positions = { first: number, known: text.split("\n").slice(0, -1) };
    }
    return this.#positions.known[number - this.#positions.first];
  }

  // Commits the position right behind the last event that was returned, under the `name` of the
  // read. The next read with that name begins behind the event. Flush first what you made of the
  // events. The cause of the LogError is `conflict` if another reader has committed under the name.
  commit() {
    const position = this.#returned === 0 ? undefined : this.position();
    attempt("commit a position of", this.label, () => this.#reader.commit(position));
  }

  #load() {
    const page = attempt("read", this.label, () => this.#reader.next());
    if (page === undefined) {
      // The positions of single events were those of the page before.
      [this.#page, this.#returned, this.#positions] = [[], 0, { first: 0, known: [] }];
      return false;
    }
    this.missed += page.missed;
    this.#page = [...eventsOf(page.lines, this.#reader.batches())];
    [this.#returned, this.#positions] = [0, { first: 0, known: [] }];
    return true;
  }
}

function* eventsOf(lines, batches) {
  let start = 0;
  for (const { events, time } of batches) {
    const date = time === undefined ? null : new Date(Number(time / 1000n));
    for (let count = 0n; count < events; count += 1n) {
      const end = lines.indexOf(10, start);
      yield new Event(lines.subarray(start, end), date);
      start = end + 1;
    }
  }
}

const OPEN_OPTIONS = [
  "flushThreshold",
  "flushBytes",
  "flushIntervalMs",
  "eventBytesMax",
  "bufferBytesMax",
  "createsMax",
];
const READ_OPTIONS = ["name", "start", "last", "limit", "since", "until"];

// Refuses options that do not exist, such as misspelt ones.
function check(options, known) {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(`the options are an object, as { ${known[0]}: … }, not ${shown(options)}`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new TypeError(`there is no option ${unknown}: the options are ${known.join(", ")}`);
}

// Refuses a number that would be another one in the interface, where it has 32 bits.
function checkCount(name, value) {
  if (value === undefined) return;
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return;
  throw new TypeError(`${name} is an integer from 0 to ${2 ** 32 - 1}, not ${shown(value)}`);
}

// The same for 64 bits: a number, if it is exact, or a BigInt.
function checkLongCount(name, value) {
  if (value === undefined) return;
  const isInteger = typeof value === "bigint" || Number.isSafeInteger(value);
  if (isInteger && value >= 0 && value < 2n ** 64n) return;
  throw new TypeError(`${name} is an integer from 0 to ${2n ** 64n - 1n}, not ${shown(value)}`);
}

function checkText(name, value) {
  if (typeof value === "string") return;
  throw new TypeError(`${name} is a text, not ${shown(value)}`);
}

function shown(value) {
  return typeof value === "bigint" ? `the BigInt ${value}` : String(value);
}

function attempt(action, label, call, isOfLines = false) {
  try {
    return call();
  } catch (error) {
    if (!error?.payload) throw error;
    throw new LogError(action, label, error.payload, isOfLines);
  }
}

function bytes(event) {
  if (typeof event === "string") return new TextEncoder().encode(event);
  if (event instanceof Uint8Array) return event;
  throw new TypeError(`an event is a text or a Uint8Array, not ${typeof event}`);
}

function micros(name, { [name]: date }) {
  if (date === undefined) return undefined;
  if (!(date instanceof Date)) throw new TypeError(`${name} is a Date, not ${typeof date}`);
  if (Number.isNaN(date.getTime())) throw new TypeError(`${name} is an invalid Date`);
  return BigInt(Math.max(0, date.getTime())) * 1000n;
}

const FATES = { durable: "is", "not-written": "is not", unknown: "may be" };

function text({ tag, val }, isOfLines) {
  switch (tag) {
    case "invalid-event":
      return (isOfLines ? `line ${val.line + 1n}: ` : "") + faultText(val.fault);
    case "write-failed":
      return (
        `${val.message} (${val.object} ${FATES[val.fate]} stored; ` +
        `${val.eventsPending} events are kept in memory)`
      );
    case "store-failed":
      return val.message;
    case "damaged":
      return `${val.object} is damaged: expected ${val.expected}, found ${val.found}`;
    case "no-log":
      return "there is no such log: nothing is stored yet";
    case "closed":
      return "it is closed";
    default:
      return val;
  }
}

function faultText({ tag, val }) {
  switch (tag) {
    case "empty":
      return "an event must have at least one byte";
    case "line-feed":
      return "an event must have no line feed";
    case "too-long":
      return `${val.bytes} bytes are more than the ${val.bytesMax} of an event`;
    default:
      return "it must end with a line feed";
  }
}
