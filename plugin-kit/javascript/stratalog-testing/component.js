// The component of the log, over the store and the clock of the current world. All worlds of a
// process share one instance: it keeps nothing but what its handles have.

import { readFile } from "node:fs/promises";

import { instantiate } from "./component/log.js";
import { drop } from "./host-bytes.js";
import { storeInterface } from "./memory-store.js";
import { imports } from "./wasi.js";

// The world that the component sees: its `store`, and its function `readClock`.
let current;

export function setCurrent(world) {
  current = world;
}

function now() {
  const micros = current.readClock();
  return { seconds: micros / 1_000_000n, nanoseconds: Number(micros % 1_000_000n) * 1000 };
}

function randomBytes(length) {
  return new Uint8Array(Number(length)).map(() => Number(current.randomNumber() & 255n));
}

async function coreModule(file) {
  return WebAssembly.compile(await readFile(new URL(`component/${file}`, import.meta.url)));
}

const component = await instantiate(coreModule, {
  ...imports(storeInterface(() => current.store)),
  "wasi:clocks/wall-clock": { now, resolution: () => ({ seconds: 0n, nanoseconds: 1000 }) },
  "wasi:random/random": {
    getRandomU64: () => current.randomNumber(),
    getRandomBytes: randomBytes,
  },
});

export const { appendLog } = component;
export { drop };
