// Reads the lines of a stream, in bounded memory.

const LF = 10;
const CHUNK_BYTES = 65_536n;

// Yields each line of a `wasi:io` input stream as bytes without its line ending (LF or CRLF).
// Yields null for a line of more than `bytesMax` bytes.
export function* linesOf(stream, bytesMax) {
  let line = { parts: [], length: 0 };
  const add = (bytes) => {
    // Bytes over the limit are only counted.
    if (line.length <= bytesMax) line.parts.push(bytes);
    line.length += bytes.length;
  };
  for (const chunk of chunks(stream)) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      add(chunk.subarray(start, end));
      yield whole(line, bytesMax);
      line = { parts: [], length: 0 };
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  if (line.length > 0) yield whole(line, bytesMax);
}

function* chunks(stream) {
  for (;;) {
    try {
      yield stream.blockingRead(CHUNK_BYTES);
    } catch (error) {
      if (error.payload?.tag === "closed") return;
      throw error;
    }
  }
}

function whole(line, bytesMax) {
  if (line.length > bytesMax) return null;
  const bytes = new Uint8Array(line.length);
  let at = 0;
  for (const part of line.parts) {
    bytes.set(part, at);
    at += part.length;
  }
  const isCrlf = bytes.at(-1) === 13;
  return isCrlf ? bytes.subarray(0, -1) : bytes;
}
