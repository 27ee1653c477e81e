// Makes the browser collect what it has received.
//
// Chromium keeps what a request has received until the next collection, and does not count it: the
// answers for a large log grow without bound, whatever the page drops. An empty buffer counts with
// its whole length, and takes no memory while nothing is written to it. Enough of them begin a
// collection. They are held until the last one is made: a buffer that is dropped sooner is freed
// alone, and the rest is not collected.

import { MIB } from "./bounds.js";

const RECEIVED_BYTES = 8 * MIB;
const COUNTED_BYTES = 256 * MIB;
const BUFFERS = 4;

let received = 0;

// Counts bytes that were received, and has them collected when there are many.
export function countReceived(bytes) {
  received += bytes;
  if (received < RECEIVED_BYTES) return;
  received = 0;
  const held = [];
  try {
    while (held.length < BUFFERS) held.push(new ArrayBuffer(COUNTED_BYTES));
  } catch (error) {
    // Where memory is so scarce, the browser collects by itself.
    if (!(error instanceof RangeError)) throw error;
  }
}
