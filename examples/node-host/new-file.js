// A file on its way to being an object: written aside, then given its name if nobody has it.
//
// Invariants:
// 1. An object appears whole and synced, or not at all: `link` names a finished file, atomically, and
//    fails if the name is taken.
// 2. A name is taken only if a regular file has it; what else stands there is named.
// 3. It counts as durable only when the folders that lead to it are synced, too.

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
      // Also when it was taken: its maker may not have come to this yet.
      syncFolder(dirname(this.#path));
    } catch (error) {
      throw unknown(fromSystem("sync the folder of", this.#key, error));
    }
    if (taken) throw alreadyExists;
  }

  // Throws away what was written, unless it has been finished.
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

  // Until the file has its name a failure is certain.
  #attempt(work) {
    try {
      return work();
    } catch (error) {
      this.drop();
      throw notWritten(fromSystem("write", this.#key, error));
    }
  }
}

// Makes a folder and its parents, and syncs each folder that got a new entry.
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
