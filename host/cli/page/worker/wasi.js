// Provides the imports from WASI that the component's runtime has: a clock, randomness, and
// standard streams that lead nowhere. No file, network or environment.

import { Bytes } from "./host-bytes.js";

const MESSAGE_CHARACTERS_MAX = 1024;

class Resource {}
class Pollable extends Resource {
  ready() {
    return true;
  }
  block() {}
}
class StreamError extends Resource {
  toDebugString() {
    return "the stream is closed";
  }
}
class InputStream extends Resource {
  read() {
    throw { tag: "closed" };
  }
  blockingRead() {
    throw { tag: "closed" };
  }
  subscribe() {
    return new Pollable();
  }
}
// Takes what a panic of the component prints.
class OutputStream extends Resource {
  checkWrite() {
    return 4096n;
  }
  write(bytes) {
    console.error(new TextDecoder().decode(bytes));
  }
  blockingWriteAndFlush(bytes) {
    this.write(bytes);
  }
  flush() {}
  blockingFlush() {}
  subscribe() {
    return new Pollable();
  }
}

// Returns the imports of the component, by name.
export function imports(store) {
  const output = new OutputStream();
  return {
    "stratalog:log/host-bytes": { Bytes },
    "stratalog:log/object-store": store,
    "wasi:cli/environment": { getEnvironment: () => [], getArguments: () => [] },
    "wasi:cli/exit": {
      exit() {
        throw new Error("the component has ended itself");
      },
    },
    "wasi:cli/stdin": { getStdin: () => new InputStream() },
    "wasi:cli/stdout": { getStdout: () => output },
    "wasi:cli/stderr": { getStderr: () => output },
    "wasi:cli/terminal-input": { TerminalInput: class extends Resource {} },
    "wasi:cli/terminal-output": { TerminalOutput: class extends Resource {} },
    "wasi:cli/terminal-stdin": { getTerminalStdin: () => undefined },
    "wasi:cli/terminal-stdout": { getTerminalStdout: () => undefined },
    "wasi:cli/terminal-stderr": { getTerminalStderr: () => undefined },
    "wasi:clocks/wall-clock": { now, resolution: () => ({ seconds: 0n, nanoseconds: 1_000_000 }) },
    "wasi:io/error": { Error: StreamError },
    "wasi:io/poll": { Pollable, poll: (pollables) => pollables.map((_, index) => index) },
    "wasi:io/streams": { InputStream, OutputStream },
    "wasi:logging/logging": { log },
    "wasi:random/random": { getRandomU64, getRandomBytes },
    "wasi:random/insecure-seed": { insecureSeed: () => [getRandomU64(), getRandomU64()] },
  };
}

function now() {
  const milliseconds = Date.now();
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds: BigInt(seconds), nanoseconds: (milliseconds - seconds * 1000) * 1_000_000 };
}

function getRandomU64() {
  return crypto.getRandomValues(new BigUint64Array(1))[0];
}

function getRandomBytes(length) {
  return crypto.getRandomValues(new Uint8Array(Number(length)));
}

function log(level, context, message) {
  const shown = `${level}: ${context}: ${message}`.slice(0, MESSAGE_CHARACTERS_MAX);
  console.warn(shown);
}
