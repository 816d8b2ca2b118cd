// Names that Keras gives the parts of its files, and the one that Secateur adds.

/** Entries of a .keras archive. */
export const entryNames = {
  metadata: 'metadata.json',
  config: 'config.json',
  weights: 'model.weights.h5',
} as const;

/** Attribute of an .h5 file that holds what a .keras archive has in its metadata.json: labels, preprocessing. */
export const metadataAttribute = 'secateur_metadata';
