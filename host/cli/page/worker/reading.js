// Reads objects over HTTP: one object or a range of it, and many in order.

import { CHUNK_BYTES_MIN, KEPT_BYTES_MAX, KEYS_MAX, OBJECT_BYTES_MAX } from "./bounds.js";
import { Bytes } from "./host-bytes.js";
import { getRange } from "./requests.js";
import { storeError } from "./store-error.js";

// Reads the objects of one root.
export class Objects {
  #root;
  // Whole indexes by key, oldest first. An object never changes, and each read of events needs the
  // index of its segment again.
  #kept = new Map();
  #keptBytes = 0;

  constructor(root, keepsIndexes) {
    this.#root = root;
    this.keepsIndexes = keepsIndexes;
  }

  // Returns a part of the object from `start`, at most up to `end`, and the size of the object.
  part(key, start, end) {
    const kept = this.#kept.get(key);
    if (kept !== undefined)
      return { size: kept.length, bytes: kept.subarray(start, end), isKept: true };
    const url = this.#root.urlOf(key);
    const got = getRange(url, start, end, key);
    if (got.size > OBJECT_BYTES_MAX && got.bytes.length > end - start) {
      const reason = "the server sends whole objects only, and this one is too large for that";
      throw storeError("unsupported", `cannot read ${key}: ${reason}; use one that knows ranges`);
    }
    const isWhole = got.start === 0 && got.bytes.length === got.size;
    const isKept = isWhole && this.keepsIndexes && key.endsWith(".index");
    if (isKept) this.#keep(key, got.bytes);
    const bytes = got.bytes.subarray(start - got.start, end - got.start);
    return { size: got.size, bytes, isKept };
  }

  // Returns a whole object.
  whole(key) {
    const { size, bytes } = this.part(key, 0, OBJECT_BYTES_MAX);
    if (size === undefined || size === bytes.length) return bytes;
    const most = OBJECT_BYTES_MAX;
    throw storeError("invalid", `cannot read ${key}: it has more than ${most} bytes; read a range`);
  }

  #keep(key, bytes) {
    this.#kept.set(key, bytes);
    this.#keptBytes += bytes.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES_MAX) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= length;
    }
  }
}

// Returns the function `get`.
export function gets(objects) {
  return (key, range) => {
    if (range === undefined) return objects.whole(key);
    const [start, end] = [Number(range.start), Number(range.end)];
    return exactly(key, start, end, objects.part(key, start, end));
  };
}

function exactly(key, start, end, { bytes }) {
  if (bytes.length === end - start) return bytes;
  const reason = `${end - start} bytes were requested, ${bytes.length} were received; try again`;
  throw storeError("unavailable", `cannot read ${key}: ${reason}`);
}

// Returns the resource `ordered-read`.
export function orderedReads(objects) {
  return class OrderedRead {
    #ranges;
    #next = 0;
    #at;
    constructor(ranges) {
      if (ranges.length > KEYS_MAX) {
        throw new RangeError(`${ranges.length} ranges in one read, more than ${KEYS_MAX}`);
      }
      this.#ranges = ranges;
    }
    next(bytesMax) {
      const number = this.#next;
      const wanted = this.#ranges[number];
      if (!wanted) return undefined;
      try {
        const at = this.#at ?? Number(wanted.range?.start ?? 0n);
        const limit = Math.min(Math.max(bytesMax, CHUNK_BYTES_MIN), OBJECT_BYTES_MAX);
        const rangeEnd = wanted.range && Number(wanted.range.end);
        const end = Math.min(at + limit, rangeEnd ?? Infinity);
        const { size, bytes, isKept } = objects.part(wanted.key, at, end);
        if (rangeEnd !== undefined) exactly(wanted.key, at, end, { bytes });
        // Without a size, an answer that is short shows the end.
        const objectEnd = size ?? (bytes.length < end - at ? at + bytes.length : Infinity);
        const last = at + bytes.length >= (rangeEnd ?? objectEnd);
        this.#at = last ? undefined : at + bytes.length;
        this.#next += last ? 1 : 0;
        return { number, bytes: isKept ? Bytes.ofKept(bytes) : new Bytes(bytes), last };
      } catch (error) {
        if (error instanceof Error) throw error;
        this.#ranges = [];
        throw { number, error };
      }
    }
  };
}
