// Implements the interface `stratalog:log/host-bytes`: bytes that are passed by handle, so that
// events do not pass through the component.
//
// Invariants:
// 1. Memory is free when the last handle to it is dropped, not when the collector comes around: a
//    large log would fill it until then.
// 2. Pieces that share memory count as its users.

import { OBJECT_BYTES_MAX } from "./bounds.js";

const LINE_FEED = 10;

// Memory with a number of users. The last one that leaves frees it.
class Shared {
  #buffer;
  #users = 1;
  constructor(buffer) {
    this.#buffer = buffer;
  }

  join() {
    this.#users += 1;
    return this;
  }

  leave() {
    this.#users -= 1;
    // Without this function, the collector frees it.
    if (this.#users === 0) this.#buffer.transfer?.(0);
  }
}

export class Bytes {
  // Views, each with its memory; none if that is kept elsewhere.
  #pieces;
  #length;

  constructor(content) {
    this.#pieces = [{ view: content, shared: new Shared(content.buffer) }];
    this.#length = content.length;
  }

  // Makes bytes of memory that is kept, and so not freed.
  static ofKept(view) {
    return Bytes.#of([{ view }]);
  }

  static #of(pieces) {
    const made = new Bytes(new Uint8Array());
    made.#pieces = pieces;
    made.#length = pieces.reduce((sum, { view }) => sum + view.length, 0);
    return made;
  }

  length() {
    return BigInt(this.#length);
  }

  slice(start, end) {
    if (start > end || end > this.length()) {
      throw new RangeError(`bytes ${start} to ${end} are not in ${this.#length} host bytes`);
    }
    const { view, shared } = this.#joined();
    return Bytes.#of([{ view: view.subarray(Number(start), Number(end)), shared: shared?.join() }]);
  }

  // Takes over the other bytes.
  append(more) {
    this.#pieces.push(...more.#pieces);
    this.#length += more.#length;
    more.#pieces = [];
    more.#length = 0;
  }

  // The component summarizes faster with its vector instructions, so it does so itself.
  summarize() {
    return undefined;
  }

  lineEnd(lineFeeds) {
    let end = 0;
    for (let left = lineFeeds; left > 0n && end < this.#length; left -= 1n) {
      end = this.#joined().view.indexOf(LINE_FEED, end) + 1 || this.#length;
    }
    return BigInt(end);
  }

  // Returns a view that is valid until the bytes are dropped: the caller copies it.
  read() {
    if (this.#length > OBJECT_BYTES_MAX) {
      const most = OBJECT_BYTES_MAX;
      throw new RangeError(`${this.#length} host bytes are more than the ${most} of one read`);
    }
    return this.#joined().view;
  }

  [Symbol.dispose ?? Symbol.for("dispose")]() {
    for (const { shared } of this.#pieces) shared?.leave();
    this.#pieces = [];
    this.#length = 0;
  }

  #joined() {
    if (this.#pieces.length !== 1) {
      const view = new Uint8Array(this.#length);
      let at = 0;
      for (const { view: piece, shared } of this.#pieces) {
        view.set(piece, at);
        at += piece.length;
        shared?.leave();
      }
      this.#pieces = [{ view, shared: new Shared(view.buffer) }];
    }
    return this.#pieces[0];
  }
}

// Drops a resource of the component or of the host before the collector does.
export function drop(resource) {
  resource[Symbol.dispose ?? Symbol.for("dispose")]?.();
}
