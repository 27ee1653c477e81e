// Maps the keys of objects to files below a root folder.
//
// Invariants:
// 1. No key leaves the root: no `.` or `..` segment, no leading slash, no separator of another
//    system.
// 2. A key is exactly the file's name, so two keys are two files. The name of an unfinished write
//    (`NAME#DIGITS`) is not a key.

import { join } from "node:path";

import { storeError } from "./store-error.js";

const KEY_BYTES_MAX = 1024;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/u;
const UNFINISHED = /#[0-9]+$/;

let unfinished = 0;

// Returns the path of a key. Throws a store-error of kind `invalid`.
export function pathOf(root, key) {
  const reason = fault(key);
  if (reason) throw refused(key, reason);
  return join(root, ...key.split("/"));
}

// Splits a listing's prefix into the folder's path, the start of the keys and the start of the
// names.
export function splitPrefix(root, prefix) {
  const slash = prefix.lastIndexOf("/");
  const nameStart = prefix.slice(slash + 1);
  if (CONTROL.test(nameStart)) throw refused(prefix, "it has a control character");
  const folder = slash < 0 ? root : pathOf(root, prefix.slice(0, slash));
  return { folder, keyStart: prefix.slice(0, slash + 1), nameStart };
}

// Returns whether listings contain an entry of that name; a folder's name ends with a slash.
export function isEntry(name) {
  const own = name.endsWith("/") ? name.slice(0, -1) : name;
  return fault(isUnfinished(own) ? own.slice(0, own.lastIndexOf("#")) : own) === null;
}

// Returns whether a file of that name is an unfinished write.
export function isUnfinished(name) {
  return UNFINISHED.test(name);
}

// Returns the path of the unfinished file for a write to `path`. It is in the same folder. Listings
// skip it, here and in other hosts of the folder.
export function unfinishedPath(path) {
  unfinished += 1;
  return `${path}#${process.pid}${String(unfinished).padStart(9, "0")}`;
}

function fault(key) {
  const segments = key.split("/");
  if (key === "") return "it is empty";
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) return `it is longer than ${KEY_BYTES_MAX} bytes`;
  if (CONTROL.test(key)) return "it has a control character";
  if (key.includes("\\") || !key.isWellFormed()) return "it has a character that files cannot have";
  if (key.startsWith("/")) return "it starts with a slash";
  if (key.endsWith("/")) return "it ends with a slash";
  if (segments.includes("")) return "it has an empty segment";
  if (segments.includes(".") || segments.includes("..")) return "it has a `.` or `..` segment";
  if (segments.some((segment) => UNFINISHED.test(segment))) return "it is an unfinished write's";
  return null;
}

function refused(key, reason) {
  const shown = JSON.stringify([...key].slice(0, 100).join(""));
  return storeError("invalid", `the key ${shown} cannot be used: ${reason}`);
}
