// Runs the scenarios of all test kits. Runs in a project of `plugin new`, next to scenarios.json.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { compact, trim, verify } from "stratalog:log/append-log@0.1.0";

import { Log, read } from "./stratalog-plugin.js";
import { RIGHTS, World } from "./stratalog-testing/index.js";

const SCENARIOS = JSON.parse(readFileSync("scenarios.json", "utf8"));

for (const { name, steps } of SCENARIOS) {
  test(name, () => {
    const world = new World();
    const actions = actionsIn(world, grantAll(world, steps));
    for (const step of steps) {
      const outcome = outcomeOf(() => actions[Object.keys(step)[0]](step));
      const { expect, error } = step;
      if (error !== undefined || outcome.error) assert.deepEqual(outcome, { error }, explain(step));
      else if (expect !== undefined) assert.deepEqual(outcome, { expect }, explain(step));
    }
    world.end();
  });
}

const explain = (step) => JSON.stringify(step);

function grantAll(world, steps) {
  const actions = ["open", "read", "read-named", "compact", "trim", "verify"];
  const labels = steps.flatMap((step) => actions.map((action) => step[action]));
  const granted = new Set(labels.filter(Boolean));
  for (const label of granted) world.grant(label, { rights: RIGHTS });
  return granted;
}

function outcomeOf(call) {
  try {
    return { expect: call() };
  } catch (error) {
    const cause = error.cause ?? error.payload;
    if (!cause) throw error;
    return { error: cause.tag };
  }
}

function actionsIn(world, granted) {
  let log;
  return {
    open({ open, options = {} }) {
      log = Log.open(open, camelCased(options));
    },
    append: ({ append }) => log.append(append),
    "append-lines": (step) => Number(log.appendLines(step["append-lines"])),
    flush: () => Number(log.flush().events),
    close: () => Number(log.close().events),
    // JavaScript drops nothing by itself: the host does, when the plugin ends.
    drop: () => world.end(),
    read(step) {
      if (!("start-after" in step)) return texts(read(step.read));
      const before = read(step.read);
      assert.equal(texts(before, step["start-after"]).length, step["start-after"]);
      return texts(read(step.read, { start: before.position() }));
    },
    "read-named"(step) {
      const events = read(step["read-named"], { name: step.name });
      const found = texts(events, step.events);
      if (step.commit) events.commit();
      return found;
    },
    compact: (step) => compact(step.compact, { full: false }) && undefined,
    trim(step) {
      const until = { tag: "keep-events", val: BigInt(step["keep-events"]) };
      trim(step.trim, until, { lazy: false, keepUnread: false });
    },
    verify(step) {
      const verifier = verify(step.verify);
      const damaged = ({ findings }) => findings.filter(({ tag }) => tag === "damaged").length;
      let found = 0;
      for (let it = verifier.next(); it; it = verifier.next()) found += damaged(it);
      return found;
    },
    "fail-creates": (step) => world.failCreates(step["fail-creates"]),
    "lose-replies": (step) => world.loseReplies(step["lose-replies"]),
    "delay-create": () => world.delayCreate(),
    deliver: () => world.deliver(),
    "fail-reads": (step) => world.failReads(step["fail-reads"]),
    "fail-deletes": (step) => world.failDeletes(step["fail-deletes"]),
    damage: (step) => world.damage(step.damage),
    deny: (step) => granted.forEach((label) => world.deny(label, step.deny)),
    "advance-ms": (step) => world.advance(step["advance-ms"]),
    crash: () => world.crash(),
  };
}

function camelCased(options) {
  const camel = (name) => name.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [camel(name), value]));
}

// Returns the texts of the next events, at most this many.
function texts(events, most = Infinity) {
  const found = [];
  while (found.length < most) {
    const { done, value } = events.next();
    if (done) break;
    found.push(value.text);
  }
  return found;
}
