// Makes a component of ending.js: node build.mjs FILE [FEATURE-TO-DISABLE…]

import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { componentize } from "@bytecodealliance/componentize-js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [file, ...disableFeatures] = process.argv.slice(2);

const { component } = await componentize({
  sourcePath: here("ending.js"),
  witPath: here("../wit"),
  worldName: "command-with-exit",
  disableFeatures,
});
await writeFile(file, component);
