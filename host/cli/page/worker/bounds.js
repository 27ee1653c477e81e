// Defines the bounds of the interface `object-store`, and of what the worker keeps.

export const MIB = 1024 * 1024;
export const OBJECT_BYTES_MAX = 64 * MIB;
export const CHUNK_BYTES_MIN = 1024;
export const KEYS_MAX = 10_000;

// The most bytes of small objects that are kept: indexes, which each read of a page needs again.
export const KEPT_BYTES_MAX = 16 * MIB;
