// Implements the resource `listing` over either form that a server lists objects in.
//
// Invariants:
// 1. A page that failed changes nothing: the next call returns it.
// 2. A page with `more` has entries.

import { KEYS_MAX } from "./bounds.js";
import { folderEntries, sized } from "./folder-listing.js";
import { s3Page } from "./s3-listing.js";

export function listings(root) {
  return root.isBucket ? bucketListing(root) : folderListing(root);
}

function bucketListing(root) {
  return class Listing {
    #prefix;
    #after;
    #token;
    #ended = false;
    constructor(prefix, startAfter) {
      this.#prefix = prefix;
      this.#after = startAfter;
    }
    next(limit) {
      let page = { objects: [], more: false };
      if (this.#ended) return page;
      let token = this.#token;
      do {
        page = s3Page(root, this.#prefix, this.#after, token, bounded(limit));
        ({ token } = page);
      } while (page.more && page.objects.length === 0);
      this.#token = token;
      this.#ended = !page.more;
      return { objects: page.objects.sort(byKey), more: page.more };
    }
  };
}

function folderListing(root) {
  return class Listing {
    #prefix;
    #after;
    #withSizes;
    // The entries, once the folder was listed, and the place of the next one.
    #entries;
    #next = 0;
    constructor(prefix, startAfter, withSizes) {
      this.#prefix = prefix;
      this.#after = startAfter;
      this.#withSizes = withSizes;
    }
    next(limit) {
      this.#entries ??= folderEntries(root, this.#prefix)
        .filter(({ key }) => key.startsWith(this.#prefix))
        .filter(({ key }) => this.#after === undefined || compare(key, this.#after) > 0)
        .sort(byKey);
      const end = Math.min(this.#next + bounded(limit), this.#entries.length);
      const entries = this.#entries.slice(this.#next, end);
      const objects = this.#withSizes
        ? entries.flatMap((entry) => stillThere(root, entry))
        : entries;
      this.#next = end;
      const more = end < this.#entries.length;
      return more && objects.length === 0 ? this.next(limit) : { objects, more };
    }
  };
}

// Returns the entry with its size; nothing if it was deleted after the folder was listed.
function stillThere(root, entry) {
  try {
    return [sized(root, entry)];
  } catch (error) {
    if (error.kind === "not-found") return [];
    throw error;
  }
}

function bounded(limit) {
  return Math.min(Math.max(limit, 1), KEYS_MAX);
}

function byKey(a, b) {
  return compare(a.key, b.key);
}

// Compares by code points, as bytes of UTF-8 sort.
function compare(a, b) {
  if (a === b) return 0;
  const [as, bs] = [a[Symbol.iterator](), b[Symbol.iterator]()];
  for (;;) {
    const [x, y] = [as.next(), bs.next()];
    if (x.done || y.done) return x.done ? -1 : 1;
    const difference = x.value.codePointAt(0) - y.value.codePointAt(0);
    if (difference !== 0) return difference;
  }
}
