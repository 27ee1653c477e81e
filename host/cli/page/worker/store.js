// Implements the interface `stratalog:log/object-store` over HTTP. It only reads.

import { listings } from "./listing.js";
import { Objects, gets, orderedReads } from "./reading.js";
import { readOnly } from "./store-error.js";

// Returns the interface over a root.
export function httpStore(root, keepsIndexes) {
  const objects = new Objects(root, keepsIndexes);
  const refuse = (action) => (key) => {
    throw readOnly(action, key);
  };

  class PendingCreate {
    #key;
    constructor(key) {
      this.#key = key;
    }
    poll() {
      return { tag: "err", val: readOnly("create", this.#key) };
    }
    wait() {
      throw readOnly("create", this.#key);
    }
  }

  class Upload {
    static start = refuse("upload");
    write() {
      throw readOnly("upload", "an object");
    }
    finish() {
      throw readOnly("upload", "an object");
    }
  }

  return {
    PendingCreate,
    Upload,
    Listing: listings(root),
    OrderedRead: orderedReads(objects),
    get: gets(objects),
    create: refuse("create"),
    startCreate: (key) => new PendingCreate(key),
    ensureExclusive(prefix) {
      throw readOnly("create objects below", prefix).val;
    },
    delete: (keys) => keys.map((key) => ({ key, error: readOnly("delete", key).val })),
  };
}
