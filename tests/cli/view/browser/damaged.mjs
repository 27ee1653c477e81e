// Checks the page on a log with a damaged segment and a damaged live batch:
// node damaged.mjs URL SEGMENT BATCH

import assert from "node:assert/strict";

import { ok, onPage, seen } from "./chromium.mjs";

const [url, segment, batch] = process.argv.slice(2);

await onPage(url, {}, async (page) => {
  await seen(page, ".row.damaged", batch);
  ok("the damaged batch stands in the list, in the place of its events");
  await page.focus("#list");
  await page.keyboard.press("Home");
  await seen(page, ".row.damaged", segment);
  await page.keyboard.press("ArrowDown");
  ok("the damaged segment stands in the list, in the place of its events");

  await page.click("#verify");
  await seen(page, "#state.damaged", "2 damaged objects");
  for (const object of [segment, batch]) {
    const finding = await seen(page, ".findings li.damaged", object);
    assert.match(finding, /expected .+, found .+/);
  }
  ok("a verification names the damaged objects");
  assert.equal(await page.locator(".block.damaged").count(), 2);
  ok("damaged objects are marked among the others");
});
