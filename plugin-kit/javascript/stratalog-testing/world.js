// The world of a plugin in a test: its logs, a clock, and faults of the store.

import { command, reset } from "./command-line.js";
import { appendLog, drop, setCurrent } from "./component.js";
import { ComponentError, Host, RIGHTS } from "./host.js";
import { MemoryStore } from "./memory-store.js";

const START_MS = Date.UTC(2026, 0, 1);
// The time between two ticks of the host.
const TICK_MS = 250;
const TICKS_MAX = 1000;

let current;

// The logs of one plugin, in memory. The newest world is the current one.
export class World {
  store = new MemoryStore();
  host = new Host();
  #micros = BigInt(START_MS) * 1000n;
  #random = 0n;

  constructor() {
    current = this;
    setCurrent(this);
    reset();
  }

  // Returns the world in which a plugin runs now.
  static current() {
    if (!current) throw new Error("there is no log yet: make a `new World()` first");
    return current;
  }

  // Grants a log under a label. The default is the log of that name, to append and to read. A later
  // grant under a label replaces an earlier one.
  grant(label, { rights = ["append", "read"], log = label, ...others } = {}) {
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) {
      throw new TypeError(`there is no option ${unknown}: the options are rights, log`);
    }
    if (!Array.isArray(rights)) {
      throw new TypeError(`rights is an array, as in ["read"], not ${typeof rights}`);
    }
    rights.forEach(checkRight);
    this.host.grant(label, log, new Set(rights));
  }

  // Takes a right back from the log under a label.
  deny(label, right) {
    checkRight(right);
    this.host.granted(label).rights.delete(right);
  }

  // Refuses the next calls, as if the plugin had made too many in a second.
  limitCalls(count = 1) {
    this.host.callsToLimit += checkedCount(count);
  }

  // Fails the next creates. Their objects are not written.
  failCreates(count = 1) {
    this.store.createsToFail += checkedCount(count);
  }

  // Loses the replies to the next creates. Their objects are written.
  loseReplies(count = 1) {
    this.store.repliesToLose += checkedCount(count);
  }

  // Delays the next create. Its fate is unknown, and its object appears with `deliver`.
  delayCreate() {
    this.store.createsToDelay += 1;
  }

  // Lets the delayed creates land. Returns the number of those that nothing has overtaken.
  deliver() {
    return this.store.deliver();
  }

  // Fails the next reads and listings of the plugin.
  failReads(count = 1) {
    this.store.readsToFail += checkedCount(count);
  }

  // Fails the next deletes. Their objects remain.
  failDeletes(count = 1) {
    this.store.deletesToFail += checkedCount(count);
  }

  // Changes one byte of the newest batch of a log. Returns the name of the object.
  damage(label) {
    const grant = this.host.granted(label);
    const keys = [...this.store.objects.keys()].sort();
    const newest = keys.filter((key) => key.startsWith(`${grant.log}/batch_`)).pop();
    if (!newest) throw new Error(`the log ${label} has no batch: flush one first`);
    this.store.damage(newest);
    return grant.object(newest);
  }

  // The time. Each look of the log at the clock takes a microsecond.
  get now() {
    return new Date(Number(this.#micros / 1000n));
  }

  // Moves the clock on. The host ticks meanwhile, so old buffers are written.
  advance(milliseconds) {
    if (!Number.isFinite(milliseconds) || milliseconds < 0) {
      throw new TypeError(`${milliseconds} is not a time in milliseconds: give 0 or more`);
    }
    const end = this.#micros + BigInt(Math.round(milliseconds * 1000));
    const step = BigInt(TICK_MS) * 1000n;
    for (let ticks = 0; ticks < TICKS_MAX; ticks += 1) {
      if (!this.host.tick() || this.#micros + step > end) break;
      this.#micros += step;
    }
    if (this.#micros < end) this.#micros = end;
    this.host.tick();
  }

  // Ends the plugin: the host flushes and closes the logs that it has left open. Returns the labels
  // of the logs whose events are lost, since that failed.
  end() {
    return this.host.end();
  }

  // Ends the plugin and its host, without a flush. What the store has stays.
  crash() {
    this.host.crash();
  }

  // Returns the stored events of a log as texts, as a new reader gets them. It needs no right, and
  // no fault hits it.
  events(label) {
    const reader = appendLog.read(this.host.granted(label).log, {});
    const faults = this.store.readsToFail;
    this.store.readsToFail = 0;
    const pages = [];
    try {
      for (let page = reader.next(); page; page = reader.next()) pages.push(page.lines);
    } catch (error) {
      if (!error?.payload) throw error;
      if (error.payload.tag !== "no-log") throw new ComponentError(error.payload);
    } finally {
      this.store.readsToFail = faults;
      drop(reader);
    }
    return new TextDecoder().decode(Buffer.concat(pages)).split("\n").slice(0, -1);
  }

  // The arguments of the command, without its name.
  get args() {
    return command.args;
  }

  set args(texts) {
    command.args = texts;
  }

  // What the command has printed.
  get stdout() {
    return command.stdout;
  }

  get stderr() {
    return command.stderr;
  }

  // Returns the time for the log, in microseconds since 1970.
  readClock() {
    this.#micros += 1n;
    return this.#micros;
  }

  // Returns numbers that are the same in each run, so that objects have the same names: splitmix64.
  randomNumber() {
    this.#random = BigInt.asUintN(64, this.#random + 0x9e3779b97f4a7c15n);
    let mixed = this.#random;
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n);
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
    return mixed ^ (mixed >> 31n);
  }
}

function checkRight(right) {
  if (RIGHTS.includes(right)) return;
  const known = RIGHTS.join(", ");
  throw new TypeError(`${JSON.stringify(right)} is not a right: the rights are ${known}`);
}

function checkedCount(count) {
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new TypeError(`${count} is not a number of calls: give 0 or more`);
}
