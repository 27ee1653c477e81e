// Listing a folder's objects.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { KEYS_MAX } from "./bounds.js";
import { isName, splitPrefix } from "./keys.js";
import { fromSystem } from "./store-error.js";

// The function `list` over the folder `root`.
export function listing(root) {
  return (prefix, startAfter, limit) => {
    const { folder, keyStart, nameStart } = splitPrefix(root, prefix);
    const wanted = Math.min(Math.max(limit, 1), KEYS_MAX);
    try {
      const keys = namesIn(folder)
        .filter((name) => name.startsWith(nameStart) && isName(name))
        .map((name) => keyStart + name)
        .filter((key) => startAfter === undefined || compare(key, startAfter) > 0)
        .sort(compare);
      const page = keys.slice(0, wanted);
      // Only what is returned is looked at.
      const objects = page.flatMap((key) => sized(folder, key, keyStart));
      return { objects, more: keys.length > page.length };
    } catch (error) {
      throw fromSystem("list", prefix, error);
    }
  };
}

// The names of the files directly in a folder; one that is not there has none.
function namesIn(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

// The object of a listing; none if it has vanished meanwhile, or is no file.
function sized(folder, key, keyStart) {
  const stat = statSync(join(folder, key.slice(keyStart.length)), {
    bigint: true,
    throwIfNoEntry: false,
  });
  return stat?.isFile() ? [{ key, size: stat.size }] : [];
}

// Byte by byte, as the interface sorts.
function compare(a, b) {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
