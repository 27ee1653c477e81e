// Runs a plugin that is joined with the log alone in a page of headless Chromium. Its store reads a
// folder over HTTP. Prints what the plugin prints.
//
// node run_in_chromium.mjs CHROMIUM WORKERS APP FOLDER [ARGUMENT...]
//
// WORKERS has the store of the page of `stratalog view`, and APP the transpiled plugin.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [chromium, workers, app, folder, ...words] = process.argv.slice(2);
const own = dirname(fileURLToPath(import.meta.url));
const FOLDERS = { own, workers, app, objects: folder };
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    response.writeHead(error.code === "ENOENT" ? 404 : 500).end(`${error.code ?? error}`);
  });
});

async function answer(request, response) {
  const { pathname } = new URL(request.url, "http://localhost");
  const [, kind, ...rest] = decodeURIComponent(pathname).split("/");
  if (kind === "words") return response.end(JSON.stringify(words));
  if (kind === "said") return said(request, response);
  if (!Object.hasOwn(FOLDERS, kind)) return response.writeHead(404).end();
  const path = join(FOLDERS[kind], ...rest);
  if (pathname.endsWith("/")) return response.end(await links(path));
  const bytes = await readFile(path);
  const type = { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" };
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (!range) return response.writeHead(200, type).end(bytes);
  const [start, end] = [Number(range[1]), Math.min(Number(range[2]) + 1, bytes.length)];
  if (start >= end) return response.writeHead(416).end();
  const headers = { ...type, "Content-Range": `bytes ${start}-${end - 1}/${bytes.length}` };
  return response.writeHead(206, headers).end(bytes.subarray(start, end));
}

// Returns a page with a link to each entry of a folder.
async function links(path) {
  const entries = await readdir(path, { withFileTypes: true });
  const name = (entry) => encodeURIComponent(entry.name) + (entry.isDirectory() ? "/" : "");
  return entries.map((entry) => `<a href="${name(entry)}">x</a>\n`).join("");
}

async function said(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  response.end();
  const { stdout, failure } = JSON.parse(Buffer.concat(chunks).toString());
  process.stdout.write(stdout);
  if (failure) console.error(failure);
  process.exitCode = failure ? 1 : 0;
  server.emit("said");
}

server.listen(0, "127.0.0.1");
await once(server, "listening");
const profile = await mkdtemp(join(tmpdir(), "chromium-"));
const page = `http://127.0.0.1:${server.address().port}/own/page.html`;
const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`];
const browser = spawn(chromium, [...flags, page], { stdio: "ignore" });
const ended = once(browser, "exit");
await Promise.race([
  once(server, "said"),
  ended.then(([code]) => {
    throw new Error(`Chromium has ended with ${code}`);
  }),
]);
browser.kill("SIGKILL");
await ended;
server.closeAllConnections();
server.close();
await rm(profile, { recursive: true, force: true, maxRetries: 10 });
