// Opens and checks the files and folders of keys. No link is followed below the root.
//
// Invariants:
// 1. The root is used as its user named it. Within a key, every folder is a folder and the last
//    segment is a regular file. Anything else is reported with its kind, and not changed.
// 2. Opening never blocks, not even on a named pipe without a writer.
//
// Node opens by path only, so a folder that is replaced between check and opening is not noticed.
// The Rust host opens each folder relative to the one before, so it has no such gap.

import { closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import { dirname, join } from "node:path";

import { pathOf } from "./keys.js";
import { storeError } from "./store-error.js";

const READING = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

// Returns the path of a key. All its existing folders are folders.
export function placeOf(root, key) {
  const path = pathOf(root, key);
  checkFolder(root, dirname(key));
  return path;
}

// Throws unless each segment of a path below the root is a folder or missing.
export function checkFolder(root, folder) {
  let path = root;
  for (const segment of folder.split("/")) {
    if (segment === "" || segment === ".") continue;
    path = join(path, segment);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (!stat.isDirectory()) {
      throw storeError(
        "invalid",
        `${path} is ${what(stat)}, not a folder; name the one that is meant`,
      );
    }
  }
}

// Opens the regular file of a key and returns it with its size.
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

// Returns the error for anything but a regular file at this path; none if there is nothing else.
export function intruder(path) {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined || stat.isFile() ? undefined : notAnObject(path, stat);
}

// Returns the kind of an entry, as in listings.
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
