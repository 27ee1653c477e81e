// Scrolls over more rows than an element can be high.
//
// The sheet is at most SHEET_PIXELS_MAX high. If the rows need more, a small scroll moves by pixels
// as usual, and a large one, as of the scroll bar, goes to the same part of the rows.

export const ROW_PIXELS = 28;
const SHEET_PIXELS_MAX = 8_000_000;
const SETTLED_MS = 150;

export class VirtualScroll {
  #view;
  #sheet;
  #total = 0;
  #first = 0;
  #last = 0;
  #timer;

  // `changed` is called when other rows are to be shown.
  constructor(view, sheet, changed) {
    this.#view = view;
    this.#sheet = sheet;
    view.addEventListener("scroll", () => {
      this.#scrolled();
      changed();
    });
  }

  // The number of rows that fit, the last one perhaps in part.
  get fitting() {
    return Math.max(this.#view.clientHeight / ROW_PIXELS, 1);
  }

  // The first row that is shown, as a fraction if it is shown in part.
  get first() {
    return this.#first;
  }

  setTotal(total) {
    this.#total = total;
    this.#sheet.style.height = `${Math.min(total * ROW_PIXELS, SHEET_PIXELS_MAX)}px`;
    this.#goTo(this.#first);
  }

  // Scrolls as little as needed to show a row whole.
  reveal(row) {
    if (row < this.#first) this.#goTo(row);
    else if (row + 1 > this.#first + this.fitting) this.#goTo(row + 1 - this.fitting);
  }

  // Scrolls so that a row is the first.
  goTo(row) {
    this.#goTo(row);
  }

  // Returns the distance of a row from the top of the sheet.
  topOf(row) {
    return this.#view.scrollTop + (row - this.#first) * ROW_PIXELS;
  }

  get #isScaled() {
    return this.#total * ROW_PIXELS > SHEET_PIXELS_MAX;
  }

  get #firstMax() {
    return Math.max(this.#total - this.fitting, 0);
  }

  #goTo(row) {
    this.#first = Math.min(Math.max(row, 0), this.#firstMax);
    this.#settle();
  }

  // Moves the scroll bar to the part of the rows that is shown.
  #settle() {
    const most = this.#view.scrollHeight - this.#view.clientHeight;
    const part = this.#firstMax === 0 ? 0 : this.#first / this.#firstMax;
    this.#view.scrollTop = this.#isScaled ? part * most : this.#first * ROW_PIXELS;
    this.#last = this.#view.scrollTop;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#view;
    const moved = scrollTop - this.#last;
    if (moved === 0) return;
    this.#last = scrollTop;
    if (!this.#isScaled) {
      this.#first = scrollTop / ROW_PIXELS;
    } else if (Math.abs(moved) < 2 * clientHeight) {
      this.#first = Math.min(Math.max(this.#first + moved / ROW_PIXELS, 0), this.#firstMax);
    } else {
      this.#first = (scrollTop / (scrollHeight - clientHeight)) * this.#firstMax;
    }
    clearTimeout(this.#timer);
    if (this.#isScaled) this.#timer = setTimeout(() => this.#settleIfStill(), SETTLED_MS);
  }

  // A scroll whose event is still to come would be undone: that event settles it.
  #settleIfStill() {
    if (this.#view.scrollTop === this.#last) this.#settle();
  }
}
