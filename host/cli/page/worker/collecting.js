// Makes the browser collect what it has received.
//
// Chromium keeps what a request has received until the next collection, and does not count it: the
// answers for a large log grow without bound, whatever the page drops. An empty buffer counts with
// its whole length, and takes no memory while nothing is written to it. Enough of them begin a
// collection.

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
  for (let made = 0; made < BUFFERS; made += 1) countBuffer();
}

function countBuffer() {
  try {
    return new ArrayBuffer(COUNTED_BYTES).byteLength;
  } catch (error) {
    // Where memory is so scarce, the browser collects by itself.
    if (!(error instanceof RangeError)) throw error;
    return 0;
  }
}
