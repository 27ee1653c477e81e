// Converts errors of the file system to the interface's errors.

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

// Returns a `store-error` of the interface. It is not an `Error`: the interface throws it as data.
export function storeError(kind, message) {
  return { kind, message };
}

// Returns the store-error of a failed file system call; a store-error is returned unchanged.
// Anything else is a bug, and stops the component.
export function fromSystem(action, key, error) {
  if (!(error instanceof Error)) return error;
  if (!error.code) throw error;
  return storeError(KINDS[error.code] ?? "other", `cannot ${action} ${key}: ${error.message}`);
}

// The cases of a `write-error`.
export const alreadyExists = { tag: "already-exists" };
export const notWritten = (error) => ({ tag: "not-written", val: error });
export const unknown = (error) => ({ tag: "unknown", val: error });
