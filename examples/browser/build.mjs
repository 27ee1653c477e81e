// Builds the page as files: node build.mjs COMPONENT.wasm [FOLDER]
//
// FOLDER defaults to `page` in this folder.

import { access, cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [component, folder = here("page")] = process.argv.slice(2);
if (!component) {
  console.error("usage: node build.mjs COMPONENT.wasm [FOLDER]");
  process.exit(2);
}

const NAME = "name the file that `stratalog component export log.wasm` has written";

// Prints a message instead of a stack trace.
function stop(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

await access(component).catch(({ code }) =>
  stop(`cannot read ${component} (${code}): write it with \`stratalog component export log.wasm\``),
);
const { transpile } = await import("@bytecodealliance/jco-transpile").catch((error) => {
  if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  return stop("jco is not installed: run `npm ci` in this folder first");
});

const outDir = resolve(folder, "component");
const { files, imports } = await transpile(component, {
  name: "log",
  outDir,
  instantiation: "async",
  // The component's errors are thrown as `Error`s with a `payload`.
  noComponentErrorWrapping: false,
}).catch(({ payload, message }) => stop(`cannot use ${component}: ${payload ?? message}; ${NAME}`));
if (!imports.some((name) => name.startsWith("stratalog:log/object-store"))) {
  stop(`cannot use ${component}: it takes no store; ${NAME}`);
}

// The page is that of `stratalog view`.
await cp(here("../../host/cli/page"), folder, { recursive: true }).catch(({ code }) =>
  stop(`cannot write to ${folder} (${code})`),
);
for (const [path, bytes] of Object.entries(files)) {
  if (path.endsWith(".d.ts")) continue;
  await mkdir(dirname(resolve(outDir, path)), { recursive: true });
  await writeFile(resolve(outDir, path), bytes);
}
