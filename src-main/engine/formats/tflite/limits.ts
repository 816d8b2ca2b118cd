// Limits on foreign files, checked before anything of that size is allocated.

/** Bytes of a file; the offsets of the format reach no further. */
export const maxFileBytes = 2 * 1024 ** 3;
export const maxOperators = 20_000;
export const maxTensors = 50_000;
/** Axes of a tensor, batch included. */
export const maxRank = 8;
/** Class names in the metadata, and bytes of all files packed behind the model. */
export const maxLabels = 100_000;
export const maxPackedBytes = 16 * 1024 ** 2;

/**
 * What tensors and operators may make of stored bytes: several may read the same ones, but a small file must not fill the
 * memory that way.
 */
export const maxExpanded = (storedBytes: number): number => 64 * 1024 ** 2 + 16 * storedBytes;
