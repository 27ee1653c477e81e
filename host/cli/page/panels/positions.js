// Draws the positions of the log, and how far readers are behind.

import { element } from "./dom.js";
import { errorText } from "./error-text.js";
import { count, grouped } from "./format.js";

export class Positions {
  #view;
  #client;
  #readers = [];
  #track = element("div", { class: "track", role: "img" });
  #ends = element("p", { class: "hint ends" });
  #about = element("p", { class: "hint", hidden: "" });
  #table = element("tbody");
  #failure = element("p", { class: "failure", role: "alert" });
  #stats;
  #live = 0;

  constructor(view, client) {
    this.#view = view;
    this.#client = client;
    const input = element("input", {
      name: "position",
      "aria-label": "Position of a reader",
      placeholder: "Position of a reader",
      autocomplete: "off",
      spellcheck: "false",
      required: true,
    });
    const button = element("button", { type: "submit", text: "Show lag" });
    const form = element("form", { class: "lag" }, input, button);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (await this.#add(input.value.trim())) input.value = "";
    });
    const heads = ["Reader at", "Read", "Lag"].map((text) => element("th", { scope: "col", text }));
    const head = element("thead", {}, element("tr", {}, ...heads));
    const table = element("table", { class: "readers" }, head, this.#table);
    view.replaceChildren(this.#track, this.#ends, this.#about, table, form, this.#failure);
  }

  async show(stats, liveEvents) {
    this.#stats = stats;
    this.#live = liveEvents;
    this.#draw();
    // Each reader's lag is that of the log as it is now.
    for (const { position } of this.#readers) await this.#add(position);
  }

  async #add(position) {
    try {
      const reader = await this.#read(position);
      const isKnown = this.#readers.some((other) => other.position === position);
      const others = this.#readers.map((other) => (other.position === position ? reader : other));
      this.#readers = isKnown ? others : [...others, reader];
      this.#failure.textContent = "";
      this.#draw();
      return true;
    } catch (error) {
      this.#failure.textContent = errorText(error);
      return false;
    }
  }

  async #read(position) {
    return { position, ...(await this.#client.call("lag", { position })) };
  }

  #draw() {
    const { firstPosition, nextPosition } = this.#stats;
    const end = nextPosition + this.#live;
    const part = (kind, from, to) => {
      const drawn = element("div", { class: `part ${kind}` });
      drawn.style.width = `${((to - from) / Math.max(end, 1)) * 100}%`;
      return drawn;
    };
    const markers = this.#readers.map(({ position, before }) => {
      const marker = element("div", { class: "marker", title: position });
      marker.style.left = `${Math.min((firstPosition + before) / Math.max(end, 1), 1) * 100}%`;
      return marker;
    });
    this.#track.replaceChildren(
      part("trimmed", 0, firstPosition),
      part("compacted", firstPosition, nextPosition),
      part("live", nextPosition, end),
      ...markers,
    );
    const live = count(this.#live, "live event", "live events");
    const text = `positions ${grouped(firstPosition)} to ${grouped(nextPosition)}, and ${live}`;
    this.#track.setAttribute("aria-label", text);
    this.#ends.replaceChildren(
      element("span", { text: `first ${grouped(firstPosition)}` }),
      element("span", { text: `next ${grouped(nextPosition)}` }),
      element("span", { text: live }),
    );
    this.#about.hidden = nextPosition > 0 || this.#live === 0;
    this.#about.textContent =
      "No event has a position yet: live events get theirs when they are compacted.";
    const rows = this.#readers.map(({ position, before, behind }) => {
      const cells = [grouped(before), count(behind, "event", "events")];
      const name = element("td", { title: position, text: position });
      return element("tr", {}, name, ...cells.map((text) => element("td", { text })));
    });
    if (rows.length === 0) {
      const text = "Paste the position of a reader to see how far it is behind.";
      rows.push(element("tr", {}, element("td", { colspan: 3, class: "none", text })));
    }
    this.#table.replaceChildren(...rows);
  }
}
