// The interface `stratalog:log/append-log`, over the logs of the current world. The WIT is its
// manual.

import { appendLog, drop } from "./component.js";
import { World } from "./world.js";

const DISPOSE = Symbol.dispose ?? Symbol.for("dispose");

// A handle that has no events to lose: a reader or a verifier.
class Handle {
  constructor(host, grant, own) {
    Object.assign(this, { host, grant, own });
  }

  call(call, work, isCommit = false) {
    this.host.admit(this.grant.label, call);
    return this.host.run(this.grant, () => work(this.own), isCommit);
  }

  [DISPOSE]() {
    drop(this.own);
  }
}

export class Reader {
  #handle;
  constructor(handle) {
    this.#handle = handle;
  }

  next() {
    return this.#handle.call("reader.next", (reader) => reader.next());
  }

  position() {
    return this.#orNone("reader.position", undefined, (reader) => reader.position());
  }

  batches() {
    return this.#orNone("reader.batches", [], (reader) => reader.batches());
  }

  positions(first) {
    return this.#orNone("reader.positions", undefined, (reader) => reader.positions(first));
  }

  commit(position) {
    this.#handle.call("reader.commit", (reader) => reader.commit(position), true);
  }

  // These calls have no error of their own.
  #orNone(call, none, work) {
    try {
      return this.#handle.call(call, work);
    } catch (error) {
      if (error?.payload?.tag !== "denied") throw error;
      return none;
    }
  }

  [DISPOSE]() {
    this.#handle[DISPOSE]();
  }
}

export class Verifier {
  #handle;
  constructor(handle) {
    this.#handle = handle;
  }

  next() {
    const progress = this.#handle.call("verifier.next", (verifier) => verifier.next());
    for (const { val } of progress?.findings ?? []) {
      val.object = this.#handle.grant.object(val.object);
      if (val.before !== undefined) val.before = this.#handle.grant.object(val.before);
    }
    return progress;
  }

  [DISPOSE]() {
    this.#handle[DISPOSE]();
  }
}

export class Log {
  #host;
  #log;
  constructor(host, log) {
    this.#host = host;
    this.#log = log;
  }

  static open(label, options) {
    const [host, grant] = admitted(label, "log.open");
    const handle = host.run(grant, () => appendLog.Log.open(grant.log, options));
    const log = { grant, handle, isClosed: false, isGone: false };
    host.openLogs.add(log);
    return new Log(host, log);
  }

  append(event) {
    this.#call("log.append", (handle) => handle.append(event));
  }

  appendLines(lines) {
    return this.#call("log.append-lines", (handle) => handle.appendLines(lines));
  }

  flush() {
    return this.#call("log.flush", (handle) => handle.flush());
  }

  tick() {
    return this.#orNone("log.tick", false, (handle) => handle.tick());
  }

  pending() {
    const none = { writer: 0n, lastTime: 0n, sealed: [], lines: new Uint8Array() };
    return this.#orNone("log.pending", none, (handle) => handle.pending());
  }

  readAll() {
    const reader = this.#call("log.read-all", (handle) => handle.readAll());
    return new Reader(new Handle(this.#host, this.#log.grant, reader));
  }

  compact(options) {
    const done = this.#call("log.compact", (handle) => handle.compact(options));
    return labelled(this.#log.grant, done);
  }

  fileCount() {
    return this.#call("log.file-count", (handle) => handle.fileCount());
  }

  close() {
    const written = this.#call("log.close", (handle) => handle.close());
    this.#log.isClosed = true;
    return written;
  }

  [DISPOSE]() {
    this.#host.drop(this.#log);
  }

  #call(call, work) {
    const { grant, handle, isGone } = this.#log;
    if (isGone) {
      const used = `a handle of the log ${grant.label} is used after its plugin has ended`;
      throw new Error(`${used}: open the log again`);
    }
    this.#host.admit(grant.label, call);
    return this.#host.run(grant, () => work(handle));
  }

  // These calls have no error of their own.
  #orNone(call, none, work) {
    try {
      return this.#call(call, work);
    } catch (error) {
      if (!error?.payload) throw error;
      return none;
    }
  }
}

export function read(label, options) {
  return reader("read", label, (log) => appendLog.read(log, options));
}

export function readNamed(label, position, options) {
  return reader("read-named", label, (log) => appendLog.readNamed(log, position, options));
}

export function namedPositions(label) {
  return run("named-positions", label, (log) => appendLog.namedPositions(log));
}

export function forgetPosition(label, position) {
  return run("forget-position", label, (log) => appendLog.forgetPosition(log, position), true);
}

export function compact(label, options) {
  const [host, grant] = admitted(label, "compact");
  return labelled(grant, host.run(grant, () => appendLog.compact(grant.log, options)));
}

export function planCompaction(label, options) {
  return run("plan-compaction", label, (log) => appendLog.planCompaction(log, options));
}

export function trim(label, until, options) {
  return run("trim", label, (log) => appendLog.trim(log, until, options));
}

export function planTrim(label, until, options) {
  return run("plan-trim", label, (log) => appendLog.planTrim(log, until, options));
}

export function verify(label) {
  const [host, grant] = admitted(label, "verify");
  return new Verifier(new Handle(host, grant, host.run(grant, () => appendLog.verify(grant.log))));
}

export function stat(label) {
  return run("stat", label, (log) => appendLog.stat(log));
}

function admitted(label, call) {
  const { host } = World.current();
  return [host, host.admit(label, call)];
}

function run(call, label, work, isCommit = false) {
  const [host, grant] = admitted(label, call);
  return host.run(grant, () => work(grant.log), isCommit);
}

function reader(call, label, work) {
  const [host, grant] = admitted(label, call);
  return new Reader(new Handle(host, grant, host.run(grant, () => work(grant.log))));
}

function labelled(grant, done) {
  return done.newKey === undefined ? done : { ...done, newKey: grant.object(done.newKey) };
}
