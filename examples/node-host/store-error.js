// What the file system says, as the interface's errors.

const KINDS = {
  ENOENT: "not-found",
  EACCES: "permission-denied",
  EPERM: "permission-denied",
  EROFS: "permission-denied",
  ENOSPC: "unavailable",
  EDQUOT: "unavailable",
  EMFILE: "unavailable",
  ENFILE: "unavailable",
  EIO: "unavailable",
  ENOTDIR: "invalid",
  EISDIR: "invalid",
  ENAMETOOLONG: "invalid",
};

// A `store-error` of the interface. Not an `Error`: it is data, thrown as the interface's own.
export function storeError(kind, message) {
  return { kind, message };
}

// The store-error behind a failed call of the file system; a store-error stays as it is. Anything else
// is a defect, and stops the component.
export function fromSystem(action, key, error) {
  if (!(error instanceof Error)) return error;
  if (!error.code) throw error;
  return storeError(KINDS[error.code] ?? "other", `cannot ${action} ${key}: ${error.message}`);
}

// The cases of a `write-error`.
export const alreadyExists = { tag: "already-exists" };
export const notWritten = (error) => ({ tag: "not-written", val: error });
export const unknown = (error) => ({ tag: "unknown", val: error });
