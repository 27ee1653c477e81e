// Lists objects by ListObjectsV2, as buckets and `stratalog view` answer it.

import { getText } from "./requests.js";
import { storeError } from "./store-error.js";

// Returns one page of the entries directly below `prefix`, and the token of the next page.
export function s3Page(root, prefix, startAfter, token, limit) {
  const query = new URLSearchParams({
    "list-type": "2",
    "encoding-type": "url",
    delimiter: "/",
    "max-keys": String(limit),
    prefix,
  });
  if (token !== undefined) query.set("continuation-token", token);
  else if (startAfter !== undefined) query.set("start-after", startAfter);
  const xml = getText(`${root.base}?${query}`, "list", prefix);
  if (!/<ListBucketResult[\s>]/.test(xml)) {
    const reason = "the answer is no listing of a bucket";
    throw storeError("other", `cannot list ${prefix}: ${reason}`);
  }
  const isEncoded = tag(xml, "EncodingType") === "url";
  const key = (text) => checked(isEncoded ? decoded(text) : text, prefix);
  const objects = elements(xml, "Contents").map((entry) => ({
    key: key(tag(entry, "Key")),
    size: BigInt(tag(entry, "Size")),
    kind: tag(entry, "Kind") ?? "object",
  }));
  for (const entry of elements(xml, "CommonPrefixes")) {
    objects.push({ key: key(tag(entry, "Prefix")), size: 0n, kind: "folder" });
  }
  const more = tag(xml, "IsTruncated") === "true";
  return { objects, token: more ? tag(xml, "NextContinuationToken") : undefined, more };
}

// Workers have no parser of XML. These elements contain no others of their name, and no attribute.
function elements(xml, name) {
  const pattern = new RegExp(`<${name}>(.*?)</${name}>`, "gs");
  return [...xml.matchAll(pattern)].map((found) => found[1]);
}

function tag(xml, name) {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text === undefined ? undefined : unescaped(text);
}

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text) {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : parseInt(hex, 16));
  });
}

function decoded(text) {
  return decodeURIComponent(text.replaceAll("+", "%20"));
}

function checked(key, prefix) {
  if (key.startsWith(prefix)) return key;
  const found = JSON.stringify(key.slice(0, 200));
  throw storeError("other", `cannot list ${prefix}: the server listed ${found}`);
}
