// Implements the interface `stratalog:log/object-store` on a folder: every function and resource.
//
// Calls are synchronous, as in the interface: a create is done when `start-create` returns. The
// thrown values are the interface's own errors. An `Error` is a bug, or a component that asks for
// more than the interface allows, and stops the component.

import { randomBytes } from "node:crypto";
import { unlinkSync } from "node:fs";
import { dirname } from "node:path";

import { OBJECT_BYTES_MAX, checkCount } from "./bounds.js";
import { pathOf, splitPrefix } from "./keys.js";
import { intruder, placeOf } from "./places.js";
import { listings } from "./listing.js";
import { NewFile, syncFolder } from "./new-file.js";
import { ObjectRead, orderedReads } from "./reading.js";
import { alreadyExists, fromSystem, notWritten, storeError } from "./store-error.js";

// Returns the interface over the folder `root`, which the first write creates.
export function folderStore(root) {
  let honoursExclusive = false;

  const createNow = (key, bytes) => {
    if (bytes.length > OBJECT_BYTES_MAX) {
      const reason = `${key} has ${bytes.length} bytes: more than one create takes, upload it`;
      throw notWritten(storeError("invalid", reason));
    }
    const file = new NewFile(root, key);
    file.write(bytes);
    file.finish();
  };

  class PendingCreate {
    #outcome;
    constructor(outcome) {
      this.#outcome = outcome;
    }
    poll() {
      return this.#outcome;
    }
    wait() {
      if (this.#outcome.tag === "err") throw this.#outcome.val;
    }
  }

  class Upload {
    #key;
    #file;
    static start(key) {
      const upload = new Upload();
      upload.#key = key;
      upload.#file = new NewFile(root, key);
      return upload;
    }
    write(bytes) {
      this.#openFile().write(bytes.read());
    }
    finish() {
      const file = this.#openFile();
      this.#file = undefined;
      file.finish();
    }
    #openFile() {
      if (this.#file) return this.#file;
      throw notWritten(storeError("invalid", `the upload of ${this.#key} is over: start another`));
    }
    [Symbol.dispose]() {
      this.#file?.drop();
    }
  }

  return {
    PendingCreate,
    Listing: listings(root),
    OrderedRead: orderedReads(root),
    Upload,

    // With and without `exclusive`, an existing name is never overwritten.
    create: createNow,

    startCreate(key, bytes) {
      try {
        createNow(key, bytes.read());
        return new PendingCreate({ tag: "ok" });
      } catch (error) {
        if (error instanceof Error) throw error;
        return new PendingCreate({ tag: "err", val: error });
      }
    },

    // Not every file system has hard links, so this is tested once.
    ensureExclusive(prefix) {
      const { keyStart } = splitPrefix(root, prefix);
      if (honoursExclusive) return;
      const key = `${keyStart}probe_${randomBytes(8).toString("hex")}`;
      try {
        createNow(key, new Uint8Array());
        createNow(key, new Uint8Array());
      } catch (error) {
        honoursExclusive = error === alreadyExists;
        if (!honoursExclusive) throw error.val ?? error;
      }
      unlinkSync(pathOf(root, key));
      if (!honoursExclusive) {
        throw storeError("unsupported", `${root} lets a file be created twice under one name`);
      }
    },

    get(key, range) {
      try {
        const object = new ObjectRead(root, key, range);
        try {
          if (object.length > OBJECT_BYTES_MAX) {
            throw storeError("invalid", `cannot read ${key}: it has more than ${OBJECT_BYTES_MAX} bytes; read a range`);
          }
          return object.read(object.length);
        } finally {
          object.close();
        }
      } catch (error) {
        throw fromSystem("read", key, error);
      }
    },

    delete(keys) {
      checkCount("keys to delete", keys.length);
      const failures = [];
      const folders = new Map();
      const attempt = (key, work) => {
        try {
          work();
        } catch (error) {
          if (error.code === "ENOENT") return;
          failures.push({ key, error: fromSystem("delete", key, error) });
        }
      };
      for (const key of keys) {
        attempt(key, () => {
          const path = placeOf(root, key);
          try {
            unlinkSync(path);
          } catch (error) {
            throw intruder(path) ?? error;
          }
          folders.set(dirname(path), key);
        });
      }
      for (const [folder, key] of folders) attempt(key, () => syncFolder(folder));
      return failures;
    },
  };
}
