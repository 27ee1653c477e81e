// What stands where a key leads: no link is followed below the root.
//
// Invariants:
// 1. The root is as its user named it. Of a key, every folder is one and the last is a regular file;
//    anything else is named, with what it is, and not touched.
// 2. Opening never waits: a pipe waits for its writer until it is known to be one.
//
// Node opens by paths alone, so a folder that is exchanged between the look and the opening is not seen.
// The Rust host, which opens each folder in the one before, has no such moment.

import { closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import { dirname, join } from "node:path";

import { pathOf } from "./keys.js";
import { storeError } from "./store-error.js";

const READING = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

// The path of a key whose folders, as far as they are there, are folders.
export function placeOf(root, key) {
  const path = pathOf(root, key);
  checkFolder(root, dirname(key));
  return path;
}

// Throws unless all segments of a folder below the root are folders, or missing.
export function checkFolder(root, folder) {
  let path = root;
  for (const segment of folder.split("/")) {
    if (segment === "" || segment === ".") continue;
    path = join(path, segment);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (!stat.isDirectory()) {
      throw storeError("invalid", `${path} is ${what(stat)}, not a folder; name the one that is meant`);
    }
  }
}

// Opens the regular file of a key; with its size.
export function openObject(root, key) {
  const path = placeOf(root, key);
  let file;
  try {
    file = openSync(path, READING);
  } catch (error) {
    throw intruder(path) ?? error;
  }
  const stat = fstatSync(file, { bigint: true });
  if (stat.isFile()) return { file, size: stat.size };
  closeSync(file);
  throw notAnObject(path, stat);
}

// The error that names what stands in the place of a regular file; none if nothing else does.
export function intruder(path) {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined || stat.isFile() ? undefined : notAnObject(path, stat);
}

// The kind of an entry, as listings tell it.
export function kindOf(stat) {
  if (stat.isFile()) return "object";
  if (stat.isDirectory()) return "folder";
  return stat.isSymbolicLink() ? "link" : "special";
}

function notAnObject(path, stat) {
  return storeError("not-an-object", `${path} is ${what(stat)}, not a regular file; remove it`);
}

function what(stat) {
  const words = {
    object: "a regular file",
    folder: "a folder",
    link: "a symbolic link",
    special: "a named pipe, a socket or a device",
  };
  return words[kindOf(stat)];
}
