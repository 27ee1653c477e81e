// Makes the component: node build.mjs [FILE], by default journal.wasm beside this file.

import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { componentize } from "@bytecodealliance/componentize-js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const file = process.argv[2] ?? here("journal.wasm");

const { component } = await componentize({
  sourcePath: here("journal.js"),
  witPath: here("../wit"),
  worldName: "command-with-streams",
  // What is left is the standard streams.
  disableFeatures: ["clocks", "fetch-event", "http", "random"],
});
await writeFile(file, component);
