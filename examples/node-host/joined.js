// Runs a plugin that is joined with the log and fs-store: node joined.js FOLDER [ARGUMENT...]
//
// No code of the log's is needed here: the file imports only WASI, and FOLDER is the folder that it
// gets. `node transpile.mjs app.wasm` makes the imported file.

import { readFile, stat } from "node:fs/promises";

import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";

import { instantiate } from "./component/app.js";

const [folder, ...args] = process.argv.slice(2);
if (!folder) {
  console.error("usage: node joined.js FOLDER [ARGUMENT...]");
  process.exit(2);
}
if (!(await stat(folder).catch(() => undefined))?.isDirectory()) {
  console.error(`error: ${folder} is not a folder; create it first`);
  process.exit(1);
}
const preopens = { "/": folder };
const sandbox = { preopens, env: {}, args: ["app", ...args], enableNetwork: false };
const app = await instantiate(coreModule, new WASIShim({ sandbox }).getImportObject());
try {
  app.run.run();
} catch (error) {
  // The program has failed, and has said why. Anything else is not its own failure.
  if (!("payload" in error)) throw error;
  process.exitCode = 1;
}

async function coreModule(file) {
  return WebAssembly.compile(await readFile(new URL(`component/${file}`, import.meta.url)));
}
