// Implements the interface `stratalog:log/host-bytes`: bytes that are passed by handle.

import { OBJECT_BYTES_MAX } from "./bounds.js";

export class Bytes {
  #pieces;
  #length;
  constructor(content) {
    this.#pieces = [content];
    this.#length = content.length;
  }

  length() {
    return BigInt(this.#length);
  }

  slice(start, end) {
    if (start > end || end > this.length()) {
      throw new RangeError(`bytes ${start} to ${end} are not in ${this.#length} host bytes`);
    }
    return new Bytes(this.#joined().subarray(Number(start), Number(end)));
  }

  append(more) {
    this.#pieces.push(...more.#pieces);
    this.#length += more.#length;
  }

  // The component summarizes faster with its vector instructions, so it does so itself.
  summarize() {
    return undefined;
  }

  lineEnd(lineFeeds) {
    let end = 0;
    for (let left = lineFeeds; left > 0n && end < this.#length; left -= 1n) {
      end = this.#joined().indexOf(10, end) + 1 || this.#length;
    }
    return BigInt(end);
  }

  read() {
    if (this.#length > OBJECT_BYTES_MAX) {
      throw new RangeError(`${this.#length} host bytes are more than the ${OBJECT_BYTES_MAX} of one read`);
    }
    return this.#joined();
  }

  #joined() {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0];
  }
}
