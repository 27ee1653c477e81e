// Writes a new object: first to an unfinished file, which then gets the object's name if it is
// free.
//
// Invariants:
// 1. An object appears whole and synced, or not at all. `link` names a finished file atomically,
//    and fails if the name is taken.
// 2. Only a regular file takes a name. Anything else at the name is reported.
// 3. An object counts as durable only when the folders on its path are synced, too.

import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync } from "node:fs";
import { unlinkSync, writeSync } from "node:fs";
import { dirname } from "node:path";

import { unfinishedPath } from "./keys.js";
import { intruder, placeOf } from "./places.js";
import { alreadyExists, fromSystem, notWritten, unknown } from "./store-error.js";

export class NewFile {
  #key;
  #path;
  #aside;
  #file;

  // Throws a write-error, as all methods do.
  constructor(root, key) {
    this.#key = key;
    this.#attempt(() => {
      this.#path = placeOf(root, key);
      makeFolder(dirname(this.#path));
      this.#aside = unfinishedPath(this.#path);
      this.#file = openSync(this.#aside, "wx");
    });
  }

  write(bytes) {
    this.#attempt(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    });
  }

  finish() {
    this.#attempt(() => fsyncSync(this.#file));
    const taken = this.#attempt(() => this.#link());
    this.drop();
    try {
      // Also if the name was taken, since its writer may not have synced the folder yet.
      syncFolder(dirname(this.#path));
    } catch (error) {
      throw unknown(fromSystem("sync the folder of", this.#key, error));
    }
    if (taken) throw alreadyExists;
  }

  // Removes the unfinished file, unless the write has finished.
  drop() {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    unlinkSync(this.#aside);
  }

  #link() {
    try {
      linkSync(this.#aside, this.#path);
      return false;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const found = intruder(this.#path);
      if (found) throw found;
      return true;
    }
  }

  // Until the file has its name, every error means that the object was not written.
  #attempt(work) {
    try {
      return work();
    } catch (error) {
      this.drop();
      throw notWritten(fromSystem("write", this.#key, error));
    }
  }
}

// Creates a folder and its parents, and syncs each folder that has a new entry.
function makeFolder(folder) {
  if (existsSync(folder)) return;
  const first = mkdirSync(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) {
    syncFolder(dirname(made));
  }
}

export function syncFolder(folder) {
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
