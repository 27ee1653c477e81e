// Joins the parts of the page.

import { byId } from "./panels/dom.js";
import { errorText } from "./panels/error-text.js";
import { EventCache } from "./panels/event-cache.js";
import { EventDetail } from "./panels/event-detail.js";
import { EventList } from "./panels/event-list.js";
import { count, grouped, time } from "./panels/format.js";
import { Histogram } from "./panels/histogram.js";
import { showNumbers } from "./panels/numbers.js";
import { inBucket, inFolder, placeOfLog } from "./panels/place.js";
import { Positions } from "./panels/positions.js";
import { Runs } from "./panels/runs.js";
import { Search } from "./panels/search.js";
import { Storage } from "./panels/storage.js";
import { Verification } from "./panels/verification.js";
import { WorkerClient } from "./panels/worker-client.js";
import { liveEventsOf } from "./worker/log-reader.js";

const FOLLOW_MS = 1_000;
// A log that changes all the time is loaded at most this often.
const REFRESH_MS = 500;

class Page {
  #place;
  #client = new WorkerClient();
  #cache = new EventCache(this.#client);
  #list = new EventList(byId("list"), this.#cache);
  #search = new Search(byId("search"), this.#cache);
  #histogram = new Histogram(byId("histogram"), byId("bar"));
  #storage = new Storage(byId("storage"));
  #positions = new Positions(byId("positions"), this.#client);
  #detail = new EventDetail(byId("detail"), () => this.#closeDetail());
  #overview;
  #runs;
  #isFollowing = false;
  #isRefreshing = false;
  #refreshed = 0;

  constructor(place) {
    this.#place = place;
    this.#listen();
    const verification = new Verification(byId("verify"), byId("verification"), place);
    verification.addEventListener("damaged", ({ detail }) => this.#storage.markDamaged(detail));
    verification.addEventListener("ended", ({ detail }) => this.#showState(detail));
  }

  async start() {
    byId("name").textContent = this.#place.log;
    byId("place").textContent = this.#place.title;
    document.title = `${this.#place.log} · stratalog`;
    try {
      await this.#client.call("open", { ...this.#place, keepsIndexes: true });
    } catch (error) {
      showFailure(error);
      return;
    }
    byId("main").hidden = false;
    await this.#refresh();
    if (this.#runs) this.#list.scrollToEnd();
  }

  #listen() {
    this.#cache.addEventListener("stale", () => this.#refreshSoon());
    this.#cache.addEventListener("failed", ({ detail }) => showFailure(detail));
    this.#cache.addEventListener("loaded", () => this.#showLoaded());
    this.#cache.addEventListener("damaged", ({ detail }) => {
      this.#storage.markDamaged([detail.object]);
    });
    this.#list.addEventListener("open", ({ detail }) => this.#openDetail(detail));
    this.#list.addEventListener("select", ({ detail }) => {
      if (this.#detail.isOpen) this.#openDetail(detail);
    });
    this.#search.from = () => this.#list.selected;
    this.#search.addEventListener("needle", ({ detail }) => this.#list.setNeedle(detail));
    this.#search.addEventListener("match", ({ detail }) => this.#list.goTo(detail));
    this.#histogram.addEventListener("range", () => this.#showRange());
    this.#histogram.addEventListener("go", ({ detail }) => this.#list.scrollTo(detail));
    this.#storage.addEventListener("go", ({ detail }) => this.#list.scrollTo(detail));
    byId("zoom-in").addEventListener("click", () => this.#histogram.zoom(0.5));
    byId("zoom-out").addEventListener("click", () => this.#histogram.zoom(2));
    byId("zoom-reset").addEventListener("click", () => this.#histogram.reset());
    byId("refresh").addEventListener("click", () => {
      this.#cache.clear();
      this.#refresh();
    });
    byId("follow").addEventListener("click", () => this.#toggleFollow());
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.target.closest("input, textarea")) return;
      event.preventDefault();
      this.#search.focus();
    });
  }

