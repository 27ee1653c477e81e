// Tests plugins with `node --test`, against logs in memory with faults. The logs are the real ones.
//
//   test("orders are billed", () => {
//     const world = new World();
//     world.grant("orders");
//     const log = Log.open("orders");
//     log.appendJson({ item: "tea" });
//     world.failCreates();
//     ...
//     assert.deepEqual(world.events("orders"), ['{"item":"tea"}']);
//   });
//
// A test runs the code of the plugin as it is: `node --import ./stratalog-testing/register.js`
// makes its imports lead here. The component of the log runs as in the page of `stratalog view`,
// over a store in memory. The clock stands still unless a test moves it.

export { RIGHTS } from "./host.js";
export { World } from "./world.js";
