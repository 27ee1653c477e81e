// Builds the component: node build.mjs.

import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { componentize } from "@bytecodealliance/componentize-js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const program = here("app.js");

// Node prints the line of a syntax error. componentize-js would not.
const { status } = spawnSync(process.execPath, ["--check", program], { stdio: "inherit" });
if (status !== 0) process.exit(1);

try {
  const { component } = await componentize({
    sourcePath: program,
    witPath: here("wit"),
    worldName: "command-with-streams",
    // The host of plugins has no network.
    disableFeatures: ["fetch-event", "http"],
  });
  await writeFile(here("{{name}}.wasm"), component);
} catch (error) {
  console.error(`error: cannot make a component of ${program}: ${error.message}`);
  process.exit(1);
}
