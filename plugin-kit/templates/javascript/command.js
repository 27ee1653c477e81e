// The arguments of the command and its streams, which JavaScript has no functions for.

import { getArguments } from "wasi:cli/environment@0.2.0";
import { getStderr } from "wasi:cli/stderr@0.2.0";
import { getStdout } from "wasi:cli/stdout@0.2.0";

// The most bytes that a stream takes in one call.
const WRITE_BYTES_MAX = 4096;

// Returns the arguments without the name of the command.
export function texts() {
  return getArguments().slice(1);
}

export function print(text) {
  write(getStdout(), text);
}

export function printError(text) {
  write(getStderr(), text);
}

function write(stream, text) {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += WRITE_BYTES_MAX) {
    stream.blockingWriteAndFlush(bytes.subarray(at, at + WRITE_BYTES_MAX));
  }
}
