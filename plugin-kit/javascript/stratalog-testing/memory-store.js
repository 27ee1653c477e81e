// An object store in memory, whose calls fail when a test wants it.
//
// Invariants:
// 1. A create stores the whole object or nothing, and overwrites nothing.
// 2. A fault hits the next calls of its kind, in order, and then no more.

import { CHUNK_BYTES_MIN, KEYS_MAX, OBJECT_BYTES_MAX } from "./bounds.js";
import { Bytes } from "./host-bytes.js";

export class MemoryStore {
  // The objects, by their keys.
  objects = new Map();
  // The creates that have not landed yet, as keys and bytes.
  late = [];
  // The faults that are still to come.
  createsToFail = 0;
  repliesToLose = 0;
  createsToDelay = 0;
  readsToFail = 0;
  deletesToFail = 0;

  // Creates an object, unless a fault is next.
  create(key, bytes) {
    if (this.createsToFail > 0) {
      this.createsToFail -= 1;
      throw { tag: "not-written", val: unavailable("write", key, "the write failed") };
    }
    if (this.createsToDelay > 0) {
      this.createsToDelay -= 1;
      this.late.push([key, bytes]);
      const reason = "no reply within the time limit";
      throw { tag: "unknown", val: unavailable("write", key, reason) };
    }
    if (this.objects.has(key)) throw { tag: "already-exists" };
    this.objects.set(key, bytes);
    if (this.repliesToLose > 0) {
      this.repliesToLose -= 1;
      throw { tag: "unknown", val: unavailable("write", key, "the reply was lost") };
    }
  }

  // Lets the delayed creates land that nothing has overtaken. Returns their number.
  deliver() {
    const landing = this.late.filter(([key]) => !this.objects.has(key));
    for (const [key, bytes] of landing) this.objects.set(key, bytes);
    this.late = [];
    return landing.length;
  }

  // Returns an object, or a range of it.
  get(key, range) {
    this.#reading("read", key);
    const bytes = this.objects.get(key);
    if (!bytes) throw storeError("not-found", `cannot read ${key}: no such object`);
    if (!range) return bytes;
    const [start, end] = [Number(range.start), Number(range.end)];
    if (start >= end || end > bytes.length) {
      const reason = `the range ${start}..${end} is not within its ${bytes.length} bytes`;
      throw storeError("invalid", `cannot read ${key}: ${reason}`);
    }
    return bytes.subarray(start, end);
  }

  // Returns the objects and folders whose keys begin with a prefix, sorted by bytes.
  entries(prefix, startAfter = "") {
    this.#reading("list", prefix);
    const found = new Map();
    for (const [key, bytes] of this.objects) {
      if (!key.startsWith(prefix)) continue;
      const slash = key.indexOf("/", prefix.length);
      const folder = key.slice(0, slash + 1);
      if (slash < 0) found.set(key, { key, size: BigInt(bytes.length), kind: "object" });
      else found.set(folder, { key: folder, size: 0n, kind: "folder" });
    }
    const keys = [...found.keys()].filter((key) => compare(key, startAfter) > 0).sort(compare);
    return keys.map((key) => found.get(key));
  }

  // Deletes objects, and returns those that remain with the reason.
  delete(keys) {
    checkCount("keys to delete", keys.length);
    if (this.deletesToFail > 0) {
      this.deletesToFail -= 1;
      return keys.map((key) => ({ key, error: unavailable("delete", key, "the delete failed") }));
    }
    for (const key of keys) this.objects.delete(key);
    return [];
  }

  // Changes one byte of an object.
  damage(key) {
    const bytes = this.objects.get(key).slice();
    bytes[0] ^= 1;
    this.objects.set(key, bytes);
  }

  #reading(action, key) {
    if (this.readsToFail === 0) return;
    this.readsToFail -= 1;
    throw unavailable(action, key, "the read failed");
  }
}

// Returns the interface `object-store` over the store that a function returns.
export function storeInterface(current) {
  class PendingCreate {
    #outcome;
    constructor(outcome) {
      this.#outcome = outcome;
    }
    poll() {
      return this.#outcome;
    }
    wait() {
      if (this.#outcome.tag === "err") throw this.#outcome.val;
    }
  }

  class Listing {
    #prefix;
    #startAfter;
    #rest;
    constructor(prefix, startAfter) {
      this.#prefix = prefix;
      this.#startAfter = startAfter;
    }
    next(limit) {
      this.#rest ??= current().entries(this.#prefix, this.#startAfter);
      const objects = this.#rest.splice(0, Math.min(Math.max(limit, 1), KEYS_MAX));
      return { objects, more: this.#rest.length > 0 };
    }
  }

  class OrderedRead {
    #ranges;
    #number = 0;
    #rest;
    constructor(ranges) {
      checkCount("ranges to read", ranges.length);
      this.#ranges = ranges;
    }
    next(bytesMax) {
      const number = this.#number;
      const wanted = this.#ranges[number];
      if (!wanted) return undefined;
      try {
        this.#rest ??= current().get(wanted.key, wanted.range);
      } catch (error) {
        if (error instanceof Error) throw error;
        this.#ranges = [];
        throw { number, error };
      }
      const limit = Math.min(Math.max(bytesMax, CHUNK_BYTES_MIN), OBJECT_BYTES_MAX);
      const bytes = Bytes.ofKept(this.#rest.subarray(0, limit));
      const last = this.#rest.length <= limit;
      this.#rest = last ? undefined : this.#rest.subarray(limit);
      if (last) this.#number += 1;
      return { number, bytes, last };
    }
  }

  class Upload {
    #key;
    #parts = [];
    static start(key) {
      const upload = new Upload();
      upload.#key = key;
      return upload;
    }
    write(bytes) {
      this.#open().push(bytes.read().slice());
    }
    finish() {
      const content = new Uint8Array(Buffer.concat(this.#open()));
      this.#parts = undefined;
      current().create(this.#key, content);
    }
    #open() {
      if (this.#parts) return this.#parts;
      const reason = `the upload of ${this.#key} is already finished: start another`;
      throw { tag: "not-written", val: storeError("invalid", reason) };
    }
  }

  function create(key, bytes) {
    if (bytes.length > OBJECT_BYTES_MAX) {
      const reason = `${key} has ${bytes.length} bytes: more than one create takes, upload it`;
      throw { tag: "not-written", val: storeError("invalid", reason) };
    }
    current().create(key, bytes.slice());
  }

  return {
    PendingCreate,
    Listing,
    OrderedRead,
    Upload,
    create,
    startCreate(key, bytes) {
      try {
        create(key, bytes.read());
        return new PendingCreate({ tag: "ok" });
      } catch (error) {
        if (error instanceof Error) throw error;
        return new PendingCreate({ tag: "err", val: error });
      }
    },
    // No key is created twice.
    ensureExclusive() {},
    get: (key, range) => current().get(key, range),
    delete: (keys) => current().delete(keys),
  };
}

function checkCount(what, count) {
  if (count > KEYS_MAX) throw new RangeError(`${count} ${what} in one call, more than ${KEYS_MAX}`);
}

function compare(one, other) {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function unavailable(action, key, reason) {
  return storeError("unavailable", `cannot ${action} ${key}: ${reason}, as the test wants`);
}

// A `store-error`. It is not an `Error`: the interface throws it as data.
function storeError(kind, message) {
  return { kind, message };
}
