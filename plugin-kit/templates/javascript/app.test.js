// Tests the program: `npm test` runs this.
// @ts-check

import assert from "node:assert/strict";
import { test } from "node:test";

import { run } from "./app.js";
import { World } from "./stratalog-testing/index.js";

test("text is stored once though the reply is lost", () => {
  const world = new World();
  world.grant("journal");
  world.args = ["hello"];
  world.loseReplies();
  assert.throws(() => run.run());
  assert.match(world.stderr, /may be stored/);
  // The host flushes what the plugin leaves open.
  world.end();
  assert.deepEqual(world.events("journal"), ['{"text":"hello"}']);
});
