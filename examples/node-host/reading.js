// Reads objects: one object or a range of it, and many in order.

import { closeSync, readSync } from "node:fs";

import { CHUNK_BYTES_MIN, OBJECT_BYTES_MAX, checkCount } from "./bounds.js";
import { Bytes } from "./host-bytes.js";
import { openObject } from "./places.js";
import { fromSystem, storeError } from "./store-error.js";

// Reads an object or a range of it.
export class ObjectRead {
  #file;
  #at;
  #end;

  constructor(root, key, range) {
    const { file, size } = openObject(root, key);
    this.#file = file;
    try {
      const { start, end } = range ?? { start: 0n, end: size };
      if (range && (start >= end || end > size)) {
        const reason = `the range ${start}..${end} is not within its ${size} bytes`;
        throw storeError("invalid", `cannot read ${key}: ${reason}`);
      }
      [this.#at, this.#end] = [Number(start), Number(end)];
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get length() {
    return this.#end - this.#at;
  }

  isAtEnd() {
    return this.length === 0;
  }

  read(bytesMax) {
    const bytes = new Uint8Array(Math.min(bytesMax, this.length));
    for (let got = 0; got < bytes.length; ) {
      const more = readSync(this.#file, bytes, got, bytes.length - got, this.#at);
      if (more === 0) throw storeError("other", "the file became shorter while it was read");
      got += more;
      this.#at += more;
    }
    return bytes;
  }

  close() {
    closeSync(this.#file);
  }
}

// Returns the resource `ordered-read` over the folder `root`.
export function orderedReads(root) {
  return class OrderedRead {
    #ranges;
    #next = 0;
    #open;
    constructor(ranges) {
      checkCount("ranges to read", ranges.length);
      this.#ranges = ranges;
    }
    next(bytesMax) {
      const number = this.#next;
      const wanted = this.#ranges[number];
      if (!wanted) return undefined;
      try {
        this.#open ??= new ObjectRead(root, wanted.key, wanted.range);
        const limit = Math.min(Math.max(bytesMax, CHUNK_BYTES_MIN), OBJECT_BYTES_MAX);
        const bytes = new Bytes(this.#open.read(limit));
        const last = this.#open.isAtEnd();
        if (last) this.#close();
        this.#next += last ? 1 : 0;
        return { number, bytes, last };
      } catch (error) {
        this.#close();
        this.#ranges = [];
        throw { number, error: fromSystem("read", wanted.key, error) };
      }
    }
    #close() {
      this.#open?.close();
      this.#open = undefined;
    }
    [Symbol.dispose]() {
      this.#close();
    }
  };
}
