// Checks the page on a log of 5,000,000 events: node large.mjs URL

import assert from "node:assert/strict";

import { onBarePage } from "./bare-chromium.mjs";
import { ok, onPage, seen } from "./chromium.mjs";

// Measured: 320 to 340. It is 190 once the page shows the log, of which the program of Chromium is
// 120. The rest are 32 MiB of loaded events, the memory of the component, and answers that are not
// collected yet. Without the collections that the page asks for, it is 1,840.
const PEAK_MIB_MAX = 450;
// The bounds of the page, in events of this log.
const LOADED_MAX = 1_000_000;

const [url] = process.argv.slice(2);

await onPage(url, {}, async (page) => {
  await seen(page, "#numbers", "5,000,000");
  await seen(page, ".row:last-child", '"n":4999999,');
  ok("the list ends with the last event");

  await page.focus("#list");
  await page.keyboard.press("Home");
  await seen(page, ".row.selected", '"n":0,');
  await page.keyboard.press("End");
  await page.keyboard.press("PageUp");
  await seen(page, ".row.selected", '"n":49999');
  ok("the list goes to its ends");

  // A scroll bar and a wheel.
  for (let part = 1; part < 40; part += 1) {
    const share = part / 40;
    await page.evaluate((share) => {
      const list = document.getElementById("list");
      list.scrollTop = share * (list.scrollHeight - list.clientHeight);
    }, share);
    // The rows follow in a later frame.
    await page.waitForFunction(isNear, share * 5_000_000);
    await page.waitForFunction(isRight);
  }
  const before = await firstNumber(page);
  await page.hover("#list");
  await page.mouse.wheel(0, 280);
  await page.waitForFunction((least) => {
    const number = document.querySelector(".row .number").textContent.replaceAll(",", "");
    return Number(number) >= least;
  }, before + 9);
  await page.waitForFunction(isRight);
  const moved = (await firstNumber(page)) - before;
  assert.ok(moved >= 9 && moved <= 11, `the wheel moved by ${moved} events`);
  ok("the list shows each event at its place, by scroll bar and wheel");

  await page.click("#verify");
  await seen(page, "#verification", "No damage, 5,000,000 events");
  ok("a verification reads all of it");

  const loaded = Number(
    /([\d,]+) loaded/.exec(await page.textContent("#shown"))[1].replaceAll(",", ""),
  );
  assert.ok(loaded < LOADED_MAX, `${loaded} events are loaded`);
});

await onBarePage(url, async (page) => {
  const shows = (selector, text) =>
    `document.querySelector("${selector}")?.textContent.includes(${JSON.stringify(text)})`;
  await page.until(shows("#numbers", "5,000,000"));
  for (let part = 39; part >= 0; part -= 1) {
    const share = part / 40;
    await page.run(`{
      const list = document.getElementById("list");
      list.scrollTop = ${share} * (list.scrollHeight - list.clientHeight);
    }`);
    await page.until(`(${isNear})(${share * 5_000_000}) && (${isRight})()`);
  }
  await page.run('document.getElementById("verify").click()');
  await page.until(shows("#verification", "No damage, 5,000,000 events"));
  const peak = await page.peakMib();
  console.log(`${Math.round(peak)} MiB at most`);
  assert.ok(peak < PEAK_MIB_MAX, `the page has used ${peak} MiB`);
  ok("memory stays below a part of the log");
});

function firstNumber(page) {
  return page.evaluate(() =>
    Number(document.querySelector(".row .number").textContent.replaceAll(",", "")),
  );
}

// Returns whether the first row in view is one of about this number.
function isNear(expected) {
  const number = document.querySelector(".row .number")?.textContent.replaceAll(",", "");
  return Math.abs(Number(number) - expected) < 1_000;
}

// Returns whether all rows in view are loaded, each the event of its position.
function isRight() {
  const rows = [...document.querySelectorAll(".row")];
  return (
    rows.length > 5 &&
    rows.every((row) => {
      const number = Number(row.querySelector(".number").textContent.replaceAll(",", ""));
      return row.querySelector(".text").textContent.startsWith(`{"n":${number},`);
    })
  );
}
