// Shows the log in numbers.

import { element } from "./dom.js";
import { count, grouped, size, time } from "./format.js";

export function showNumbers(list, stats) {
  const tiles = [
    ["Events", grouped(stats.events), lost(stats)],
    ["Size", size(stats.bytes), `${grouped(stats.objects)} objects`],
    ["Segments", grouped(stats.segments), `generation ${grouped(stats.generation)}`],
    ["Live batches", grouped(stats.batches), hidden(stats)],
    ["Garbage", size(stats.garbageBytes), count(stats.garbageObjects, "object", "objects")],
    ["Newest batch", stats.lastTime ? time(stats.lastTime, 1e6).slice(11) : "-", newestDay(stats)],
  ];
  const drawn = tiles.map(([name, value, more]) => {
    const small = more && element("small", { text: more });
    return element("div", {}, element("dt", { text: name }), element("dd", { text: value }, small));
  });
  list.replaceChildren(...drawn);
}

function lost({ lostEvents, uncountedBatches }) {
  const parts = [];
  if (lostEvents > 0) parts.push(`${grouped(lostEvents)} lost`);
  if (uncountedBatches > 0) {
    parts.push(`and those of ${count(uncountedBatches, "batch", "batches")} without a count`);
  }
  return parts.join(", ") || undefined;
}

function hidden({ hiddenBatches }) {
  return hiddenBatches > 0 ? `${grouped(hiddenBatches)} hidden` : undefined;
}

function newestDay({ lastTime }) {
  return lastTime ? time(lastTime, 86_400e6) : undefined;
}
