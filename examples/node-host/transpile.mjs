// Turns the component into what Node runs: node transpile.mjs COMPONENT.wasm [FOLDER]
//
// FOLDER is `component` beside this file, where component.js looks for it.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { transpile } from "@bytecodealliance/jco-transpile";

const [component, folder = fileURLToPath(new URL("component", import.meta.url))] =
  process.argv.slice(2);
if (!component) {
  console.error("usage: node transpile.mjs COMPONENT.wasm [FOLDER]");
  process.exit(2);
}

const { files } = await transpile(component, {
  name: "log",
  outDir: folder,
  instantiation: "async",
  // The component's errors come as `Error`s with a `payload`.
  noComponentErrorWrapping: false,
});
for (const [path, bytes] of Object.entries(files)) {
  await mkdir(dirname(resolve(folder, path)), { recursive: true });
  await writeFile(resolve(folder, path), bytes);
}
