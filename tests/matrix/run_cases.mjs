// Runs a plugin that is joined with the log alone, over the store of the host under Node:
// node run_cases.mjs FOLDER [ARGUMENT...]

import { readFile } from "node:fs/promises";

import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";

import { instantiate } from "./component/app.js";
import { Bytes } from "./host-bytes.js";
import { folderStore } from "./store.js";

const [folder, ...args] = process.argv.slice(2);
const sandbox = { preopens: {}, env: {}, args: ["app", ...args], enableNetwork: false };
const app = await instantiate(coreModule, {
  ...new WASIShim({ sandbox }).getImportObject(),
  "stratalog:log/host-bytes": { Bytes },
  "stratalog:log/object-store": folderStore(folder),
  "wasi:logging/logging": { log: (...words) => console.error(words.join(": ")) },
});
app.run.run();

async function coreModule(file) {
  return WebAssembly.compile(await readFile(new URL(`component/${file}`, import.meta.url)));
}
