// Builds the component: node build.mjs [FILE]. FILE is below the repository's target/ by default.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { componentize } from "@bytecodealliance/componentize-js";

import { withWit } from "../gather-wit.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const file = process.argv[2] ?? here("../../../target/plugins/journal-javascript.wasm");

const { component } = await withWit((witPath) => componentize({
  sourcePath: here("journal.js"),
  witPath,
  worldName: "command-with-streams",
  // The standard streams remain.
  disableFeatures: ["clocks", "fetch-event", "http", "random"],
}));
await mkdir(dirname(file), { recursive: true });
await writeFile(file, component);
