// The part of the TFLite metadata schema that is read and written: what the input and the outputs mean.
//
// Numbers are those of tensorflow_lite_support/metadata/metadata_schema.fbs (version 1.1.0) of tflite-support.

/** Name of the entry of a .tflite file that holds the metadata. */
export const metadataName = 'TFLITE_METADATA';
export const metadataIdentifier = 'M001';

/** The oldest parser that understands the fields that are written. */
export const minParserVersion = '1.0.0';

/** Field ids, by table. */
export const fields = {
  modelMetadata: { name: 0, description: 1, subgraphs: 3, files: 6, minParserVersion: 7 },
  subgraph: { inputs: 2, outputs: 3, files: 4 },
  tensor: { name: 0, description: 1, content: 3, processUnits: 4, stats: 5, files: 6 },
  content: { type: 0, properties: 1 },
  image: { colorSpace: 0 },
  processUnit: { type: 0, options: 1 },
  normalization: { mean: 0, std: 1 },
  stats: { max: 0, min: 1 },
  file: { name: 0, description: 1, type: 2 },
} as const;

/** Number of fields of each table. */
export const tableSizes: { readonly [T in keyof typeof fields]: number } = {
  modelMetadata: 8,
  subgraph: 7,
  tensor: 7,
  content: 3,
  image: 2,
  processUnit: 2,
  normalization: 2,
  stats: 2,
  file: 4,
};

export const contentTypes = { feature: 1, image: 2 } as const;
export const colorSpaces = { unknown: 0, rgb: 1, grayscale: 2 } as const;
/** The process unit that normalises. */
export const normalizationUnit = 1;
/** A file that names the entries of an axis. */
export const axisLabels = 2;

/** How a description says that the channels are blue, green, red: the schema has no colour space for it. */
export const bgrMark = 'BGR';
