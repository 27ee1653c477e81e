// Lists the objects in a folder.

import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { KEYS_MAX } from "./bounds.js";
import { isEntry, isUnfinished, splitPrefix } from "./keys.js";
import { checkFolder, kindOf } from "./places.js";
import { fromSystem } from "./store-error.js";

// Returns the resource `listing` over the folder `root`. One scan of the folder serves all pages.
export function listings(root) {
  return class Listing {
    #prefix;
    #startAfter;
    #withSizes;
    // The keys, once the folder was scanned, and the place of the next one.
    #keys;
    #next = 0;
    constructor(prefix, startAfter, withSizes) {
      this.#prefix = prefix;
      this.#startAfter = startAfter;
      this.#withSizes = withSizes;
    }
    // A failure changes nothing: the next call returns the same page.
    next(limit) {
      const wanted = Math.min(Math.max(limit, 1), KEYS_MAX);
      try {
        const { folder, keyStart, nameStart } = splitPrefix(root, this.#prefix);
        checkFolder(root, keyStart);
        this.#keys ??= namesIn(folder)
          .filter((name) => name.startsWith(nameStart) && isEntry(name))
          .map((name) => keyStart + name)
          .filter((key) => this.#startAfter === undefined || compare(key, this.#startAfter) > 0)
          .sort(compare);
        // Only the returned entries are inspected. Vanished entries do not count, so a page is
        // never empty while there are more.
        const objects = [];
        let next = this.#next;
        for (; next < this.#keys.length && objects.length < wanted; next += 1) {
          objects.push(...entryOf(folder, this.#keys[next], keyStart, this.#withSizes));
        }
        this.#next = next;
        return { objects, more: next < this.#keys.length };
      } catch (error) {
        throw fromSystem("list", this.#prefix, error);
      }
    }
  };
}

// Returns the names directly in a folder, folders with a slash. A missing folder has none.
function namesIn(folder) {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

// Returns the entry of a listing, or none if it has vanished. Links are not followed.
function entryOf(folder, key, keyStart, withSizes) {
  const name = key.slice(keyStart.length);
  const stat = lstatSync(join(folder, name), { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return [];
  const kind = kindOf(stat);
  if (kind !== "object") return [{ key, size: 0n, kind }];
  if (isUnfinished(name)) return [{ key, size: stat.size, kind: "unfinished" }];
  return [{ key, size: withSizes ? stat.size : 0n, kind }];
}

// Compares byte by byte, as the interface sorts.
function compare(a, b) {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
