// Runs the log's component in a worker, and answers the page.
//
// A request is { id, call, argument }; its answer { id, value } or { id, error }.

import { instantiate } from "../component/log.js";
import { LogReader, plain } from "./log-reader.js";
import { Root } from "./root.js";
import { httpStore } from "./store.js";
import { imports } from "./wasi.js";

let component;
let name;
let reader;
let verifier;

const CALLS = {
  // Instantiates the component for a log.
  async open({ base, isBucket, log, keepsIndexes }) {
    const store = httpStore(new Root(base, isBucket), keepsIndexes);
    component = await instantiate(coreModule, imports(store));
    name = log;
    reader = new LogReader(component, store, name, isBucket);
  },

  overview: () => reader.overview(),
  events: (argument) => reader.events(argument),
  lag: (argument) => reader.lag(argument),
  hasNew: () => reader.hasNew(),

  // Begins to check all objects of the log.
  verify() {
    verifier = component.appendLog.verify(name);
  },

  // Does one step. None: all is checked.
  verifyStep() {
    const progress = verifier.next();
    return progress && plain(progress);
  },
};

async function coreModule(file) {
  const url = new URL(`../component/${file}`, import.meta.url);
  return WebAssembly.compileStreaming(fetch(url, { credentials: "same-origin" }));
}

self.addEventListener("message", async ({ data: { id, call, argument } }) => {
  try {
    const value = await CALLS[call](argument);
    self.postMessage({ id, value }, buffersOf(value));
  } catch (error) {
    self.postMessage({ id, error: failureOf(error) });
  }
});

// Returns the buffers that are passed to the page without a copy.
function buffersOf(value) {
  const columns = [value?.bytes, value?.ends, ...Object.values(value?.layout?.rows ?? {})];
  return columns.filter(ArrayBuffer.isView).map(({ buffer }) => buffer);
}

// Returns an error as data: that of the component, or the message of another.
function failureOf(error) {
  if (error?.payload) return plain({ tag: error.payload.tag, val: error.payload.val });
  if (error?.kind) return { tag: "store-failed", val: { message: error.message, transient: true } };
  return { tag: "failed", val: error?.stack ?? String(error) };
}
