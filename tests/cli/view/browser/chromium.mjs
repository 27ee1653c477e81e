// Starts Chromium, and has what all checks of the page need.

import assert from "node:assert/strict";

import { chromium } from "playwright-core";

const WAIT_MS = 120_000;

// Runs checks on a page: `work(page)`. The page must print no error, and ask no other host
// than its own.
export async function onPage(url, settings, work) {
  const args = ["--no-sandbox", "--disable-dev-shm-usage"];
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
  try {
    const { allows = [], ...context } = settings;
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...context });
    page.setDefaultTimeout(WAIT_MS);
    const errors = [];
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    page.on("pageerror", (error) => errors.push(error.stack));
    const origins = new Set();
    page.on("request", (request) => origins.add(new URL(request.url()).origin));
    await page.goto(url);
    await page.waitForSelector("#numbers dd, #notice:not([hidden])");
    await work(page);
    assert.deepEqual(errors, []);
    assert.deepEqual([...origins].sort(), [new URL(url).origin, ...allows].sort());
  } finally {
    await browser.close();
  }
}

// Says that something was seen to hold.
export function ok(what) {
  console.log(`ok ${what}`);
}

// Waits until the text of an element contains another one, and returns it.
export async function seen(page, selector, text) {
  const element = page.locator(selector).filter({ hasText: text }).first();
  await element.waitFor({ state: "attached" });
  return element.textContent();
}

// Waits until a condition in the page holds.
export function until(page, condition, argument) {
  return page.waitForFunction(condition, argument, { timeout: WAIT_MS });
}
