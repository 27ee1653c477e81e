// Transpiles the component for Node: node transpile.mjs COMPONENT.wasm [FOLDER]
//
// FOLDER defaults to `component` next to this file, from which component.js imports. The path of
// the result is printed. It is for this version of Node and newer ones.

import { access, mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [component, folder = fileURLToPath(new URL("component", import.meta.url))] =
  process.argv.slice(2);
if (!component) {
  console.error("usage: node transpile.mjs COMPONENT.wasm [FOLDER]");
  process.exit(2);
}

// A module with two memories, which Node 22 has. Without them, the parts of a joined component copy
// what they pass to each other by calls of JavaScript.
const TWO_MEMORIES = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 5, 2, 0, 0, 0, 0]);

// Prints a message instead of a stack trace.
function stop(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

await access(component).catch(({ code }) =>
  stop(
    `cannot read ${component} (${code}): make it first, for main.js with \`stratalog component ` +
      "export log.wasm`, for joined.js with `stratalog component join PLUGIN.wasm --store fs -o " +
      "app.wasm`",
  ),
);
const { transpile } = await import("@bytecodealliance/jco-transpile").catch((error) => {
  if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  return stop("jco is not installed: run `npm ci` in this folder first");
});
const name = basename(component, ".wasm");
const { files } = await transpile(component, {
  name,
  outDir: folder,
  instantiation: "async",
  multiMemory: WebAssembly.validate(TWO_MEMORIES),
  // The component's errors are thrown as `Error`s with a `payload`.
  noComponentErrorWrapping: false,
}).catch(({ payload, message }) => stop(`cannot transpile ${component}: ${payload ?? message}`));
for (const [path, bytes] of Object.entries(files)) {
  await mkdir(dirname(resolve(folder, path)), { recursive: true });
  await writeFile(resolve(folder, path), bytes);
}
console.log(relative("", join(folder, `${name}.js`)));
