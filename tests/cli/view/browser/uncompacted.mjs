// Checks the page on a log that was never compacted, and after its first compaction:
// node uncompacted.mjs URL COMPACT
//
// COMPACT is a command line that compacts the log, as JSON.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

import { ok, onPage, seen } from "./chromium.mjs";

const [url, compact] = process.argv.slice(2);

await onPage(url, {}, async (page) => {
  const about = page.locator("#positions .hint", { hasText: "No event has a position yet" });
  await seen(page, "#positions", "300 live events");
  assert.ok(await about.isVisible());
  ok("the page explains why no event has a position");

  const [program, ...words] = JSON.parse(compact);
  execFileSync(program, words);
  await page.click("#refresh");
  await seen(page, "#positions", "next 300");
  assert.ok(!(await about.isVisible()));
  ok("it does not once events have positions");
});
