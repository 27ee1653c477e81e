// Runs a program that is joined with the log and fs-store:
//
//     node joined.js COMPONENT.js FOLDER [ARGUMENT...]
//
// `node transpile.mjs app.wasm` makes COMPONENT.js, here component/app.js. FOLDER is the folder
// that the program gets. No code of the log's is needed: the component imports only WASI.

import { access, readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const JOIN = "`stratalog component join PLUGIN.wasm --store fs -o app.wasm`";
const TRANSPILE = "`node transpile.mjs app.wasm`";

// Prints a message instead of a stack trace.
function stop(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

const [component, folder, ...args] = process.argv.slice(2);
if (!component || !folder) {
  console.error("usage: node joined.js COMPONENT.js FOLDER [ARGUMENT...]");
  process.exit(2);
}
if (!(await stat(folder).catch(() => undefined))?.isDirectory()) {
  stop(`${folder} is not a folder; create it first`);
}
const { WASIShim } = await import("@bytecodealliance/preview2-shim/instantiation").catch((error) => {
  if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  return stop("the packages are not installed: run `npm ci` in the folder of joined.js first");
});
const file = pathToFileURL(resolve(component));
if (!component.endsWith(".js")) {
  stop(`${component} is not JavaScript: run ${TRANSPILE}, and name the file that it prints`);
}
await access(file).catch(({ code }) =>
  stop(`cannot read ${component} (${code}): run ${TRANSPILE}, and name the file that it prints`),
);
const { instantiate } = await import(file).catch(({ message }) =>
  stop(`cannot load ${component}: ${message}; make it again with ${TRANSPILE}`),
);
if (typeof instantiate !== "function") {
  stop(`${component} is not a component: name the file that ${TRANSPILE} prints`);
}
const sandbox = { preopens: { "/": folder }, env: {}, args: ["app", ...args], enableNetwork: false };
const imports = new WASIShim({ sandbox }).getImportObject();
const start = async () => instantiate(coreModule, imports);
const app = await start().catch(({ message }) =>
  stop(`cannot start ${component}: ${message}; it must import only WASI: make it with ${JOIN}`),
);
if (!app.run) stop(`${component} is not a program: make it of a plugin, with ${JOIN}`);
try {
  app.run.run();
} catch (error) {
  // The program has failed, and has said why. Anything else is not its own failure.
  if (!("payload" in error)) throw error;
  process.exitCode = 1;
}

// The modules are next to the component.
async function coreModule(name) {
  return WebAssembly.compile(await readFile(new URL(name, file)));
}
