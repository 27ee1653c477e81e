// The interface `stratalog:log/object-store` on a folder: every function and resource of it.
//
// Calls are synchronous, as the interface is; a create is done when `start-create` returns. What is
// thrown is the interface's own errors; an `Error` is a defect, or a component that asks for more than
// the interface allows, and stops the component.

import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync, unlinkSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";

import { isName, pathOf, splitPrefix } from "./keys.js";
import { NewFile, syncFolder } from "./new-file.js";
import { alreadyExists, fromSystem, notWritten, storeError } from "./store-error.js";

const MIB = 1024 * 1024;
// The bounds that the interface names.
const OBJECT_BYTES_MAX = 64 * MIB;
const CHUNK_BYTES_MIN = 1024;
const KEYS_MAX = 10_000;

// Returns the interface over the folder `root`, which is made by the first write.
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

  class OrderedRead {
    #parts;
    #next = 0;
    #open;
    constructor(parts) {
      checkCount("parts to read", parts.length);
      this.#parts = parts;
    }
    next(bytesMax) {
      const number = this.#next;
      const part = this.#parts[number];
      if (!part) return undefined;
      try {
        this.#open ??= new ObjectRead(root, part.key, part.range);
        const limit = Math.min(Math.max(bytesMax, CHUNK_BYTES_MIN), OBJECT_BYTES_MAX);
        const bytes = this.#open.read(limit);
        const last = this.#open.isAtEnd();
        if (last) this.#close();
        this.#next += last ? 1 : 0;
        return { part: number, bytes, last };
      } catch (error) {
        this.#close();
        this.#parts = [];
        throw { part: number, error: fromSystem("read", part.key, error) };
      }
    }
    #close() {
      this.#open?.close();
      this.#open = undefined;
    }
    [Symbol.dispose]() {
      this.#close();
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
      this.#underWay().write(bytes);
    }
    finish() {
      const file = this.#underWay();
      this.#file = undefined;
      file.finish();
    }
    #underWay() {
      if (this.#file) return this.#file;
      throw notWritten(storeError("invalid", `the upload of ${this.#key} is over: start another`));
    }
    [Symbol.dispose]() {
      this.#file?.drop();
    }
  }

  return {
    PendingCreate,
    OrderedRead,
    Upload,

    // With or without `exclusive`: a name that is taken is never given again.
    create: createNow,

    startCreate(key, bytes) {
      try {
        createNow(key, bytes);
        return new PendingCreate({ tag: "ok" });
      } catch (error) {
        if (error instanceof Error) throw error;
        return new PendingCreate({ tag: "err", val: error });
      }
    },

    // Not every file system has hard links, so it is tried, once.
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
            throw storeError("invalid", `${key} is too large to be read at once`);
          }
          return object.read(object.length);
        } finally {
          object.close();
        }
      } catch (error) {
        throw fromSystem("read", key, error);
      }
    },

    list(prefix, startAfter, limit) {
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
          const path = pathOf(root, key);
          unlinkSync(path);
          folders.set(dirname(path), key);
        });
      }
      for (const [folder, key] of folders) attempt(key, () => syncFolder(folder));
      return failures;
    },
  };
}

// An object, or a range of it, being read.
class ObjectRead {
  #file;
  #at;
  #end;

  constructor(root, key, range) {
    this.#file = openSync(pathOf(root, key), "r");
    try {
      const stat = fstatSync(this.#file, { bigint: true });
      if (!stat.isFile()) throw storeError("not-found", `there is no object ${key}`);
      const { start, end } = range ?? { start: 0n, end: stat.size };
      if (range && (start >= end || end > stat.size)) {
        const reason = `the range ${start}..${end} is not within its ${stat.size} bytes`;
        throw storeError("invalid", `cannot read ${key}: ${reason}`);
      }
      [this.#at, this.#end] = [Number(start), Number(end)];
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get length() {
    return this.#end - this.#at;
  }

  isAtEnd() {
    return this.length === 0;
  }

  read(bytesMax) {
    const bytes = new Uint8Array(Math.min(bytesMax, this.length));
    for (let got = 0; got < bytes.length; ) {
      const more = readSync(this.#file, bytes, got, bytes.length - got, this.#at);
      if (more === 0) throw storeError("other", "the file became shorter while it was read");
      got += more;
      this.#at += more;
    }
    return bytes;
  }

  close() {
    closeSync(this.#file);
  }
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

function checkCount(what, count) {
  if (count > KEYS_MAX) throw new RangeError(`${count} ${what} in one call, more than ${KEYS_MAX}`);
}
