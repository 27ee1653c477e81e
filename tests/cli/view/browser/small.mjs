// Checks the page on a log of 50,000 events, of which 10,000 are live: node small.mjs URL APPEND
//
// APPEND is a command line that appends one event, as JSON.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

import { ok, onPage, seen, until } from "./chromium.mjs";

const [url, append] = process.argv.slice(2);

await onPage(url, {}, async (page) => {
  assert.match(await seen(page, "#numbers", "50,000"), /Events50,000/);
  assert.match(await page.title(), /^log · /);
  ok("the numbers are those of the log");

  await seen(page, "#shown", "50,000 events, 50,000 loaded");
  await seen(page, ".row:last-child", '{"n":49999}');
  assert.ok((await page.locator(".row").count()) < 100);
  ok("the list ends with the last event, and has only the rows in view");

  const bars = (kind) => page.locator(`#histogram rect.${kind}`).count();
  assert.ok((await bars("compacted")) > 2 && (await bars("live")) > 0);
  ok("the histogram has bars of compacted and of live events");

  assert.ok((await page.locator(".block").count()) > 20);
  await page.locator(".block").first().hover();
  await seen(page, ".about", "segment_");
  ok("segments and live batches are drawn, and described");

  await keyboard(page);
  await search(page);
  await lag(page);
  await verify(page);
  await drag(page);
  await follow(page);
});

await onPage(url, { colorScheme: "dark" }, async (page) => {
  const dark = await contrast(page);
  assert.ok(dark.page < 0.05 && dark.contrast > 7, JSON.stringify(dark));
  ok("the dark scheme is dark, and its text is clear");
});
await onPage(url, { colorScheme: "light" }, async (page) => {
  const light = await contrast(page);
  assert.ok(light.page > 0.85 && light.contrast > 7, JSON.stringify(light));
  ok("the light scheme is light, and its text is clear");
});

for (const width of [390, 320]) {
  await onPage(url, { viewport: { width, height: 800 }, hasTouch: true }, async (page) => {
    await seen(page, ".row:last-child", "bold");
    await page.click("#verify");
    await seen(page, "#state", "no damage");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(wide, width);
    ok(`a phone of ${width} pixels scrolls down only`);
  });
}

// Uses nothing but keys.
async function keyboard(page) {
  const press = (...keys) =>
    keys.reduce((done, key) => done.then(() => page.keyboard.press(key)), Promise.resolve());
  const focused = () => page.evaluate(() => document.activeElement.id);
  await page.evaluate(() => document.activeElement.blur());
  for (let stops = 0; (await focused()) !== "histogram"; stops += 1) {
    assert.ok(stops < 12, "the Tab key does not reach the histogram");
    await press("Tab");
  }
  await press("ArrowRight", "ArrowRight", "ArrowLeft");
  assert.match(await page.textContent("#bar"), /: [\d,]+ events?/);
  await press("+", "+");
  await until(page, () =>
    /^[\d,]+ of 50,000 events/.test(document.getElementById("shown").textContent),
  );
  assert.notEqual(await page.textContent("#range"), "");
  await press("0");
  await seen(page, "#shown", "50,000 events");
  await press("Home", "Enter");
  await seen(page, ".row:first-child", '{"n":0}');
  for (let stops = 0; (await focused()) !== "list"; stops += 1) {
    assert.ok(stops < 12, "the Tab key does not reach the list");
    await press("Tab");
  }
  await press("End");
  await seen(page, ".row.selected", '{"n":49999}');
  await press("Home", "ArrowDown", "PageDown", "ArrowUp", "Home", "ArrowDown", "Enter");
  assert.match(await page.textContent("#detail"), /Position 1.*"n": 1\n/s);
  await press("ArrowDown");
  await seen(page, "#detail", '"n": 2');
  await press("/");
  assert.ok(await page.evaluate(() => document.activeElement.matches("#search input")));
  await page.click("#detail .close");
  assert.equal(await focused(), "list");
  ok("the page works by keys: zoom, list, whole event, search");
}

async function search(page) {
  await page.fill("#search input", '"n":4711');
  await seen(page, "#search output", "11");
  await page.keyboard.press("Enter");
  await seen(page, "#search output", "1 of 11");
  await seen(page, ".row.selected", '{"n":4711}');
  assert.equal(await page.evaluate(marked), '"n":4711');
  await page.keyboard.press("Enter");
  await seen(page, ".row.selected", '{"n":47110}');
  await page.keyboard.press("Shift+Enter");
  await seen(page, ".row.selected", '{"n":4711}');
  await page.fill("#search input", "no such text");
  await seen(page, "#search output", "0");
  await page.fill("#search input", "");
  ok("the search counts matches, and goes to them");
}

// Returns the marked text of the selected row.
function marked() {
  const marks = [...document.querySelectorAll(".row.selected mark")];
  return marks.map((mark) => mark.textContent).join("");
}

async function lag(page) {
  await page.fill(".lag input", "39000");
  await page.click(".lag button");
  await seen(page, ".readers", "11,000 events");
  await page.fill(".lag input", "no position");
  await page.click(".lag button");
  await seen(page, "#positions .failure", "position");
  ok("a position shows its lag, and a wrong one its fault");
}

async function verify(page) {
  await page.click("#verify");
  await seen(page, "#verification", "No damage, 50,000 events");
  await seen(page, "#state", "verified: no damage");
  assert.equal(await page.evaluate(() => document.querySelector("progress").position), 1);
  ok("a verification of an undamaged log finds no damage");
}

async function drag(page) {
  await page.locator("#histogram").scrollIntoViewIfNeeded();
  const { x, y, width, height } = await page.locator("#histogram").boundingBox();
  await page.mouse.move(x + width * 0.7, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.99, y + height / 2, { steps: 4 });
  await page.mouse.up();
  await until(page, () =>
    /^[\d,]+ of 50,000 events/.test(document.getElementById("shown").textContent),
  );
  await page.dblclick("#histogram");
  await seen(page, "#shown", "50,000 events");
  ok("dragging in the histogram zooms");
}

async function follow(page) {
  await page.click("#follow");
  // The first look is behind the events that are there.
  await seen(page, "#follow[aria-pressed=true]:not([aria-busy])", "Follow");
  const [program, ...words] = JSON.parse(append);
  // Characters that cannot be seen are shown, but for those of a picture.
  const [markup, picture] = ['<img src="x" onerror="alert(1)"><b>bold</b>', "\u{1f469}\u200d\u{1f52c}"];
  const input = `${markup} a\u200bb\u{e0041}\u2060c ${picture}\n`;
  execFileSync(program, words, { input });
  await seen(page, "#numbers", "50,001");
  await seen(page, ".row:last-child", `${markup} a\ufffdb\ufffd\ufffdc ${picture}`);
  assert.equal(await page.locator("#list img, #list b").count(), 0);
  ok("a followed log shows a new event, and neither its markup nor hidden text");
}

// Returns the luminance of the page, and the contrast of text on a card.
function contrast(page) {
  return page.evaluate(() => {
    const luminance = (color) => {
      const [r, g, b] = color.match(/\d+(\.\d+)?/g).map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const { color } = getComputedStyle(document.body);
    const card = luminance(getComputedStyle(document.querySelector(".card")).backgroundColor);
    const [high, low] = [luminance(color), card].sort((a, b) => b - a);
    const behind = luminance(getComputedStyle(document.body).backgroundColor);
    return { page: behind, contrast: (high + 0.05) / (low + 0.05) };
  });
}
