// Formats the component's errors for people.

// Returns the text of an error of the worker.
export function errorText({ tag, val, message }) {
  switch (tag) {
    case "damaged":
      return damageText(val);
    case "no-log":
      return `there is no log ${[val.name, ...val.below].join("; a log below it is ")}`;
    case "store-failed":
      return val.message;
    default:
      return typeof val === "string" ? val : (message ?? JSON.stringify({ tag, val }));
  }
}

export function damageText({ object, expected, found }) {
  return `${object} is damaged: expected ${expected}, found ${found}`;
}
