// Instantiates the log's component with a folder, a clock, randomness and stderr for its log
// messages. It has no other access to this machine. `node transpile.mjs` makes the imported file.

import { readFile } from "node:fs/promises";

import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";

import { instantiate } from "./component/log.js";
import { Bytes } from "./host-bytes.js";
import { folderStore } from "./store.js";

// Returns the interface `stratalog:log/append-log` over the objects below the folder `root`.
export async function appendLog(root) {
  const sandbox = { preopens: {}, env: {}, args: [], enableNetwork: false };
  const component = await instantiate(coreModule, {
    ...new WASIShim({ sandbox }).getImportObject(),
    "stratalog:log/host-bytes": { Bytes },
    "stratalog:log/object-store": folderStore(root),
    "wasi:logging/logging": { log },
  });
  return component.appendLog;
}

async function coreModule(file) {
  return WebAssembly.compile(await readFile(new URL(`component/${file}`, import.meta.url)));
}

// The component is not trusted with the terminal, so control characters are replaced.
function log(level, context, message) {
  const shown = `${level}: ${context}: ${message}`.slice(0, 1024);
  console.error(shown.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd"));
}
