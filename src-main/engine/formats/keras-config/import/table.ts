// Which Keras layer is imported how.

import { unsupportedLayer } from '../errors';
import type { LayerSpec } from '../topology';
import * as activations from './activation';
import { merge } from './arithmetic';
import * as filters from './filters';
import * as layout from './layout';
import * as norm from './norm';
import { operations, tensorFlowFunction } from './operations';
import type { ImportLayer, WeightedLayer } from './types';

const weighted: Readonly<Record<string, WeightedLayer>> = {
  BatchNormalization: norm.batchNorm,
  BatchNormalizationV1: norm.batchNorm,
  Conv2D: filters.conv2d,
  Conv2DTranspose: filters.conv2dTranspose,
  Dense: filters.dense,
  DepthwiseConv2D: filters.depthwiseConv2d,
  GroupNormalization: norm.groupNorm,
  LayerNormalization: norm.layerNorm,
  Normalization: norm.normalization,
  PReLU: activations.prelu,
  SeparableConv2D: filters.separableConv2d,
  SyncBatchNormalization: norm.batchNorm,
};

const weightless: Readonly<Record<string, ImportLayer>> = {
  Activation: activations.activation,
  ActivityRegularization: layout.inactive,
  Add: merge('add'),
  AlphaDropout: layout.inactive,
  Average: merge('average'),
  AveragePooling2D: layout.avgPool2d,
  Concatenate: layout.concatenate,
  Cropping2D: layout.cropping2d,
  Dropout: layout.dropout,
  ELU: activations.elu,
  Flatten: layout.flatten,
  GaussianDropout: layout.inactive,
  GaussianNoise: layout.inactive,
  GlobalAveragePooling2D: layout.globalAvgPool,
  GlobalMaxPooling2D: layout.globalMaxPool,
  Identity: layout.identity,
  LeakyReLU: activations.leakyRelu,
  Maximum: merge('max'),
  MaxPooling2D: layout.maxPool2d,
  Minimum: merge('min'),
  Multiply: merge('mul'),
  Permute: layout.permute,
  RandomBrightness: layout.inactive,
  RandomColorDegeneration: layout.inactive,
  RandomColorJitter: layout.inactive,
  RandomContrast: layout.inactive,
  RandomErasing: layout.inactive,
  RandomFlip: layout.inactive,
  RandomGaussianBlur: layout.inactive,
  RandomGrayscale: layout.inactive,
  RandomHue: layout.inactive,
  RandomInvert: layout.inactive,
  RandomPerspective: layout.inactive,
  RandomPosterization: layout.inactive,
  RandomRotation: layout.inactive,
  RandomSaturation: layout.inactive,
  RandomSharpness: layout.inactive,
  RandomShear: layout.inactive,
  RandomTranslation: layout.inactive,
  RandomZoom: layout.inactive,
  ReLU: activations.relu,
  Rescaling: norm.rescaling,
  Reshape: layout.reshape,
  Resizing: layout.resizing,
  Softmax: activations.softmax,
  SpatialDropout2D: layout.dropout,
  Subtract: merge('sub'),
  TFOpLambda: tensorFlowFunction,
  UpSampling2D: layout.upSampling2d,
  ZeroPadding2D: layout.zeroPadding2d,
};

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/**
 * How a layer is imported. Keras's .h5 files do not tell functions from layers, so that both are looked at.
 * @throws AppError MODEL_UNSUPPORTED_OP naming the layer
 */
export function importerOf({ name, className, isOperation }: LayerSpec): WeightedLayer {
  const layer = isOperation ? undefined : (own(weighted, className) ?? own(weightless, className));
  const importer = layer ?? own(operations, className);
  if (typeof importer === 'function') return { variables: () => [], add: importer };
  if (importer !== undefined) return importer;
  if (className === 'Lambda') {
    throw unsupportedLayer(
      name,
      className,
      'it holds code of Python, which Secateur never runs',
      'Replace it by layers of Keras in the program that made the model, and export again.',
    );
  }
  throw unsupportedLayer(name, className, 'Secateur does not know this kind of layer');
}
