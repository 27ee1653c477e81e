/** Logs for plugins: append events, and read them. */

/** The options of `Log.open`. Those that are absent have the default that the WIT gives. */
export interface Options {
  /** Seals a batch at this many events: 1 to 1,000,000. */
  flushThreshold?: number;
  /** Seals a batch at this many bytes. */
  flushBytes?: number;
  /** Seals a batch at the first tick after its oldest event has this age, in milliseconds. */
  flushIntervalMs?: number;
  /** Refuses events of more bytes. */
  eventBytesMax?: number;
  /** Bounds the buffer, in bytes. */
  bufferBytesMax?: number;
  /** Writes at most this many batches at the same time: 1 to 16. */
  createsMax?: number;
}

/** The options of `read`. */
export interface ReadOptions {
  /** Begins at the position that `Events.commit` has committed last under this name. */
  name?: string | undefined;
  /** Begins right behind a position that `Events.position` returned. */
  start?: string | undefined;
  /** Begins with the last events that are stored now. */
  last?: bigint | number | undefined;
  /** Ends after this many events. */
  limit?: bigint | number | undefined;
  /** Leaves out events whose batch is older than this. */
  since?: Date | undefined;
  /** Leaves out events whose batch has this time or a later one. */
  until?: Date | undefined;
}

/** What a handle has made durable since it was opened. */
export interface Written {
  batches: bigint;
  events: bigint;
  bytes: bigint;
}

/** A failed call on a log: one line that names the call, the log and the cause. */
export class LogError extends Error {
  readonly label: string;
  /** The case of the error, with its data. Its WIT says what to do. */
  readonly cause: { tag: string; val?: unknown };
}

/** An event that was read. */
export class Event {
  /** Without a line feed. */
  readonly bytes: Uint8Array;
  /** The time of the batch of the event; null if it is not in a batch yet. */
  readonly time: Date | null;
  /** The event as text. Bytes that are not UTF-8 are replaced. */
  get text(): string;
  /** The value that the event has as JSON. */
  json(): unknown;
}

/** A handle that appends to a log. Events are durable after `flush` or `close`. */
export class Log {
  readonly label: string;
  /** Opens the log with a label. */
  static open(label: string, options?: Options): Log;
  /** Appends one event: bytes or text without a line feed. */
  append(event: Uint8Array | string): void;
  /** Appends a value as one line of JSON. */
  appendJson(value: unknown): void;
  /** Appends many events, each ended by a line feed: all of them, or none. */
  appendLines(lines: Uint8Array | string): bigint;
  /** Makes all appended events durable, and returns the total of this handle. */
  flush(): Written;
  /** Flushes and closes the handle. */
  close(): Written;
  /** Runs maintenance without a wait; returns true if anything is not durable yet. */
  tick(): boolean;
  /** Reads the stored events, then those of this handle that are not durable yet. */
  read(): Events;
}

/** The events of a log, one after the other. */
export class Events implements IterableIterator<Event> {
  readonly label: string;
  /** The number of events that the log no longer has, and that were passed so far. */
  readonly missed: bigint;
  [Symbol.iterator](): this;
  /** Returns the next event. At the end of the log, each call polls the store for new events. */
  next(): IteratorResult<Event, undefined>;
  /**
   * Returns the position right behind the last event that was returned. A read that starts there
   * returns exactly the events behind it.
   */
  position(): string | undefined;
  /** Commits the position right behind the last event that was returned, under the `name`. */
  commit(): void;
}

/** Reads the log with a label. */
export function read(label: string, options?: ReadOptions): Events;
