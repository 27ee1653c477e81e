// Formats the component's errors for people.

// Returns the text of an `append-log` error. For any other error, returns its own message.
export function text(error) {
  if (!error.payload) return error.message ?? String(error);
  const { tag, val } = error.payload;
  switch (tag) {
    case "invalid-event":
      return `${tag}: ${fault(val.fault)}`;
    case "write-failed":
      return `${tag}: ${val.object} (${val.fate}, ${val.eventsPending} events pending): ${val.message}`;
    case "store-failed":
      return `${tag}: ${val.message}`;
    case "damaged":
      return `${tag}: ${val.object}: expected ${val.expected}, found ${val.found}`;
    case "no-log":
      return `${tag}: there is no log ${[val.name, ...val.below].join("; below it is ")}`;
    case "closed":
      return tag;
    default:
      return `${tag}: ${val}`;
  }
}

function fault({ tag, val }) {
  return tag === "too-long" ? `${val.bytes} bytes, at most ${val.bytesMax}` : tag;
}
