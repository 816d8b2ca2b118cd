// Limits on foreign ONNX files, checked before anything of that size is allocated.

/** Protobuf itself allows no more. */
export const maxFileBytes = 2 * 1024 ** 3 - 1;
/** All weights together, those in other files among them. */
export const maxWeightBytes = 2 * 1024 ** 3;
export const maxNodes = 50_000;
export const maxTensors = 100_000;
/** Axes of one tensor. */
export const maxRank = 8;
/** Numbers that arithmetic on constants may make in one step: the largest real ones are positions of a grid. */
export const maxFoldedSize = 2 ** 24;
/** Numbers in one activation, per sample. */
export const maxActivationSize = 2 ** 28;
/** Rows or columns of an image that a resize makes or takes: each is looked at. */
export const maxResizeSide = 2 ** 16;
