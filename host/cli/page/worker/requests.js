// Sends requests from the worker and waits for each: the interface `object-store` is synchronous.
//
// Invariants:
// 1. Nothing but GET is sent, without credentials of other pages.
// 2. An answer is whole, or an error.

import { countReceived } from "./collecting.js";
import { noAnswer, refusal, storeError } from "./store-error.js";

const TRIES = 3;
const PARTIAL = 206;
const MESSAGE_CHARACTERS_MAX = 1_000;

// Gets a URL and returns its text.
export function getText(url, action, key) {
  return send(url, "text", {}, action, key).response;
}

// Gets bytes from the offset `start` up to `end`, or up to the end of the object if that comes
// first. Returns the bytes and the size of the object. A server that knows no ranges sends the
// whole object: `start` is then 0.
export function getRange(url, start, end, key) {
  const headers = { Range: `bytes=${start}-${end - 1}` };
  const request = send(url, "arraybuffer", headers, "read", key, start === 0);
  if (request === undefined) return { start: 0, size: 0, bytes: new Uint8Array() };
  const bytes = new Uint8Array(request.response);
  countReceived(bytes.length);
  if (request.status !== PARTIAL) return { start: 0, size: bytes.length, bytes };
  return { start, size: sizeOf(request, start, end, bytes.length, key), bytes };
}

// Returns the size of the object from the header `Content-Range`, which must be that of the
// request. Without the header, as of a bucket whose CORS rule does not expose it, a short answer
// shows the end.
function sizeOf(request, start, end, length, key) {
  const range = request.getResponseHeader("Content-Range");
  if (range === null) return length < end - start ? start + length : undefined;
  const parts = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(range)?.slice(1).map(Number);
  const [first, last, size] = parts ?? [];
  if (first !== start || last !== start + length - 1 || last !== Math.min(end, size) - 1) {
    const found = `the server answered ${length} bytes as ${JSON.stringify(range)}`;
    throw storeError("unavailable", `cannot read ${key}: ${found}; try again`);
  }
  return size;
}

// Returns the text for people of a failed request. Only `stratalog view` answers in plain text.
function messageOf(request) {
  const type = request.getResponseHeader("Content-Type") ?? "";
  if (!type.startsWith("text/plain") || request.response === null) return undefined;
  const { response } = request;
  const text = typeof response === "string" ? response : new TextDecoder().decode(response);
  return text.slice(0, MESSAGE_CHARACTERS_MAX);
}

// Returns a request that succeeded. None: the object is empty, so that it has no range.
function send(url, type, headers, action, key, mayBeEmpty = false) {
  for (let left = TRIES - 1; ; left -= 1) {
    const request = new XMLHttpRequest();
    request.open("GET", url, false);
    request.responseType = type;
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    let error;
    try {
      request.send();
      if (request.status === 200 || request.status === PARTIAL) return request;
      if (request.status === 416 && mayBeEmpty) return undefined;
      error = refusal(action, key, request, messageOf(request));
    } catch {
      error = noAnswer(action, key, new URL(url).origin !== self.location.origin);
    }
    if (error.kind !== "unavailable" || left === 0) throw error;
  }
}
