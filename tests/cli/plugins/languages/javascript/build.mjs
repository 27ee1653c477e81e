// Makes a component of ending.js: node build.mjs FILE [FEATURE-TO-DISABLE…]. Runs in a copy of this
// folder next to examples/plugins/gather-wit.mjs.

import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { componentize } from "@bytecodealliance/componentize-js";

import { withWit } from "../gather-wit.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [file, ...disableFeatures] = process.argv.slice(2);

const { component } = await withWit((witPath) => componentize({
  sourcePath: here("ending.js"),
  witPath,
  worldName: "command-with-exit",
  disableFeatures,
}));
await writeFile(file, component);
