// Runs a small command line: node main.js append|read|compact|stat FOLDER
//
// FOLDER is the log, as in `stratalog append FOLDER`. append takes the lines of stdin; read prints
// the events; compact and stat print their reports as JSON.

import { once } from "node:events";
import { basename, dirname, resolve } from "node:path";

import { appendStdin } from "./append.js";
import { text } from "./log-error.js";

const COMMANDS = {
  async append(wit, name) {
    return { ...(await appendStdin(wit.Log.open(name, {}), process.stdin)) };
  },

  async read(wit, name) {
    const reader = wit.read(name, {});
    for (let page = reader.next(); page; page = reader.next()) {
      if (!process.stdout.write(page.lines)) await once(process.stdout, "drain");
    }
  },

  compact: (wit, name) => wit.compact(name, { full: false }),

  stat: (wit, name) => wit.stat(name),
};

async function main([command, folder, ...rest]) {
  if (!Object.hasOwn(COMMANDS, command ?? "") || !folder || rest.length > 0) {
    console.error("usage: node main.js append|read|compact|stat FOLDER");
    return 2;
  }
  const path = resolve(folder);
  try {
    const { appendLog } = await component();
    const report = await COMMANDS[command](await appendLog(dirname(path)), basename(path));
    if (report) console.log(JSON.stringify(report, plain));
    return 0;
  } catch (error) {
    console.error(`error: cannot ${command} ${folder}: ${text(error)}`);
    return 1;
  }
}

// Imports the component, which exists only after `npm ci` and `node transpile.mjs`.
async function component() {
  try {
    return await import("./component.js");
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    const first = "run `npm ci` and `node transpile.mjs log.wasm` in its folder first";
    throw new Error(`the component is not ready: ${first} (${error.message.split("\n")[0]})`);
  }
}

// 64-bit numbers are bigints. Counts and sizes fit into a number.
function plain(_, value) {
  return typeof value === "bigint" ? Number(value) : value;
}

process.stdout.on("error", (error) => {
  // The reader of the output has seen enough.
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
process.exitCode = await main(process.argv.slice(2));