  // Loads the numbers and the layout of the log, and shows them.
  async #refresh() {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      this.#overview = await this.#client.call("overview");
      this.#refreshed = performance.now();
      byId("notice").hidden = true;
      this.#show();
    } catch (error) {
      showFailure(error);
    } finally {
      this.#isRefreshing = false;
    }
  }

  #refreshSoon() {
    const wait = Math.max(this.#refreshed + REFRESH_MS - performance.now(), 0);
    setTimeout(() => this.#refresh(), wait);
  }

  #show() {
    const { stats, layout } = this.#overview;
    const liveEvents = liveEventsOf(stats);
    showNumbers(byId("numbers"), stats);
    this.#cache.setLog(stats, liveEvents);
    this.#storage.show(this.#place.log, layout);
    this.#positions.show(stats, liveEvents);
    this.#histogram.show(layout.rows);
    this.#showRange();
    if (this.#isFollowing) this.#list.scrollToEnd();
    if (layout.unusable.length > 0) {
      const objects = layout.unusable.join(", ");
      showNotice(
        `Not drawn in detail, since it is gone or damaged: ${objects}. Verify names the damage.`,
      );
    }
  }

  // Shows the events of the time that the histogram shows.
  #showRange() {
    if (this.#overview === undefined) return;
    const { stats, layout } = this.#overview;
    const { range } = this.#histogram;
    this.#runs = new Runs(layout.rows, stats.firstPosition, range);
    this.#cache.setRuns(this.#runs);
    this.#search.setTotal(this.#runs.total);
    this.#list.show(this.#runs);
    byId("range").textContent = range ? `${time(range[0], 1e3)} to ${time(range[1], 1e3)}` : "";
    this.#showLoaded();
  }

  #showLoaded() {
    const all = this.#overview.stats.events;
    const { total } = this.#runs;
    const shown =
      total === all
        ? count(total, "event", "events")
        : `${grouped(total)} of ${grouped(all)} events`;
    byId("shown").textContent = `${shown}, ${grouped(Math.min(this.#cache.events, all))} loaded`;
  }

  #openDetail(place) {
    const { bytes } = this.#cache.get(place) ?? {};
    if (bytes === undefined) this.#detail.hide();
    else this.#detail.show(place, this.#runs.batchOf(place), bytes, this.#search.needle);
  }

  #closeDetail() {
    this.#detail.hide();
    byId("list").focus();
  }

  #showState(damaged) {
    const state = byId("state");
    state.className = damaged > 0 ? "state damaged" : "state good";
    const found = count(damaged, "damaged object", "damaged objects");
    state.textContent = damaged > 0 ? found : "verified: no damage";
  }

  #toggleFollow() {
    this.#isFollowing = !this.#isFollowing;
    byId("follow").setAttribute("aria-pressed", String(this.#isFollowing));
    if (!this.#isFollowing) return;
    this.#histogram.reset();
    this.#list.scrollToEnd();
    this.#follow();
  }

  async #follow() {
    // The first look sees what is new from then on, so the log is loaded behind it.
    let isFirst = true;
    byId("follow").setAttribute("aria-busy", "true");
    while (this.#isFollowing) {
      try {
        if ((await this.#client.call("hasNew")) || isFirst) await this.#refresh();
        isFirst = false;
        byId("follow").removeAttribute("aria-busy");
      } catch (error) {
        showFailure(error);
      }
      await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
    }
  }
}

function showFailure(error) {
  showNotice(error instanceof Error ? String(error) : errorText(error));
}

function showNotice(text) {
  byId("notice").textContent = text;
  byId("notice").hidden = false;
}

// Asks for the log if nothing names it.
function choose() {
  const form = byId("choose");
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { url, key } = form.elements;
    try {
      // Checks the URL before the page leaves.
      if (key.value === "") inFolder(url.value);
      else inBucket(url.value, key.value);
    } catch (error) {
      showFailure(error);
      return;
    }
    const query = key.value === "" ? { log: url.value } : { bucket: url.value, log: key.value };
    location.search = new URLSearchParams(query);
  });
}

try {
  const place = await placeOfLog();
  if (place === undefined) choose();
  else await new Page(place).start();
} catch (error) {
  showFailure(error);
}
