// Draws events over time, and zooms by mouse, touch, wheel, buttons and keys.

import { svg } from "./dom.js";
import { DAY, clock, grouped, short, time } from "./format.js";
import { binsOf, marksIn, roundedUp, stepFor, timesOf } from "./histogram-bins.js";

const LEFT = 44;
const BOTTOM = 22;
const TOP = 8;
const BAR_PIXELS = 9;
const MARK_PIXELS = 110;
const SPAN_MIN = 10;

export class Histogram extends EventTarget {
  #view;
  #about;
  #rows;
  #whole;
  #range;
  #bins = [];
  #cursor;
  #drag;

  // Dispatches `range` when the shown time changes, and `go` with a place to show.
  constructor(view, about) {
    super();
    this.#view = view;
    this.#about = about;
    new ResizeObserver(() => this.#draw()).observe(view);
    view.addEventListener("keydown", (event) => this.#key(event));
    view.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    view.addEventListener("pointerdown", (event) => this.#down(event));
    view.addEventListener("pointermove", (event) => this.#move(event));
    view.addEventListener("pointerup", (event) => this.#up(event));
    view.addEventListener("pointercancel", () => this.#endDrag());
    view.addEventListener("blur", () => this.#point(undefined));
    view.addEventListener("dblclick", () => this.reset());
  }

  // The shown range of time; none if it is the whole.
  get range() {
    return this.#range;
  }

  show(rows) {
    this.#rows = rows;
    const times = timesOf(rows);
    // A single time has a span, too.
    this.#whole = times && [times[0], Math.max(times[1], times[0] + SPAN_MIN)];
    this.#draw();
  }

  reset() {
    this.#zoomTo(undefined);
  }

  // Zooms around the cursor, or the middle: a factor below 1 shows less time.
  zoom(factor, around) {
    if (this.#whole === undefined) return;
    const [from, until] = this.#shown;
    const at = around ?? this.#cursorTime ?? (from + until) / 2;
    const cursor = this.#cursorTime;
    this.#zoomTo([at - (at - from) * factor, at + (until - at) * factor]);
    if (cursor !== undefined) this.#point(this.#barAt(cursor));
  }

  get #shown() {
    return this.#range ?? this.#whole;
  }

  get #cursorTime() {
    const bin = this.#bins[this.#cursor];
    return bin && (bin.from + bin.until) / 2;
  }

  #zoomTo(range) {
    const [first, last] = this.#whole ?? [0, 0];
    let [from, until] = range ?? [first, last];
    from = Math.max(Math.floor(from), first);
    until = Math.min(Math.ceil(until), last);
    if (until - from < SPAN_MIN) until = from + SPAN_MIN;
    this.#range = from <= first && until >= last ? undefined : [from, until];
    this.#draw();
    this.dispatchEvent(new Event("range"));
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#view;
    if (this.#rows === undefined || width === 0) return;
    const shown = this.#shown;
    const bars = Math.max(Math.floor((width - LEFT) / BAR_PIXELS), 1);
    this.#bins = shown ? binsOf(this.#rows, shown, bars) : [];
    const top = roundedUp(
      Math.max(1, ...this.#bins.map(({ compacted, live }) => compacted + live)),
    );
    const drawing = svg("svg", { "aria-hidden": "true", viewBox: `0 0 ${width} ${height}` });
    const yOf = (events) => TOP + (1 - events / top) * (height - TOP - BOTTOM);
    for (const events of [0, top / 2, top]) {
      const y = Math.round(yOf(events)) + 0.5;
      drawing.append(svg("line", { class: "grid", x1: LEFT, x2: width, y1: y, y2: y }));
      const label = { x: LEFT - 6, y: y + 4, "text-anchor": "end", text: short(events) };
      if (Number.isInteger(events)) drawing.append(svg("text", label));
    }
    const barWidth = (width - LEFT) / bars;
    this.#bins.forEach(({ compacted, live }, bar) => {
      const x = LEFT + bar * barWidth;
      const wide = Math.max(barWidth - 1.5, 1);
      const add = (kind, from, to) => {
        if (to <= from) return;
        const high = Math.max(yOf(from) - yOf(to), 1.5);
        drawing.append(
          svg("rect", { class: kind, x, y: yOf(from) - high, width: wide, height: high }),
        );
      };
      add("compacted", 0, compacted);
      add("live", compacted, compacted + live);
    });
    if (shown) this.#drawTimes(drawing, shown, width, height);
    if (this.#cursor < bars) {
      const x = LEFT + this.#cursor * barWidth;
      drawing.append(svg("rect", { class: "cursor", x, y: 0, width: barWidth, height }));
    }
    if (this.#drag !== undefined) {
      const [from, to] = [this.#drag.from, this.#drag.to].sort((a, b) => a - b);
      drawing.append(svg("rect", { class: "dragged", x: from, y: 0, width: to - from, height }));
    }
    this.#view.replaceChildren(drawing);
  }

  #drawTimes(drawing, [from, until], width, height) {
    const step = stepFor(until - from, Math.max((width - LEFT) / MARK_PIXELS, 2));
    for (const at of marksIn([from, until], step)) {
      const x = LEFT + ((at - from) / (until - from)) * (width - LEFT);
      const anchor = x > width - 40 ? "end" : x < LEFT + 30 ? "start" : "middle";
      const text = step >= DAY ? time(at, step) : clock(at, step);
      drawing.append(svg("text", { x, y: height - 6, "text-anchor": anchor, text }));
    }
  }

  // Puts the cursor on a bar, and describes the bar.
  #point(bar) {
    this.#cursor = bar;
    const bin = this.#bins[bar];
    if (bin === undefined) {
      this.#about.textContent = "";
    } else {
      const step = 10 ** Math.floor(Math.log10(Math.max(bin.until - bin.from, 1)));
      const span = `${time(bin.from, step)} to ${clock(bin.until, step)}`;
      const live = bin.live > 0 ? `, ${grouped(Math.round(bin.live))} of them live` : "";
      const events = Math.round(bin.compacted + bin.live);
      this.#about.textContent = `${span}: ${grouped(events)} ${events === 1 ? "event" : "events"}${live}`;
    }
    this.#draw();
  }

  #barAt(at) {
    const [from, until] = this.#shown;
    const bar = Math.floor(((at - from) / (until - from)) * this.#bins.length);
    return Math.min(Math.max(bar, 0), this.#bins.length - 1);
  }

  #xOf({ clientX }) {
    return clientX - this.#view.getBoundingClientRect().left;
  }

  #timeAt(x) {
    const [from, until] = this.#shown;
    const width = this.#view.clientWidth - LEFT;
    return from + Math.min(Math.max((x - LEFT) / width, 0), 1) * (until - from);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.#bins.length === 0) return;
    const last = this.#bins.length - 1;
    const at = this.#cursor;
    switch (event.key) {
      case "ArrowRight":
        this.#point(at === undefined ? 0 : Math.min(at + (event.shiftKey ? 10 : 1), last));
        break;
      case "ArrowLeft":
        this.#point(at === undefined ? last : Math.max(at - (event.shiftKey ? 10 : 1), 0));
        break;
      case "Home":
        this.#point(0);
        break;
      case "End":
        this.#point(last);
        break;
      case "+":
      case "=":
        this.zoom(0.5);
        break;
      case "-":
        this.zoom(2);
        break;
      case "0":
      case "Escape":
        this.reset();
        break;
      case "Enter":
        this.#go(at);
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  #go(bar) {
    const place = this.#bins[bar]?.place;
    if (place !== undefined) this.dispatchEvent(new CustomEvent("go", { detail: place }));
  }

  // With Ctrl, or with two fingers, the wheel zooms. Without, it scrolls the page.
  #wheel(event) {
    if (!event.ctrlKey || this.#whole === undefined) return;
    event.preventDefault();
    this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.#timeAt(this.#xOf(event)));
  }

  #down(event) {
    if (event.button !== 0 || this.#whole === undefined) return;
    const x = Math.max(this.#xOf(event), LEFT);
    this.#drag = { from: x, to: x };
    this.#view.setPointerCapture(event.pointerId);
  }

  #move(event) {
    if (this.#whole === undefined) return;
    if (this.#drag !== undefined) this.#drag.to = Math.max(this.#xOf(event), LEFT);
    this.#point(this.#barAt(this.#timeAt(this.#xOf(event))));
  }

  #up(event) {
    if (this.#drag === undefined) return;
    const { from, to } = this.#drag;
    this.#endDrag();
    if (Math.abs(to - from) < 4) {
      this.#go(this.#barAt(this.#timeAt(this.#xOf(event))));
      return;
    }
    this.#zoomTo([from, to].sort((a, b) => a - b).map((x) => this.#timeAt(x)));
  }

  #endDrag() {
    this.#drag = undefined;
    this.#draw();
  }
}
