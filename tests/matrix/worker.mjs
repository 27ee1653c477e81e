// Runs the plugin over the store of the page of `stratalog view`.

import { instantiate } from "/app/app.js";
import { Root } from "/workers/root.js";
import { httpStore } from "/workers/store.js";
import { imports } from "/workers/wasi.js";

let stdout = "";

async function run() {
  const words = await (await fetch("/words")).json();
  const root = new Root(`${self.location.origin}/objects/`, false);
  const wasi = imports(httpStore(root, false));
  const { OutputStream } = wasi["wasi:io/streams"];
  const { Pollable } = wasi["wasi:io/poll"];
  class Stdout extends OutputStream {
    write(bytes) {
      stdout += new TextDecoder().decode(bytes);
    }
  }
  const output = new Stdout();
  const app = await instantiate(
    async (file) => WebAssembly.compileStreaming(fetch(`/app/${file}`)),
    {
      ...wasi,
      "wasi:cli/environment": { getEnvironment: () => [], getArguments: () => ["app", ...words] },
      "wasi:clocks/monotonic-clock": {
        now: () => BigInt(Math.round(performance.now() * 1e6)),
        // No case that runs here waits.
        subscribeDuration: () => new Pollable(),
        subscribeInstant: () => new Pollable(),
      },
      "wasi:cli/stdout": { getStdout: () => output },
    },
  );
  try {
    app.run.run();
  } catch (error) {
    // The cases that write have left events that this store refuses, so the program fails at its
    // end. Each case has said how it ended.
    if (!("payload" in error)) throw error;
  }
}

try {
  await run();
  self.postMessage({ stdout });
} catch (error) {
  self.postMessage({ stdout, failure: `${error?.stack ?? error}` });
}
