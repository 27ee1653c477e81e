// Lists the objects in a folder.

import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { KEYS_MAX } from "./bounds.js";
import { isEntry, isUnfinished, splitPrefix } from "./keys.js";
import { checkFolder, kindOf } from "./places.js";
import { fromSystem } from "./store-error.js";

// Returns the function `list` over the folder `root`.
export function listing(root) {
  return (prefix, startAfter, limit) => {
    const { folder, keyStart, nameStart } = splitPrefix(root, prefix);
    const wanted = Math.min(Math.max(limit, 1), KEYS_MAX);
    try {
      checkFolder(root, keyStart);
      const keys = namesIn(folder)
        .filter((name) => name.startsWith(nameStart) && isEntry(name))
        .map((name) => keyStart + name)
        .filter((key) => startAfter === undefined || compare(key, startAfter) > 0)
        .sort(compare);
      // Only the returned entries are inspected. Vanished entries do not count, so a page is never
      // empty while there are more.
      const objects = [];
      let next = 0;
      for (; next < keys.length && objects.length < wanted; next += 1) {
        objects.push(...sized(folder, keys[next], keyStart));
      }
      return { objects, more: next < keys.length };
    } catch (error) {
      throw fromSystem("list", prefix, error);
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
function sized(folder, key, keyStart) {
  const name = key.slice(keyStart.length);
  const stat = lstatSync(join(folder, name), { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return [];
  const kind = kindOf(stat);
  if (kind !== "object") return [{ key, size: 0n, kind }];
  return [{ key, size: stat.size, kind: isUnfinished(name) ? "unfinished" : kind }];
}

// Compares byte by byte, as the interface sorts.
function compare(a, b) {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
