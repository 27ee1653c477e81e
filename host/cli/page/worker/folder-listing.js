// Lists the objects in a folder from the page of links that a web server makes of it.

import { getRange, getText } from "./requests.js";
import { storeError } from "./store-error.js";

// Returns all names directly in the folder of `prefix`, as entries without sizes.
export function folderEntries(root, prefix) {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  const url = new URL(root.urlOf(folder));
  const html = pageOf(url.href, prefix);
  const entries = new Map();
  for (const [, , quoted, bare] of html.matchAll(
    /<a\s[^>]*?href=(["'])(.*?)\1|href=([^\s>"']+)/gi,
  )) {
    const name = nameOf(url, quoted ?? bare ?? "");
    if (name === undefined) continue;
    const key = folder + name;
    entries.set(key, { key, size: 0n, kind: kindOf(name) });
  }
  return [...entries.values()];
}

// Returns an entry with its size, which takes a request.
export function sized(root, entry) {
  if (entry.kind !== "object") return entry;
  const { size } = getRange(root.urlOf(entry.key), 0, 1, entry.key);
  if (size !== undefined) return { ...entry, size: BigInt(size) };
  const reason = "the server does not say the size of the object in Content-Range";
  throw storeError("unsupported", `cannot list ${entry.key}: ${reason}`);
}

function pageOf(url, prefix) {
  try {
    return getText(url, "list", prefix);
  } catch (error) {
    // A folder that does not exist is an empty one.
    if (error.kind === "not-found") return "";
    throw error;
  }
}

// Returns the name that a link leads to; none for a link to anything but an entry of the folder.
function nameOf(folder, link) {
  let target;
  try {
    target = new URL(link.replaceAll("&amp;", "&"), folder);
  } catch {
    return undefined;
  }
  if (target.origin !== folder.origin || target.search !== "" || target.hash !== "")
    return undefined;
  if (!target.pathname.startsWith(folder.pathname)) return undefined;
  const rest = target.pathname.slice(folder.pathname.length);
  const slash = rest.indexOf("/");
  if (rest === "" || (slash >= 0 && slash !== rest.length - 1)) return undefined;
  try {
    return decodeURIComponent(rest);
  } catch {
    return undefined;
  }
}

function kindOf(name) {
  if (name.endsWith("/")) return "folder";
  return /#[0-9]+$/.test(name) ? "unfinished" : "object";
}
