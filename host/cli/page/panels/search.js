// Searches in the loaded events.

import { eventIn } from "./event-cache.js";
import { grouped } from "./format.js";

const MATCHES_MAX = 100_000;
const TYPED_MS = 120;

export class Search extends EventTarget {
  #form;
  #input;
  #output;
  #cache;
  #total = 0;
  #needle = "";
  #matches = [];
  #timer;
  #decoder = new TextDecoder();

  // Dispatches `needle` when the text changes, and `match` with the place to go to.
  constructor(form, cache) {
    super();
    this.#form = form;
    this.#cache = cache;
    this.#input = form.querySelector("input");
    this.#output = form.querySelector("output");
    this.#input.addEventListener("input", () => this.#soon());
    this.#input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.shiftKey) {
        event.preventDefault();
        this.#go(-1);
      } else if (event.key === "Escape" && this.#input.value !== "") {
        this.#input.value = "";
        this.#soon();
      }
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#go(1);
    });
    form.elements.before.addEventListener("click", () => this.#go(-1));
    cache.addEventListener("loaded", () => {
      if (this.#needle !== "") this.#soon();
    });
  }

  get needle() {
    return this.#needle;
  }

  setTotal(total) {
    this.#total = total;
  }

  focus() {
    this.#input.focus();
    this.#input.select();
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(), TYPED_MS);
  }

  #search() {
    const needle = this.#input.value.toLowerCase();
    this.#matches = needle === "" ? [] : this.#find(needle);
    const isNew = needle !== this.#needle;
    this.#needle = needle;
    this.#say();
    if (isNew) this.dispatchEvent(new CustomEvent("needle", { detail: needle }));
  }

  // Returns the places of the events that contain the text, in order.
  #find(needle) {
    const matches = [];
    for (const block of this.#cache.blocks()) {
      // One look at a whole block rules most of them out.
      if (!this.#decoder.decode(block.bytes).toLowerCase().includes(needle)) continue;
      for (let number = 0; number < block.ends.length; number += 1) {
        const text = this.#decoder.decode(eventIn(block, number));
        if (text.toLowerCase().includes(needle)) matches.push(block.from + number);
        if (matches.length === MATCHES_MAX) return matches;
      }
    }
    return matches;
  }

  #say(at) {
    if (this.#needle === "") {
      this.#output.textContent = "";
      return;
    }
    const most = this.#matches.length === MATCHES_MAX ? "+" : "";
    const found = `${grouped(this.#matches.length)}${most}`;
    const loaded = this.#cache.events;
    const where = loaded < this.#total ? ` in ${grouped(loaded)} loaded` : "";
    this.#output.textContent =
      (at === undefined ? found : `${grouped(at + 1)} of ${found}`) + where;
  }

  #go(step) {
    if (this.#input.value.toLowerCase() !== this.#needle) this.#search();
    if (this.#matches.length === 0) return;
    const from = this.from?.();
    let at = step > 0 ? 0 : this.#matches.length - 1;
    if (from !== undefined) {
      const next = this.#matches.findIndex((place) => (step > 0 ? place > from : place >= from));
      if (step > 0) at = next < 0 ? 0 : next;
      else at = (next < 0 ? this.#matches.length : next) - 1;
      if (at < 0) at = this.#matches.length - 1;
    }
    this.#say(at);
    this.dispatchEvent(new CustomEvent("match", { detail: this.#matches[at] }));
  }
}
