// Checks every object of the log in a worker of its own, with progress and findings.

import { element } from "./dom.js";
import { damageText, errorText } from "./error-text.js";
import { count, grouped, size } from "./format.js";
import { WorkerClient } from "./worker-client.js";

const FINDINGS_MAX = 200;
const REASONS = {
  "absorbed-batch": "an absorbed batch",
  "unnamed-segment": "a segment or an index that the log does not name",
  "old-manifest": "an old manifest",
  "unfinished-write": "an unfinished write",
  "old-position": "an old commit of a named position",
};

export class Verification extends EventTarget {
  #button;
  #view;
  #place;
  #client;

  // Dispatches `damaged` with the objects found so far, and `ended` with their number.
  constructor(button, view, place) {
    super();
    this.#button = button;
    this.#view = view;
    this.#place = place;
    const text = "Reads the whole log, and compares every byte with its digest.";
    view.replaceChildren(element("p", { class: "hint", text }));
    button.addEventListener("click", () => (this.#client ? this.#stop() : this.#run()));
  }

  async #run() {
    this.#button.textContent = "Stop";
    const bar = element("progress", { max: 1, value: 0, "aria-label": "Bytes checked" });
    const said = element("p", { class: "hint", role: "status" });
    const list = element("ul", {
      class: "findings",
      "aria-label": "Findings",
      tabindex: "0",
      hidden: true,
    });
    this.#view.replaceChildren(bar, said, list);
    const findings = new Findings(list);
    const begun = performance.now();
    const client = new WorkerClient();
    this.#client = client;
    try {
      await client.call("open", { ...this.#place, keepsIndexes: false });
      await client.call("verify");
      let last;
      for (;;) {
        const step = await client.call("verifyStep");
        if (step === undefined) break;
        last = step;
        bar.max = Math.max(step.bytesTotal, 1);
        bar.value = step.bytes;
        said.textContent = progressText(step);
        findings.add(step.findings);
        if (findings.damaged.size > 0) this.#tell("damaged", [...findings.damaged]);
      }
      bar.max = 1;
      bar.value = 1;
      said.textContent = endText(last, findings, performance.now() - begun);
      this.#tell("ended", findings.damaged.size);
    } catch (error) {
      said.className = error.tag === "ended" ? "hint" : "failure";
      said.textContent = error.tag === "ended" ? "Stopped." : errorText(error);
    } finally {
      client.end();
      this.#client = undefined;
      this.#button.textContent = "Check again";
    }
  }

  #stop() {
    this.#client.end();
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function progressText({ bytes, bytesTotal, objects, objectsTotal, events }) {
  const of = (done, total, shown) => `${shown(done)} of ${shown(total)}`;
  return [
    of(bytes, bytesTotal, size),
    `${of(objects, objectsTotal, grouped)} objects`,
    count(events, "event", "events"),
  ].join(", ");
}

function endText(last, { damaged, garbage }, milliseconds) {
  const parts = [
    damaged.size === 0 ? "No damage" : count(damaged.size, "damaged object", "damaged objects"),
    count(last?.events ?? 0, "event", "events"),
    `${size(last?.bytes ?? 0)} in ${(milliseconds / 1e3).toFixed(1)} s`,
  ];
  if (garbage > 0) parts.push(`${count(garbage, "object", "objects")} of garbage`);
  return `${parts.join(", ")}.`;
}

// The findings so far: damage first, then all else.
class Findings {
  damaged = new Set();
  garbage = 0;
  #list;
  #shown = 0;
  #lastDamage;

  constructor(list) {
    this.#list = list;
  }

  add(findings) {
    for (const { tag, val } of findings) {
      if (tag === "garbage") this.garbage += 1;
      if (tag === "damaged") this.damaged.add(val.object);
      if (this.#shown >= FINDINGS_MAX && tag !== "damaged") continue;
      this.#shown += 1;
      this.#list.hidden = false;
      const text = element("span", { text: findingText(tag, val) });
      const item = element("li", { class: tag }, element("b", { text: val.object }), text);
      if (tag !== "damaged") {
        this.#list.append(item);
      } else if (this.#shown <= FINDINGS_MAX) {
        if (this.#lastDamage) this.#lastDamage.after(item);
        else this.#list.prepend(item);
        this.#lastDamage = item;
      }
    }
  }
}

function findingText(tag, val) {
  if (tag === "damaged") return damageText(val).slice(val.object.length + 1);
  if (tag === "garbage") {
    return `${REASONS[val.reason] ?? val.reason}, ${size(val.bytes)}: the next compaction deletes it`;
  }
  return `not acknowledged: it waits for the batch ${val.before}…`;
}
