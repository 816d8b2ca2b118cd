// Limits on foreign files, checked before anything of that size is allocated.

/** The text of model.json. */
export const maxJsonBytes = 64 * 1024 * 1024;
export const maxLayers = 20_000;
export const maxTensors = 50_000;
/** All weight files together. */
export const maxWeightBytes = 2 * 1024 ** 3;
/** Numbers in one activation, per sample. */
export const maxActivationSize = 2 ** 28;
/** Models within models. */
export const maxNesting = 16;
