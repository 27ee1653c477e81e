// Runs the program next to this file in the test kit, and keeps what it prints.

import { writeFileSync } from "node:fs";
import { test } from "node:test";

import { run } from "./own.js";
import { World } from "./stratalog-testing/index.js";

test("own", () => {
  const world = new World();
  for (const label of ["journal", "other"]) world.grant(label);
  run.run();
  writeFileSync("said", world.stdout);
});
