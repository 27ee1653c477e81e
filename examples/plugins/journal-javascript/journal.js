// Reads the lines of an access log from stdin and journals the server errors (status 500 and above)
// to the log `errors`. Prints their number in the log. This is a plugin: see
// examples/plugins/README.md.

import { Log } from "stratalog:log/append-log@0.1.0";
import { getStderr } from "wasi:cli/stderr@0.2.0";
import { getStdin } from "wasi:cli/stdin@0.2.0";
import { getStdout } from "wasi:cli/stdout@0.2.0";

import { parse } from "./access-line.js";
import { linesOf } from "./lines.js";
import { Summary } from "./summary.js";

// The label of the granted log.
const LABEL = "errors";
// A longer line is not understood. This bounds memory.
const LINE_BYTES_MAX = 64 * 1024;
// The most bytes that a stream accepts in one call.
const WRITE_BYTES_MAX = 4096;

// The reason why the job failed, in one line.
class Failure extends Error {}

export const run = {
  run() {
    try {
      write("stdout", getStdout(), keepJournal().toString());
    } catch (error) {
      const reason = error instanceof Failure ? error.message : `${error}\n${error.stack}`;
      write("stderr", getStderr(), `error: ${reason}\n`);
      // The way for a command to report failure.
      throw undefined;
    }
  },
};

// Journals the errors among the lines, then counts all errors in the log.
function keepJournal() {
  const summary = new Summary();
  const log = attempt("open", () => Log.open(LABEL, {}));
  for (const line of stdinLines()) {
    summary.lines += 1;
    const access = line && parse(line);
    if (!access) {
      summary.notUnderstood += 1;
    } else if (access.status >= 500) {
      const event = new TextEncoder().encode(JSON.stringify(access));
      attempt("append to", () => log.append(event));
      summary.journalled += 1;
    }
  }
  attempt("flush", () => log.flush());

  const reader = attempt("read", () => log.readAll());
  let page;
  while ((page = attempt("read", () => reader.next()))) summary.count(page.lines);
  attempt("close", () => log.close());
  return summary;
}

function* stdinLines() {
  try {
    yield* linesOf(getStdin(), LINE_BYTES_MAX);
  } catch (error) {
    if (!error.payload) throw error;
    throw new Failure(`cannot read stdin: ${error.payload.val.toDebugString()}`);
  }
}

function write(name, stream, text) {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += WRITE_BYTES_MAX) {
    try {
      stream.blockingWriteAndFlush(bytes.subarray(at, at + WRITE_BYTES_MAX));
    } catch (error) {
      const { tag, val } = error.payload;
      const reason = tag === "closed" ? tag : val.toDebugString();
      throw new Failure(`cannot write to ${name}: ${reason}`);
    }
  }
}

// Calls the log, and turns its error into a failure.
function attempt(action, call) {
  try {
    return call();
  } catch (error) {
    if (!error.payload) throw error;
    throw new Failure(`cannot ${action} the log ${LABEL}: ${text(error.payload)}`);
  }
}

// Formats the case of an error and its payload.
function text({ tag, val }) {
  switch (tag) {
    case "invalid-event":
      return `${tag}: line ${val.line}: ${fault(val.fault)}`;
    case "write-failed":
      return `${tag}: ${val.object} (${val.fate}, ${val.eventsPending} events pending): ${val.message}`;
    case "store-failed":
      return `${tag}: ${val.message}`;
    case "damaged":
      return `${tag}: ${val.object}: expected ${val.expected}, found ${val.found}`;
    case "no-log":
      return `${tag}: ${val.name}`;
    case "closed":
      return tag;
    default:
      return `${tag}: ${val}`;
  }
}

function fault({ tag, val }) {
  return tag === "too-long" ? `${val.bytes} bytes, at most ${val.bytesMax}` : tag;
}
