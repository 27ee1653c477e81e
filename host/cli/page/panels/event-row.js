// Draws one event as a row, with the parts of JSON and the matches of a search marked.

import { element } from "./dom.js";

// The most characters of an event that a row shows.
const ROW_CHARACTERS_MAX = 400;
const DECODER = new TextDecoder();
// Characters that no font draws.
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\u007f-\u009f\u2028\u2029\ufff9-\ufffb]/gu;
// Those of them that shape the letters next to them: joiners and selectors of a variant.
const SHAPING = /[\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/u;
const JSON_PARTS =
  /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

// Returns the beginning of an event as text. Control characters are shown as symbols.
export function rowText(bytes) {
  const text = DECODER.decode(bytes.subarray(0, ROW_CHARACTERS_MAX * 3)).slice(
    0,
    ROW_CHARACTERS_MAX,
  );
  return visible(text);
}

export function wholeText(bytes, bytesMax) {
  return DECODER.decode(bytes.subarray(0, bytesMax));
}

// Replaces characters that could hide or reorder text.
export function visible(text) {
  return text
    .replace(/[\u0000-\u001f]/g, (control) => String.fromCharCode(0x2400 + control.charCodeAt(0)))
    .replace(INVISIBLE, (character) => (SHAPING.test(character) ? character : "\ufffd"));
}

// Returns nodes for a text: JSON in colours, and each place of `needle` in it as a mark.
export function textNodes(text, needle) {
  const marks = placesOf(text, needle);
  let at = 0;
  return (isJson(text) ? jsonParts(text) : [{ part: text }]).flatMap(({ kind, part }) => {
    const nodes = markedNodes(part, at, marks);
    at += part.length;
    return kind === undefined ? nodes : [element("span", { class: kind }, ...nodes)];
  });
}

function isJson(text) {
  return text.startsWith("{") || text.startsWith("[");
}

function jsonParts(text) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(JSON_PARTS)) {
    const [whole, string, colon] = found;
    if (found.index > end) parts.push({ part: text.slice(end, found.index) });
    end = found.index + whole.length;
    if (string === undefined) parts.push({ kind: "json-number", part: whole });
    else if (colon === undefined) parts.push({ kind: "json-text", part: whole });
    else parts.push({ kind: "json-name", part: string }, { part: colon });
  }
  parts.push({ part: text.slice(end) });
  return parts;
}

// Returns the places of a text in another, without regard to case.
function placesOf(text, needle) {
  const lower = text.toLowerCase();
  // Some letters have more than one in lower case.
  if (!needle || lower.length !== text.length) return [];
  const places = [];
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, at + needle.length)) {
    places.push([at, at + needle.length]);
  }
  return places;
}

// Returns nodes for a part that begins at an offset. A mark may continue in the next part.
function markedNodes(part, offset, marks) {
  const nodes = [];
  let end = 0;
  for (const [from, to] of marks) {
    const [begin, stop] = [Math.max(from - offset, 0), Math.min(to - offset, part.length)];
    if (begin >= stop) continue;
    nodes.push(part.slice(end, begin), element("mark", { text: part.slice(begin, stop) }));
    end = stop;
  }
  nodes.push(part.slice(end));
  return nodes;
}
