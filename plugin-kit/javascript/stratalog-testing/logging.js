// The interface `wasi:logging/logging` of a plugin: its messages go to stderr.

export function log(level, context, message) {
  console.error(`${level}: ${context}: ${message}`);
}
