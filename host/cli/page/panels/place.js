// Finds the log that the page shows.
//
// `stratalog view` says it in `log.json`. Without that file, the address of the page does:
//
//   ?log=URL                  the folder of the log, which a web server lists as links
//   ?bucket=URL&log=KEY       a bucket that answers ListObjectsV2, and the key of the log in it
//
// A URL may be relative to the page.

// Returns { base, isBucket, log, title }; none if nothing names a log.
export async function placeOfLog() {
  const query = new URLSearchParams(location.search);
  const log = query.get("log");
  const bucket = query.get("bucket");
  if (bucket && log) return inBucket(bucket, log);
  if (log) return inFolder(log);
  return served();
}

export function inBucket(bucket, key) {
  const base = folderUrl(bucket);
  const log = trimmed(key);
  return { base, isBucket: true, log, title: base + log };
}

export function inFolder(folder) {
  const url = folderUrl(folder);
  const end = url.lastIndexOf("/", url.length - 2) + 1;
  const log = decodeURIComponent(url.slice(end, -1));
  return { base: url.slice(0, end), isBucket: false, log, title: url };
}

async function served() {
  const answer = await fetch("log.json");
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw { tag: "failed", val: `log.json: the server answered ${answer.status}` };
  const { objects, log, title } = await answer.json();
  return { base: new URL(objects, location.href).href, isBucket: true, log, title };
}

// Returns an absolute URL that ends with a slash.
function folderUrl(text) {
  const url = new URL(text, location.href);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw { tag: "failed", val: `${text}: only http and https are read` };
  }
  url.search = "";
  url.hash = "";
  return url.href.endsWith("/") ? url.href : `${url.href}/`;
}

function trimmed(key) {
  return key.replace(/^\/+|\/+$/g, "");
}
