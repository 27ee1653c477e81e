// Calls the worker that runs the component.

export class WorkerClient {
  #worker;
  #calls = new Map();
  #next = 0;

  constructor() {
    this.#worker = new Worker(new URL("../worker/log-worker.js", import.meta.url), {
      type: "module",
    });
    this.#worker.addEventListener("message", ({ data }) => this.#answer(data));
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      const message = event.message || "its script cannot be loaded";
      this.#failAll({ tag: "failed", val: `the worker has failed: ${message}` });
    });
  }

  // Makes a call; fails with the error of the component as { tag, val }.
  call(call, argument) {
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call, argument });
    });
  }

  end() {
    this.#worker.terminate();
    this.#failAll({ tag: "ended", val: "the worker was ended" });
  }

  #answer({ id, value, error }) {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) call.resolve(value);
    else call.reject(error);
  }

  #failAll(error) {
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }
}
