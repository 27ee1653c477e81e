// Lists events: only the rows in view are in the document.

import { element } from "./dom.js";
import { damageText } from "./error-text.js";
import { rowText, textNodes } from "./event-row.js";
import { grouped, time } from "./format.js";
import { ROW_PIXELS, VirtualScroll } from "./virtual-scroll.js";

export class EventList extends EventTarget {
  #view;
  #sheet;
  #scroll;
  #cache;
  #runs;
  #selected;
  #needle = "";
  #isDue = false;

  // Dispatches `select` with the place of an event, and `open` if it is to be shown whole.
  constructor(view, cache) {
    super();
    this.#view = view;
    this.#cache = cache;
    this.#sheet = element("div", { class: "sheet", role: "presentation" });
    view.replaceChildren(this.#sheet);
    this.#scroll = new VirtualScroll(view, this.#sheet, () => this.draw());
    cache.addEventListener("loaded", () => this.draw());
    cache.addEventListener("damaged", () => this.draw());
    view.addEventListener("keydown", (event) => this.#key(event));
    view.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row !== null) this.#open(Number(row.dataset.line));
    });
    new ResizeObserver(() => this.draw()).observe(view);
  }

  get selected() {
    return this.#selected;
  }

  // Shows the events of the runs. The selected event and the place stay if they are still there.
  show(runs) {
    const place = this.#runs?.placeOf(Math.floor(this.#scroll.first));
    this.#runs = runs;
    const digits = grouped(runs.placeOf(Math.max(runs.total - 1, 0)) ?? 0).length;
    this.#view.style.setProperty("--number-width", `${digits + 1}ch`);
    this.#scroll.setTotal(runs.total);
    if (place !== undefined) this.#scroll.goTo(runs.lineOf(place));
    this.draw();
  }

  setNeedle(needle) {
    this.#needle = needle;
    this.draw();
  }

  // Scrolls to an event, and selects it.
  goTo(place) {
    const line = this.#runs.lineOf(place);
    this.#scroll.reveal(line);
    this.#select(line);
  }

  // Scrolls so that an event is the first in view.
  scrollTo(place) {
    this.#scroll.goTo(this.#runs.lineOf(place));
    this.draw();
  }

  scrollToEnd() {
    this.#scroll.goTo(this.#runs.total);
    this.draw();
  }

  // Draws soon, however often it is called.
  draw() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  #draw() {
    if (this.#runs === undefined) return;
    const first = Math.floor(this.#scroll.first);
    const end = Math.min(Math.ceil(this.#scroll.first + this.#scroll.fitting), this.#runs.total);
    const rows = [];
    for (let line = first; line < end; line += 1) rows.push(this.#row(line));
    if (this.#runs.total === 0) rows.push(element("p", { class: "hint", text: "No events." }));
    this.#sheet.replaceChildren(...rows);
    if (end > first) this.#cache.want(first, end);
  }

  #row(line) {
    const place = this.#runs.placeOf(line);
    const batch = this.#runs.batchOf(place);
    const { bytes, damage } = this.#cache.get(place) ?? {};
    const isSelected = place === this.#selected;
    const classes = ["row"];
    if (batch.isLive) classes.push("live");
    if (isSelected) classes.push("selected");
    const text = element("span", { class: "text" });
    if (bytes !== undefined) text.append(...textNodes(rowText(bytes), this.#needle));
    else if (damage !== undefined) text.append(damageText(damage));
    if (damage !== undefined) classes.push("damaged");
    else if (bytes === undefined) classes.push("loading");
    const row = element(
      "div",
      {
        id: `line-${line}`,
        class: classes.join(" "),
        role: "option",
        "aria-selected": String(isSelected),
        "aria-posinset": line + 1,
        "aria-setsize": this.#runs.total,
        "data-line": line,
      },
      element("span", { class: "number", text: grouped(place) }),
      element("span", { class: "sealed", text: shortTime(batch) }),
      text,
    );
    row.style.transform = `translateY(${this.#scroll.topOf(line)}px)`;
    row.style.height = `${ROW_PIXELS}px`;
    return row;
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.#runs.total === 0) return;
    const page = Math.max(Math.floor(this.#scroll.fitting) - 1, 1);
    const first = Math.ceil(this.#scroll.first);
    const at = this.#selected === undefined ? undefined : this.#runs.lineOf(this.#selected);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    if (event.key in steps) this.#select(at === undefined ? first : at + steps[event.key], true);
    else if (event.key === "Home") this.#select(0, true);
    else if (event.key === "End") this.#select(this.#runs.total - 1, true);
    else if (event.key === "Enter") this.#open(at ?? first);
    else return;
    event.preventDefault();
  }

  #select(line, reveals = false) {
    const within = Math.min(Math.max(line, 0), this.#runs.total - 1);
    this.#selected = this.#runs.placeOf(within);
    if (reveals) this.#scroll.reveal(within);
    this.#view.setAttribute("aria-activedescendant", `line-${within}`);
    this.draw();
    this.dispatchEvent(new CustomEvent("select", { detail: this.#selected }));
  }

  #open(line) {
    this.#select(line);
    this.dispatchEvent(new CustomEvent("open", { detail: this.#selected }));
  }
}

function shortTime({ time: at, until }) {
  return at === undefined ? `≤ ${time(until, 1e6).slice(5)}` : time(at, 1e3).slice(5);
}
