// Tests the promises of `stratalog:log/object-store` on a folder: node store.test.js [FOLDER]

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";

import { Bytes } from "./host-bytes.js";
import { folderStore } from "./store.js";

const base = mkdtempSync(join(process.argv[2] ?? tmpdir(), "store-"));
let folders = 0;

// Returns a store on a folder that does not exist yet.
function fresh() {
  folders += 1;
  const root = join(base, String(folders), "root");
  return { root, store: folderStore(root) };
}

const bytes = (text) => new TextEncoder().encode(text);
const hostBytes = (text) => new Bytes(bytes(text));
const page = (store, prefix, startAfter, limit = 10) =>
  new store.Listing(prefix, startAfter, true).next(limit);
const textOf = (found) => new TextDecoder().decode(found);
const thrown = (call) => {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

test("a create makes an object whole and never twice", () => {
  const { root, store } = fresh();
  store.create("a/b/c", bytes("first"), false);
  for (const exclusive of [false, true]) {
    const error = thrown(() => store.create("a/b/c", bytes("second"), exclusive));
    assert.deepEqual(error, { tag: "already-exists" });
  }
  assert.equal(textOf(store.get("a/b/c")), "first");
  assert.deepEqual(readdirSync(join(root, "a/b")), ["c"]);
});

test("a create that cannot be is certain not to be", () => {
  const { root, store } = fresh();
  store.create("file", bytes("x"), false);
  assert.equal(thrown(() => store.create("file/below", bytes("x"), false)).tag, "not-written");
  const large = new Uint8Array(64 * 1024 * 1024 + 1);
  const error = thrown(() => store.create("large", large, false));
  assert.deepEqual([error.tag, error.val.kind], ["not-written", "invalid"]);
  assert.deepEqual(readdirSync(root), ["file"]);
});

test("no key leaves the folder", () => {
  const { root, store } = fresh();
  mkdirSync(root, { recursive: true });
  const outside = join(root, "..", "outside");
  writeFileSync(outside, "secret");
  const long = "x".repeat(1025);
  const keys = ["", "/", "/a", "a/", "a//b", ".", "..", "../outside", "a/../../outside", "a\0b"];
  keys.push("a\nb", "a\\..\\b", long, outside, "batch#1", "\ud800");
  for (const key of keys) {
    assert.equal(thrown(() => store.get(key)).kind, "invalid", key);
    const refusal = thrown(() => store.create(key, bytes("x"), false));
    assert.deepEqual([refusal.tag, refusal.val.kind], ["not-written", "invalid"], key);
    assert.equal(thrown(() => store.Upload.start(key)).tag, "not-written", key);
    assert.deepEqual(store.delete([key]).map(({ error }) => error.kind), ["invalid"], key);
    const failure = thrown(() => new store.OrderedRead([{ key }]).next(1024));
    assert.deepEqual([failure.number, failure.error.kind], [0, "invalid"], key);
  }
  for (const prefix of ["../", "/", "a/../../", "a\0", "a//b"]) {
    assert.equal(thrown(() => page(store, prefix)).kind, "invalid", prefix);
  }
  assert.equal(readFileSync(outside, "utf8"), "secret");
  assert.deepEqual(readdirSync(root), []);
});

test("a get reads all or a range, and nothing beyond", () => {
  const { store } = fresh();
  store.create("a", bytes("0123456789"), false);
  assert.equal(textOf(store.get("a", { start: 2n, end: 5n })), "234");
  assert.equal(textOf(store.get("a", { start: 0n, end: 10n })), "0123456789");
  for (const [start, end] of [
    [5n, 5n],
    [5n, 4n],
    [5n, 11n],
    [10n, 11n],
    [2n ** 63n, 2n ** 64n - 1n],
  ]) {
    assert.equal(thrown(() => store.get("a", { start, end })).kind, "invalid");
  }
  assert.equal(thrown(() => store.get("b")).kind, "not-found");
  store.create("folder/a", bytes(""), false);
  assert.notEqual(thrown(() => store.get("folder")).kind, undefined);
});

test("a list is sorted, paged, and of one folder", () => {
  const { root, store } = fresh();
  assert.deepEqual(page(store, "log/"), { objects: [], more: false });
  for (const name of ["b", "a", "B", "a.1", "\u{ff5e}", "\u{1f600}", "deep/x"]) {
    store.create(`log/${name}`, bytes(name), false);
  }
  writeFileSync(join(root, "log/b#17"), "unfinished");
  const names = ({ objects }) => objects.map(({ key }) => key.slice("log/".length));
  const sorted = ["B", "a", "a.1", "b", "b#17", "deep/", "\u{ff5e}", "\u{1f600}"];
  const whole = page(store, "log/", undefined, 10_000);
  assert.deepEqual([names(whole), whole.more], [sorted, false]);
  assert.equal(whole.objects[6].size, 3n);
  const kinds = whole.objects.map(({ kind }) => kind).filter((kind) => kind !== "object");
  assert.deepEqual(kinds, ["unfinished", "folder"]);
  const [one, other] = [1, 2].map(() => new store.Listing("log/", undefined, false));
  const paged = [[], []];
  for (let more = true; more; ) {
    for (const [index, listing] of [one, other].entries()) {
      const { objects, more: isMore } = listing.next(4);
      assert.ok(objects.length <= 4);
      paged[index].push(...names({ objects }));
      more = isMore;
    }
    // What is created after the first page may be left out.
    store.create(`log/A${paged[0].length}`, bytes("late"), false);
  }
  assert.deepEqual(paged, [sorted, sorted]);
  assert.deepEqual(one.next(4), { objects: [], more: false });
  assert.deepEqual(names(page(store, "log/a")), ["a", "a.1"]);
  assert.deepEqual(names(page(store, "log/a", "log/a")), ["a.1"]);
  assert.deepEqual(names(page(store, "log/", "log/aa", 0)), ["b"]);
});

test("a page of a list that failed is returned by the next call", () => {
  const { root, store } = fresh();
  for (const name of ["a", "b", "c"]) store.create(`log/${name}`, bytes(name), false);
  const listing = new store.Listing("log/", undefined, true);
  assert.deepEqual(listing.next(1).objects.map(({ key }) => key), ["log/a"]);
  renameSync(join(root, "log"), join(root, "moved"));
  symlinkSync(join(root, "moved"), join(root, "log"));
  for (let times = 0; times < 2; times += 1) {
    assert.equal(thrown(() => listing.next(10)).kind, "invalid");
  }
  rmSync(join(root, "log"));
  renameSync(join(root, "moved"), join(root, "log"));
  assert.deepEqual(listing.next(10).objects.map(({ key }) => key), ["log/b", "log/c"]);
});

test("what is no regular file is named, and no link is followed", () => {
  const { root, store } = fresh();
  store.create("log/other", bytes("x"), false);
  const outside = join(root, "..", "outside-of-links");
  writeFileSync(outside, "secret");
  const plants = {
    "a symbolic link": (path) => symlinkSync(outside, path),
    "a dangling symbolic link": (path) => symlinkSync("/nowhere/at/all", path),
    "a folder": (path) => mkdirSync(path),
    "a named pipe": (path) => execFileSync("mkfifo", [path]),
  };
  for (const [what, plant] of Object.entries(plants)) {
    const path = join(root, "log", "object");
    plant(path);
    const named = (error) => {
      assert.equal(error.kind, "not-an-object", what);
      const words = `${path} is ${what.replace("dangling ", "")}`;
      assert.ok(error.message.startsWith(words), `${what}: ${error.message}`);
      assert.ok(error.message.endsWith(", not a regular file; remove it"), error.message);
    };
    named(thrown(() => store.get("log/object")));
    named(thrown(() => new store.OrderedRead([{ key: "log/object" }]).next(1024)).error);
    for (const exclusive of [false, true]) {
      const refused = thrown(() => store.create("log/object", bytes("x"), exclusive));
      assert.equal(refused.tag, "not-written", what);
      named(refused.val);
    }
    const { key, size, kind } = page(store, "log/o").objects[0];
    const expected = { "a folder": ["folder", "/"], "a named pipe": ["special", ""] };
    const [isKind, slash] = expected[what] ?? ["link", ""];
    assert.deepEqual([key, size, kind], [`log/object${slash}`, 0n, isKind]);
    assert.deepEqual(readdirSync(join(root, "log")), ["object", "other"], "something was left");
    rmSync(path, { recursive: true });
  }
  mkdirSync(join(root, "..", "elsewhere"));
  writeFileSync(join(root, "..", "elsewhere", "object"), "secret");
  symlinkSync(join(root, "..", "elsewhere"), join(root, "link"));
  const refusals = [
    () => store.get("link/object"),
    () => page(store, "link/"),
    () => store.create("link/new", bytes("x"), false),
  ];
  for (const call of refusals) {
    const error = thrown(call);
    const { kind, message } = error.val ?? error;
    assert.equal(kind, "invalid");
    assert.match(message, /link is a symbolic link, not a folder; name the one that is meant$/);
  }
  assert.equal(store.delete(["link/object"])[0].error.kind, "invalid");
  assert.deepEqual(readdirSync(join(root, "..", "elsewhere")), ["object"]);
  assert.equal(readFileSync(outside, "utf8"), "secret");
});

test("a delete counts what is missing as deleted and names what it cannot delete", () => {
  const { root, store } = fresh();
  store.create("a", bytes("a"), false);
  store.create("folder/b", bytes("b"), false);
  const failures = store.delete(["a", "missing", "none/missing", "folder", "folder/b"]);
  assert.deepEqual(failures.map(({ key }) => key), ["folder"]);
  assert.ok(!existsSync(join(root, "a")) && !existsSync(join(root, "folder/b")));
  assert.throws(() => store.delete(new Array(10_001).fill("a")), RangeError);
});

test("an ordered read gives the ranges in order and in pieces", () => {
  const { store } = fresh();
  store.create("a", bytes("a".repeat(2500)), false);
  store.create("empty", bytes(""), false);
  store.create("b", bytes("0123456789"), false);
  const range = { start: 3n, end: 5n };
  const read = new store.OrderedRead([{ key: "a" }, { key: "empty" }, { key: "b", range }]);
  const chunks = [];
  for (let chunk = read.next(1); chunk; chunk = read.next(1)) chunks.push(chunk);
  assert.deepEqual(
    chunks.map((chunk) => [chunk.number, Number(chunk.bytes.length()), chunk.last]),
    [[0, 1024, false], [0, 1024, false], [0, 452, true], [1, 0, true], [2, 2, true]],
  );
  assert.equal(textOf(chunks[4].bytes.read()), "34");
  assert.equal(read.next(1), undefined);
});

test("an ordered read ends at its first failure", () => {
  const { store } = fresh();
  store.create("a", bytes("a"), false);
  const read = new store.OrderedRead([{ key: "a" }, { key: "gone" }, { key: "a" }]);
  assert.equal(read.next(1024).last, true);
  const failure = thrown(() => read.next(1024));
  assert.deepEqual([failure.number, failure.error.kind], [1, "not-found"]);
  assert.equal(read.next(1024), undefined);
  assert.throws(() => new store.OrderedRead(new Array(10_001).fill({ key: "a" })), RangeError);
});

test("host bytes are joined, sliced and searched for lines", () => {
  const whole = hostBytes("a\nbb");
  whole.append(hostBytes("b\n"));
  whole.append(hostBytes(""));
  whole.append(hostBytes("c"));
  assert.equal(whole.length(), 7n);
  const slice = whole.slice(2n, 6n);
  whole.append(hostBytes("d"));
  assert.deepEqual([textOf(whole.read()), textOf(slice.read())], ["a\nbbb\ncd", "bbb\n"]);
  assert.deepEqual([0n, 1n, 2n, 3n, 9n].map((lines) => whole.lineEnd(lines)), [0n, 2n, 6n, 8n, 8n]);
  assert.equal(hostBytes("").lineEnd(1n), 0n);
  for (const [start, end] of [[3n, 2n], [0n, 9n], [2n ** 63n, 2n ** 63n]]) {
    assert.throws(() => whole.slice(start, end), RangeError);
  }
});

test("an upload appears when it is finished and not before", () => {
  const { root, store } = fresh();
  const upload = store.Upload.start("log/large");
  upload.write(hostBytes("one "));
  upload.write(hostBytes("two"));
  const unfinished = page(store, "log/").objects;
  assert.deepEqual(unfinished.map(({ kind }) => kind), ["unfinished"]);
  upload.finish();
  assert.equal(textOf(store.get("log/large")), "one two");
  for (const call of [() => upload.finish(), () => upload.write(hostBytes("x"))]) {
    const error = thrown(call);
    assert.deepEqual([error.tag, error.val.kind], ["not-written", "invalid"]);
  }
  const second = store.Upload.start("log/large");
  assert.deepEqual(thrown(() => second.finish()), { tag: "already-exists" });
  const dropped = store.Upload.start("log/dropped");
  dropped.write(hostBytes("x"));
  dropped[Symbol.dispose]();
  assert.deepEqual(readdirSync(join(root, "log")), ["large"]);
});

test("a started create tells its outcome as often as it is asked", () => {
  const { store } = fresh();
  const first = store.startCreate("a", hostBytes("a"), false);
  const second = store.startCreate("a", hostBytes("b"), false);
  const third = store.startCreate("..", hostBytes("c"), false);
  for (let times = 0; times < 2; times += 1) {
    assert.deepEqual(first.poll(), { tag: "ok" });
    assert.equal(first.wait(), undefined);
    assert.deepEqual(second.poll(), { tag: "err", val: { tag: "already-exists" } });
    assert.deepEqual(thrown(() => second.wait()), { tag: "already-exists" });
    assert.equal(third.poll().val.tag, "not-written");
  }
});

test("exclusive creates are tried once and leave nothing", () => {
  const { root, store } = fresh();
  store.ensureExclusive("log/");
  store.ensureExclusive("log/");
  assert.deepEqual(readdirSync(join(root, "log")), []);
  assert.equal(thrown(() => store.ensureExclusive("../")).kind, "invalid");
});
