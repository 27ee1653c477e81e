// Formats the component's errors for people.

const FATES = {
  durable: "the object is durable",
  "not-written": "the object was not written",
  unknown: "the object may have been written",
};

// Returns the text of an `append-log` error. For any other error, returns its own message.
export function text(error) {
  if (!error.payload) return error.message ?? String(error);
  const { tag, val } = error.payload;
  switch (tag) {
    case "invalid-event":
      return fault(val.fault);
    case "write-failed":
      return `cannot write ${val.object}: ${FATES[val.fate]}${kept(val.eventsPending)}: ${val.message}`;
    case "store-failed":
      return val.message;
    case "damaged":
      return `${val.object} is damaged: expected ${val.expected}, found ${val.found}`;
    case "no-log":
      return `there is no log ${[val.name, ...val.below].join("; a log below it is ")}`;
    case "closed":
      return "the log was closed: open it again";
    default:
      return val;
  }
}

function fault({ tag, val }) {
  switch (tag) {
    case "empty":
      return "the event is empty: an event has at least one byte";
    case "line-feed":
      return "the event has a line feed inside: an event is one line";
    case "too-long":
      return `the event has ${val.bytes} bytes, more than ${val.bytesMax}`;
    default:
      return "the last line does not end with a line feed";
  }
}

function kept(events) {
  if (events === 0n) return "";
  return events === 1n ? "; 1 event is kept in memory" : `; ${events} events are kept in memory`;
}
