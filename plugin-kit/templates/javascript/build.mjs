// Builds the component: node build.mjs.

import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { componentize } from "@bytecodealliance/componentize-js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const { component } = await componentize({
  sourcePath: here("app.js"),
  witPath: here("wit"),
  worldName: "command-with-streams",
  // The host of plugins has no network.
  disableFeatures: ["fetch-event", "http"],
});
await writeFile(here("{{name}}.wasm"), component);
