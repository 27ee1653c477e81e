// Checks what the test kit adds to the log: labels, limits and handles.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Log as Handle, compact, stat } from "stratalog:log/append-log@0.1.0";

import { Log, read } from "./stratalog-plugin.js";
import { World } from "./stratalog-testing/index.js";

test("object is named below its label", () => {
  const world = new World();
  world.grant("orders", { log: "shop/secret" });
  const log = Log.open("orders");
  log.append("tea");
  world.failCreates();
  assert.throws(() => log.flush(), ({ message }) => {
    return message.includes("orders/batch_") && !message.includes("secret");
  });
  log.flush();
  world.failReads();
  assert.deepEqual(world.events("orders"), ["tea"]);
  assert.throws(() => read("orders").next(), /the store of the log orders did not answer/);
  world.grant("others", { log: "shop" });
  assert.deepEqual(world.events("others"), []);
  assert.match(world.damage("orders"), /^orders\/batch_/);
  assert.throws(() => read("orders").next(), /orders\/batch_.* is damaged/);
});

test("limit refuses a call without an effect", () => {
  const world = new World();
  world.grant("orders");
  const log = Log.open("orders");
  world.limitCalls();
  assert.throws(() => log.append("tea"), ({ message, cause }) => {
    assert.equal(cause.tag, "limit-reached");
    return message.includes("log.append on the log orders: calls_per_second");
  });
  log.append("milk");
  assert.equal(log.close().events, 1n);
});

test("clock that moves on retries creates", () => {
  const world = new World();
  world.grant("orders");
  const log = Log.open("orders");
  log.append("tea");
  world.failCreates(2);
  const start = world.now;
  world.advance(5000);
  assert.deepEqual(world.events("orders"), ["tea"]);
  const passed = world.now - start;
  assert.ok(5000 <= passed && passed < 6000, `${passed}`);
});

test("deletes that fail leave garbage", () => {
  const world = new World();
  world.grant("orders", { rights: ["append", "read", "compact"] });
  const log = Log.open("orders");
  for (const event of ["tea", "milk"]) {
    log.append(event);
    log.flush();
  }
  world.failDeletes();
  assert.equal(compact("orders", { full: false }).batches, 2n);
  assert.equal(stat("orders").garbageObjects, 2n);
  compact("orders", { full: false });
  assert.equal(stat("orders").garbageObjects, 0n);
});

test("end names the logs whose events are lost", () => {
  const world = new World();
  const logs = ["orders", "errors"].map((label) => {
    world.grant(label);
    return Log.open(label);
  });
  for (const log of logs) log.append("tea");
  world.failCreates(1);
  assert.deepEqual(world.end(), ["orders"]);
  assert.deepEqual([world.events("orders"), world.events("errors")], [[], ["tea"]]);
  assert.deepEqual(world.end(), []);
});

test("handle that is dropped is flushed twice at most", () => {
  const world = new World();
  for (const [failures, lost] of [[1, []], [2, ["orders"]]]) {
    world.grant("orders", { log: `orders${failures}` });
    const handle = Handle.open("orders", {});
    handle.append(new TextEncoder().encode("tea"));
    world.failCreates(failures);
    handle[Symbol.dispose ?? Symbol.for("dispose")]();
    assert.deepEqual(world.events("orders"), lost.length ? [] : ["tea"]);
    assert.deepEqual(world.end(), lost);
  }
});

test("handle of a plugin that has ended is refused", () => {
  const world = new World();
  world.grant("orders");
  for (const end of ["crash", "end"]) {
    const log = Log.open("orders");
    world[end]();
    assert.throws(() => log.append("tea"), /orders is used after its plugin has ended/);
  }
});

test("wrong names and numbers are refused", () => {
  const world = new World();
  for (const count of [-1, 0.5, "1"]) {
    assert.throws(() => world.failCreates(count), / is not a number of calls/);
  }
  assert.throws(() => world.grant("a/b"), /"a\/b" is not a label/);
  assert.throws(() => world.grant("orders", { rights: ["reed"] }), /"reed" is not a right/);
  assert.throws(() => world.grant("orders", { rights: "read" }), /rights is an array/);
  assert.throws(() => world.grant("orders", { right: ["read"] }), /there is no option right: /);
  for (const time of [-1, NaN, "1", undefined]) {
    assert.throws(() => world.advance(time), / is not a time in milliseconds/);
  }
  world.grant("orders");
  for (const limit of [-1, -1n, 0.5, "1", 2n ** 64n]) {
    assert.throws(() => read("orders", { limit }), /limit is an integer from 0 to 18446744073/);
  }
  for (const flushBytes of [-1, 1n, 2 ** 32, null]) {
    const opening = () => Log.open("orders", { flushBytes });
    assert.throws(opening, /flushBytes is an integer from 0 to 4294967295, not/);
  }
  for (const options of [5, null, "name", []]) {
    assert.throws(() => Log.open("orders", options), /the options are an object, as \{ flush/);
    assert.throws(() => read("orders", options), /the options are an object, as \{ name/);
  }
  assert.throws(() => read("orders", { start: 5 }), /start is a text, not 5/);
  assert.throws(() => read("orders", { name: null }), /name is a text, not null/);
  assert.throws(() => read("orders", { since: new Date("no") }), /since is an invalid Date/);
  assert.throws(() => read("orders", { nane: "billing" }), /the options are name, start, /);
});

test("events of a damaged log are an error with its text", () => {
  const world = new World();
  world.grant("orders");
  const log = Log.open("orders");
  log.append("tea");
  log.flush();
  world.damage("orders");
  assert.throws(() => world.events("orders"), /^ComponentError: damaged: orders.* is damaged: /);
});
