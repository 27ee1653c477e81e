// Checks that the page shows a log of 2 segments and 300 events from any server:
// node plain.mjs URL [ORIGIN…]
//
// The page may ask the other origins, too.

import { ok, onPage, seen } from "./chromium.mjs";

const [url, ...allows] = process.argv.slice(2);

await onPage(url, { allows }, async (page) => {
  await seen(page, "#numbers", "300");
  await seen(page, ".row:last-child", '{"n":299}');
  await page.focus("#list");
  await page.keyboard.press("Home");
  await seen(page, ".row.selected", '{"n":0}');
  await page.click("#verify");
  await seen(page, "#state", "verified: no damage");
  ok("the page shows the log");
});
