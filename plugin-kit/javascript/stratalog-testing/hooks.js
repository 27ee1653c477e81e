// Resolves the imports that a host provides to modules of this folder.

const PLACES = [
  ["stratalog:log/append-log@", "./append-log.js"],
  ["wasi:cli/", "./command-line.js"],
  ["wasi:logging/logging@", "./logging.js"],
];

export function resolve(specifier, context, next) {
  const place = PLACES.find(([start]) => specifier.startsWith(start));
  if (!place) return next(specifier, context);
  return { url: new URL(place[1], import.meta.url).href, shortCircuit: true };
}
