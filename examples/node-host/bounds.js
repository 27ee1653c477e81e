// Defines the bounds that the interface names.

const MIB = 1024 * 1024;
export const OBJECT_BYTES_MAX = 64 * MIB;
export const CHUNK_BYTES_MIN = 1024;
export const KEYS_MAX = 10_000;

export function checkCount(what, count) {
  if (count > KEYS_MAX) throw new RangeError(`${count} ${what} in one call, more than ${KEYS_MAX}`);
}
