// Draws segments by tier and live batches, each as a block of its size.

import { element } from "./dom.js";
import { count, grouped, size, time } from "./format.js";

const BLOCKS_MAX = 80;

export class Storage extends EventTarget {
  #view;
  #name = "";
  #damaged = new Set();
  #layout;

  // Dispatches `go` with the place of the first event of a block.
  constructor(view) {
    super();
    this.#view = view;
  }

  show(name, layout) {
    this.#name = name;
    this.#layout = layout;
    this.#draw();
  }

  // Marks damaged objects. The index of a segment counts as the segment.
  markDamaged(objects) {
    for (const object of objects) this.#damaged.add(object.replace(/\.index$/, ".jsonl"));
    if (this.#layout !== undefined) this.#draw();
  }

  #draw() {
    const { segments, live, liveCount, rows } = this.#layout;
    const about = element("p", { class: "hint about", role: "status" });
    const tiers = [...new Set(segments.map(({ tier }) => tier))].sort((a, b) => b - a);
    const lines = tiers.map((tier) => {
      const within = segments.filter((segment) => segment.tier === tier);
      const bytes = within.reduce((sum, segment) => sum + segment.bytes, 0);
      const label = `Tier ${tier}: ${size(8 ** tier)} to ${size(8 ** (tier + 1))}`;
      const more = `${count(within.length, "segment", "segments")}, ${size(bytes)}`;
      const blocks = within.map((segment) => ({
        name: segment.name,
        weight: segment.bytes,
        place: segment.position,
        text: segmentText(segment),
      }));
      return line(label, more, this.#blocks(blocks, false, about));
    });
    if (liveCount > 0) lines.push(this.#liveLine(live, liveCount, rows, about));
    if (lines.length === 0) lines.push(element("p", { class: "hint", text: "No objects." }));
    this.#view.replaceChildren(...lines, about);
  }

  #liveLine(live, liveCount, rows, about) {
    const bytes = live.reduce((sum, batch) => sum + batch.size, 0);
    // The rows of live batches are the last ones.
    const firstRow = rows.time.length - live.length;
    const blocks = live.map((batch, number) => ({
      name: batch.name,
      weight: batch.size || batch.events || 1,
      place: rows.ordinal[firstRow + number],
      text: liveText(batch),
    }));
    const sized = bytes > 0 && live.length === liveCount ? `, ${size(bytes)}` : "";
    const more = count(liveCount, "batch", "batches") + sized;
    return line("Live batches", more, this.#blocks(blocks, true, about));
  }

  #blocks(blocks, isLive, about) {
    const drawn = blocks.slice(-BLOCKS_MAX);
    const made = drawn.map(({ name, weight, place, text }) => {
      const isDamaged = this.#damaged.has(`${this.#name}/${name}`);
      const said = isDamaged ? `Damaged: ${text}` : text;
      const classes = ["block", isLive && "live", isDamaged && "damaged"].filter(Boolean);
      const block = element("button", {
        type: "button",
        class: classes.join(" "),
        "aria-label": said,
      });
      block.style.flexGrow = String(Math.max(weight, 1));
      const describe = () => {
        about.textContent = said;
      };
      block.addEventListener("pointerenter", describe);
      block.addEventListener("focus", describe);
      block.addEventListener("click", () => {
        this.dispatchEvent(new CustomEvent("go", { detail: place }));
      });
      return block;
    });
    // One stop of the Tab key for each line; the arrow keys move in it.
    made.forEach((block, number) => {
      block.tabIndex = number === 0 ? 0 : -1;
      block.addEventListener("keydown", (event) => {
        const to = { ArrowRight: made[number + 1], ArrowLeft: made[number - 1] }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        to.focus();
      });
    });
    const rest = blocks.length - drawn.length;
    if (rest > 0) {
      const text = `${grouped(rest)} older ones`;
      made.unshift(
        element("span", { class: "block rest", title: text, role: "img", "aria-label": text }),
      );
    }
    return made;
  }
}

function line(label, more, blocks) {
  const name = element("span", { class: "label", text: label }, element("small", { text: more }));
  const row = element("div", { class: "blocks", role: "group", "aria-label": label }, ...blocks);
  return element("div", { class: "tier" }, name, row);
}

function segmentText({ name, bytes, events, batches, position, lastTime }) {
  const last = position + events - 1;
  return [
    `${name}: ${size(bytes)}`,
    `${count(events, "event", "events")} of ${count(batches, "batch", "batches")}`,
    `positions ${grouped(position)} to ${grouped(last)}`,
    `up to ${time(lastTime, 1e3)}`,
  ].join(", ");
}

function liveText({ name, size: bytes, events, time: at }) {
  const parts = [name];
  if (bytes > 0) parts.push(size(bytes));
  if (events !== undefined) parts.push(count(events, "event", "events"));
  return `${parts.join(", ")}, sealed ${time(at, 1e3)}`;
}
