// Starts Chromium without Playwright, to measure its memory: Playwright has the browser keep the
// answers to the page's requests, up to 200 MB of them.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const WAIT_MS = 120_000;
const POLL_MS = 20;
const ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"];

// Opens a page: `work(page)`. Its methods are `run(script)`, which returns the value of a script,
// `until(script)`, which waits for a true one, and `peakMib()`.
export async function onBarePage(url, work) {
  const folder = mkdtempSync(join(tmpdir(), "bare-chromium-"));
  const more = ["--window-size=1280,900", "--remote-debugging-pipe", `--user-data-dir=${folder}`];
  const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"];
  const browser = spawn(process.env.CHROMIUM, [...ARGUMENTS, ...more], { stdio });
  const ended = new Promise((done) => browser.once("exit", done));
  try {
    const { send, event } = connection(browser, ended);
    const { targetId } = await send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
    // A document that is being replaced runs no script.
    await send("Page.enable", {}, sessionId);
    const loaded = event("Page.loadEventFired");
    const { errorText } = await send("Page.navigate", { url }, sessionId);
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await loaded;
    await work(new Page(send, sessionId));
    await send("Browser.close");
  } finally {
    browser.kill();
    await ended;
    // Its other processes may end, and write, later.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

// Speaks the DevTools protocol: `send` sends a command and returns its result, `event` waits for
// the next event of a name.
function connection(browser, ended) {
  const [, , , commands, answers] = browser.stdio;
  // By the number of a command, or the name of an event.
  const waiting = new Map();
  let [count, text] = [0, ""];
  const fail = () => waiting.forEach(({ reject }) => reject(new Error("Chromium has ended")));
  ended.then(fail);
  commands.on("error", fail);
  answers.setEncoding("utf8");
  answers.on("data", (more) => {
    const messages = (text + more).split("\0");
    text = messages.pop();
    for (const { id, method, result, error } of messages.map((message) => JSON.parse(message))) {
      const { resolve, reject } = waiting.get(id ?? method) ?? {};
      waiting.delete(id ?? method);
      if (error) reject?.(new Error(error.message));
      else resolve?.(result);
    }
  });
  const answer = (key) =>
    new Promise((resolve, reject) => waiting.set(key, { resolve, reject }));
  const send = (method, params = {}, sessionId = undefined) => {
    count += 1;
    commands.write(`${JSON.stringify({ id: count, method, params, sessionId })}\0`);
    return answer(count);
  };
  return { send, event: answer };
}

class Page {
  #send;
  #session;

  constructor(send, session) {
    this.#send = send;
    this.#session = session;
  }

  async run(expression) {
    const settings = { expression, awaitPromise: true, returnByValue: true };
    const answer = await this.#send("Runtime.evaluate", settings, this.#session);
    if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.exception?.description);
    return answer.result.value;
  }

  async until(expression) {
    const begun = Date.now();
    while (!(await this.run(expression))) {
      if (Date.now() - begun > WAIT_MS) throw new Error(`this never holds: ${expression}`);
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
  }

  // Returns the most memory, in MiB, that a process of this browser that runs pages has had.
  async peakMib() {
    const { processInfo } = await this.#send("SystemInfo.getProcessInfo");
    const pages = processInfo.filter(({ type }) => type === "renderer");
    const status = ({ id }) => readFileSync(`/proc/${id}/status`, "utf8");
    return Math.max(...pages.map((page) => /VmHWM:\s+(\d+) kB/.exec(status(page))[1] / 1024));
  }
}
