// Shows the selected event whole, JSON with its structure.

import { element } from "./dom.js";
import { textNodes, visible, wholeText } from "./event-row.js";
import { grouped, size, time } from "./format.js";

const SHOWN_BYTES_MAX = 256 * 1024;

export class EventDetail {
  #article;

  // `closed` is called when the user closes it.
  constructor(article, closed) {
    this.#article = article;
    this.closed = closed;
    article.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") closed();
    });
  }

  get isOpen() {
    return !this.#article.hidden;
  }

  hide() {
    this.#article.hidden = true;
  }

  show(place, batch, bytes, needle) {
    const label = batch.isLive ? "live event" : "position";
    const close = element("button", { type: "button", class: "close", text: "Close" });
    close.addEventListener("click", this.closed);
    const header = element(
      "header",
      {},
      element("b", { text: batch.isLive ? "Live event" : `Position ${grouped(place)}` }),
      element("span", { class: "hint", text: `batch sealed ${time(batch.time)}` }),
      element("span", { class: "hint", text: size(bytes.length) }),
    );
    const pre = element("pre", { tabindex: "0", "aria-label": `The text of this ${label}` });
    pre.append(...textNodes(pretty(bytes), needle));
    this.#article.replaceChildren(header, close, pre);
    if (bytes.length > SHOWN_BYTES_MAX) {
      const text = `The first ${size(SHOWN_BYTES_MAX)} are shown.`;
      this.#article.append(element("p", { class: "hint", text }));
    }
    this.#article.hidden = false;
  }
}

function pretty(bytes) {
  const text = wholeText(bytes, SHOWN_BYTES_MAX);
  return visible(indented(text)).replaceAll("\u240a", "\n");
}

// Indents JSON without changing its numbers, which may have more digits than JavaScript keeps.
function indented(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  const parts = /"(?:[^"\\]|\\.)*"|\{\s*\}|\[\s*\]|[{}[\],:]|[^\s{}[\],:"]+/g;
  return [...text.matchAll(parts)]
    .map(([part]) => {
      switch (part) {
        case "{":
        case "[":
          depth += 1;
          return part + line();
        case "}":
        case "]":
          depth -= 1;
          return line() + part;
        case ",":
          return part + line();
        case ":":
          return ": ";
        default:
          return part;
      }
    })
    .join("");
}
