// Appends the lines of a stream to a log, packed. They are durable in about a second, and at the
// end.

import { text } from "./log-error.js";

const LF = 10;
const TICK_MS = 250;
// Twice the size of the largest event.
const LINE_BYTES_MAX = 2 * 1024 * 1024;

// Appends every line of the stream, flushes, closes, and returns the number written. Stops before a
// line that is not an event: the lines before it are flushed, and the error names the line, from 1.
export async function appendStdin(log, stream) {
  // Runs between chunks. A failed create stays pending and fails the next append or flush.
  const ticks = setInterval(() => log.tick(), TICK_MS);
  let lines = 0n;
  try {
    for await (const packed of wholeLines(stream)) lines += appendPacked(log, packed, lines);
  } finally {
    clearInterval(ticks);
    log.flush();
  }
  return log.close();
}

function appendPacked(log, packed, before) {
  try {
    return log.appendLines(packed);
  } catch (error) {
    const { tag, val } = error.payload ?? {};
    if (tag !== "invalid-event") throw error;
    // The call appended nothing.
    const good = firstLines(packed, val.line);
    if (good.length > 0) log.appendLines(good);
    throw new Error(`line ${before + val.line + 1n} of stdin: ${text(error)}`);
  }
}

// Yields chunks of the stream that end with a line. A missing final LF is added.
async function* wholeLines(stream) {
  let rest = [];
  let restBytes = 0;
  for await (const chunk of stream) {
    const end = chunk.lastIndexOf(LF) + 1;
    if (end > 0) {
      yield Buffer.concat([...rest, chunk.subarray(0, end)]);
      rest = [];
      restBytes = 0;
    }
    if (end < chunk.length) rest.push(chunk.subarray(end));
    restBytes += chunk.length - end;
    // No event is that long, so the log reports the error.
    if (restBytes > LINE_BYTES_MAX) break;
  }
  if (rest.length > 0) yield Buffer.concat([...rest, Buffer.of(LF)]);
}

function firstLines(packed, count) {
  let end = 0;
  for (let line = 0n; line < count; line += 1n) end = packed.indexOf(LF, end) + 1;
  return packed.subarray(0, end);
}
