// Does what a host of plugins adds to the logic: labels, rights, and errors without secrets.
//
// Invariants:
// 1. Each call is admitted before it has an effect: its label is granted, and the right is there.
// 2. A plugin gets labels, kinds and numbers. The cause of a failure goes to stderr.
// 3. A handle that the plugin drops is flushed and closed, as `stratalog run` does.

import { drop } from "./component.js";

export const RIGHTS = ["append", "read", "compact", "trim", "commit"];

// Each call, by its name in the interface, with the right that it needs.
const NEEDED = {
  "log.open": "append",
  "log.append": "append",
  "log.append-lines": "append",
  "log.flush": "append",
  "log.tick": "append",
  "log.pending": "append",
  "log.read-all": "read",
  "log.compact": "compact",
  "log.file-count": "read",
  "log.close": "append",
  read: "read",
  "reader.next": "read",
  "reader.position": "read",
  "reader.batches": "read",
  "reader.positions": "read",
  "reader.commit": "commit",
  "read-named": "read",
  "named-positions": "read",
  "forget-position": "commit",
  compact: "compact",
  "plan-compaction": "read",
  "plan-trim": "read",
  trim: "trim",
  verify: "read",
  "verifier.next": "read",
  stat: "read",
};
const LABEL = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/;
const SHOWN_CHARACTERS_MAX = 40;

// An error of the interface, as a plugin catches it.
export class ComponentError extends Error {
  constructor(payload) {
    super(`${payload.tag}: ${textOf(payload)}`);
    this.name = "ComponentError";
    this.payload = payload;
  }
}

// The log behind a label, and the rights on it.
class Grant {
  constructor(label, log, rights) {
    Object.assign(this, { label, log, rights });
  }

  // Returns an object of the log as the plugin may know it.
  object(key) {
    const start = `${this.log}/`;
    return key.startsWith(start) ? `${this.label}/${key.slice(start.length)}` : this.label;
  }
}

// The granted logs of one plugin, and its open handles.
export class Host {
  grants = new Map();
  // Handles of writers, each with its grant, and whether it was closed or its plugin has ended.
  openLogs = new Set();
  callsToLimit = 0;
  // The labels of the logs whose handles were dropped and could not be flushed.
  #lost = [];

  // Grants a log. A later grant replaces one under the same label.
  grant(label, log, rights) {
    if (!LABEL.test(label)) {
      const needed = "use 1 to 64 letters, digits, - _ or .";
      throw new TypeError(`${shown(label)} is not a label for a log: ${needed}`);
    }
    this.grants.set(label, new Grant(label, log, rights));
  }

  // Returns the grant behind a label, which the test has made.
  granted(label) {
    const grant = this.grants.get(label);
    if (!grant) throw new TypeError(`no log is granted under the label ${shown(label)}: grant one`);
    return grant;
  }

  // Returns the grant behind a label, or throws the refusal of a call.
  admit(label, call) {
    const grant = this.grants.get(label);
    if (!grant) {
      const known = [...this.grants.keys()].sort().join(", ") || "none";
      const message = `no log is granted under the label ${shown(label)}; granted: ${known}`;
      throw new ComponentError({ tag: "denied", val: message });
    }
    const needed = NEEDED[call];
    if (grant.rights.has(needed)) return this.#withinLimits(grant, call);
    const rights = RIGHTS.filter((right) => grant.rights.has(right)).join(",") || "nothing";
    const message = `${call} on the log ${label} needs the right to ${needed}; granted: ${rights}`;
    throw new ComponentError({ tag: "denied", val: message });
  }

  #withinLimits(grant, call) {
    if (this.callsToLimit === 0) return grant;
    this.callsToLimit -= 1;
    const limit = "calls_per_second = 1,000,000 is reached; raise it with --calls-per-second";
    const val = `${call} on the log ${grant.label}: ${limit}`;
    throw new ComponentError({ tag: "limit-reached", val });
  }

  // Makes a call, and converts its error for the plugin.
  run(grant, work, isCommit = false) {
    try {
      return work();
    } catch (error) {
      if (!error?.payload) throw error;
      throw new ComponentError(refused(grant, error.payload, isCommit));
    }
  }

  // Runs the maintenance of all open logs; returns true if anything is pending.
  tick() {
    const open = [...this.openLogs].filter((log) => !log.isClosed);
    return open.map((log) => log.handle.tick()).some(Boolean);
  }

  // Flushes and closes a handle that the plugin has dropped. A host closes it as it is dropped and,
  // if that fails, once more.
  drop(log, attempts = 2) {
    if (!this.openLogs.delete(log)) return;
    try {
      if (!log.isClosed) closeWithin(attempts, log.handle);
    } catch (error) {
      if (!error?.payload) throw error;
      const cause = textOf(error.payload);
      console.error(`error: events of the log ${log.grant.label} are lost: ${cause}`);
      this.#lost.push(log.grant.label);
    }
    drop(log.handle);
  }

  // Flushes and closes what the plugin has left open. Returns the labels of lost events.
  end() {
    for (const log of [...this.openLogs]) {
      this.drop(log, 1);
      log.isGone = true;
    }
    return this.#lost.splice(0);
  }

  // Drops each handle without a flush.
  crash() {
    for (const log of this.openLogs) {
      log.isGone = true;
      drop(log.handle);
    }
    this.openLogs.clear();
  }
}

// Returns an error as the plugin gets it.
function refused(grant, { tag, val }, isCommit) {
  const { label } = grant;
  if (["invalid-input", "invalid-event", "closed"].includes(tag)) return { tag, val };
  if (tag === "no-log") return { tag, val: { name: label, below: [], more: false } };
  console.error(`warn: the log ${label}: ${textOf({ tag, val })}`);
  switch (tag) {
    case "write-failed": {
      const store = `the store of the log ${label}`;
      const message = `${store} did not confirm a write: see the host's messages`;
      return { tag, val: { ...val, object: grant.object(val.object), message } };
    }
    case "store-failed": {
      const message = `the store of the log ${label} did not answer: see the host's messages`;
      return { tag, val: { ...val, message } };
    }
    case "damaged":
      return { tag, val: { ...val, object: grant.object(val.object) } };
    case "conflict":
      return { tag, val: conflict(label, isCommit) };
    case "unsupported": {
      const refusal = "or this host, does not support this call: ask the operator";
      return { tag, val: `the store of the log ${label}, ${refusal}` };
    }
    default:
      return { tag, val };
  }
}

function conflict(label, isCommit) {
  const again = "has committed under this name; open the log under it again";
  const none = "other compactors committed first; no action is needed";
  return isCommit
    ? `another reader of the log ${label} ${again}`
    : `cannot compact the log ${label}: ${none}`;
}

function closeWithin(attempts, handle) {
  try {
    handle.close();
  } catch (error) {
    if (attempts === 1 || !error?.payload) throw error;
    closeWithin(attempts - 1, handle);
  }
}

function textOf({ tag, val }) {
  if (tag === "damaged") {
    return `${val.object} is damaged: expected ${val.expected}, found ${val.found}`;
  }
  return val?.message ?? (typeof val === "string" ? val : tag);
}

// Returns a text of the plugin, cut to a limit.
function shown(text) {
  const characters = [...text];
  const short = characters.slice(0, SHOWN_CHARACTERS_MAX).join("");
  return JSON.stringify(short + (characters.length > SHOWN_CHARACTERS_MAX ? "…" : ""));
}
