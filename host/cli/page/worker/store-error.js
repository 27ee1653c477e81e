// Makes the errors of the interface `object-store` from answers over HTTP.

const KINDS = new Map([
  [401, "permission-denied"],
  [403, "permission-denied"],
  [404, "not-found"],
  [409, "not-an-object"],
  [410, "not-found"],
  [416, "invalid"],
  [501, "unsupported"],
]);

// Returns a `store-error`. It is not an `Error`: the interface throws it as data.
export function storeError(kind, message) {
  return { kind, message };
}

// Returns the error of an answer whose status is no success. `message` is the text of the server.
export function refusal(action, key, { status, statusText }, message) {
  const transient = status >= 500 || status === 408 || status === 429;
  const kind = KINDS.get(status) ?? (transient ? "unavailable" : "other");
  if (message) return storeError(kind, message);
  const said = statusText ? `${status} ${statusText}` : `${status}`;
  return storeError(kind, `cannot ${action} ${key}: the server answered ${said}`);
}

// Returns the error of a request without an answer. The browser does not tell the page the reason.
export function noAnswer(action, key, isElsewhere) {
  const reason = isElsewhere
    ? "there is no answer, or the server does not let this page read it (CORS)"
    : "there is no answer; check that the server still runs";
  return storeError("unavailable", `cannot ${action} ${key}: ${reason}`);
}

// Returns the error of every call that would write.
export function readOnly(action, key) {
  const error = storeError("permission-denied", `cannot ${action} ${key}: this page only reads`);
  return { tag: "not-written", val: error };
}
