// Ops that move values: pooling, taking parts, padding, other shapes and sizes.
//
// There are no layers that slice or pad channels. Two facts give them all the same, without loss:
// cropping and zero padding with "channels first" treat the last two axes of [H, W, C] as the image, so they
// reach the channels; and pooling with windows of one position and a stride takes every n-th row and column.

import type { ExplicitPadding, NodeOf, Op, Shape, Weight } from '../../../graph/types';
import {
  composite,
  exact,
  type Exported,
  type ExportNode,
  type NodeExport,
  type Port,
} from './types';

type PoolNode = NodeExport<'maxPool2d'> | NodeExport<'avgPool2d'>;

function poolLayer(node: PoolNode, className: string, padding: string, input: Port): Port {
  const { poolSize, strides } = node.node.attrs;
  const config = { pool_size: poolSize, strides, padding, data_format: 'channels_last' };
  return node.layer(className, config, [input]);
}

function zeroPadded(node: PoolNode, padding: ExplicitPadding): Port {
  const config = { padding, data_format: 'channels_last' };
  return node.layer('ZeroPadding2D', config, node.inputs, { suffix: 'pad' });
}

export const maxPool2d: ExportNode<'maxPool2d'> = (node) => {
  const { padding, countPadding } = node.node.attrs;
  const [input] = node.inputs as [Port];
  if (typeof padding === 'string') {
    const layer = poolLayer(node, 'MaxPooling2D', padding, input);
    return countPadding === undefined ? exact(layer) : composite(layer);
  }
  // Zeros are no larger than any value where none is negative.
  if (!node.isNeverNegative) {
    throw node.unsupported('it pads with zeros, which may be larger than the values of this layer');
  }
  return composite(poolLayer(node, 'MaxPooling2D', 'valid', zeroPadded(node, padding)));
};

export const avgPool2d: ExportNode<'avgPool2d'> = (node) => {
  const { padding, countPadding } = node.node.attrs;
  const [input] = node.inputs as [Port];
  if (typeof padding === 'string') {
    const layer = poolLayer(node, 'AveragePooling2D', padding, input);
    return countPadding === undefined ? exact(layer) : composite(layer);
  }
  if (countPadding !== true) {
    throw node.unsupported('it averages explicit padding too, which this layer does not');
  }
  return composite(poolLayer(node, 'AveragePooling2D', 'valid', zeroPadded(node, padding)));
};

const pooling = { mean: 'GlobalAveragePooling2D', max: 'GlobalMaxPooling2D' } as const;

/** A value for each channel, over the whole image. TensorFlow.js has no layer that keeps the axes. */
function globalPool<K extends Op>(
  node: NodeExport<K>,
  fn: keyof typeof pooling,
  keepDims: boolean,
): Exported {
  const config = { data_format: 'channels_last' };
  if (!keepDims) return exact(node.layer(pooling[fn], config, node.inputs));
  if (node.target === 'keras') {
    return exact(node.layer(pooling[fn], { ...config, keepdims: true }, node.inputs));
  }
  const vector = node.layer(pooling[fn], config, node.inputs, { suffix: 'pool' });
  return composite(node.layer('Reshape', { target_shape: node.outputShapes[0]! }, [vector]));
}

export const globalAvgPool: ExportNode<'globalAvgPool'> = (node) =>
  globalPool(node, 'mean', node.node.attrs.keepDims);

export const globalMaxPool: ExportNode<'globalMaxPool'> = (node) =>
  globalPool(node, 'max', node.node.attrs.keepDims);

export const reduce: ExportNode<'reduce'> = (node) => {
  const { fn, axes, keepDims } = node.node.attrs;
  const rank = node.inputShapes[0]!.length;
  const reduced = axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort();
  const isImage = rank === 3 && reduced.join() === '0,1';
  if (!isImage || (fn !== 'mean' && fn !== 'max')) {
    throw node.unsupported('it reduces images to a mean or maximum a channel, and nothing else');
  }
  return { ...globalPool(node, fn, keepDims), exact: false };
};

export const flatten: ExportNode<'flatten'> = (node) => {
  if (node.inputShapes[0]!.length > 1) return exact(node.layer('Flatten', {}, node.inputs));
  return composite(node.layer('Reshape', { target_shape: node.outputShapes[0]! }, node.inputs));
};

export const reshape: ExportNode<'reshape'> = (node) =>
  exact(node.layer('Reshape', { target_shape: node.node.attrs.shape }, node.inputs));

export const permute: ExportNode<'permute'> = (node) =>
  exact(node.layer('Permute', { dims: node.node.attrs.perm.map((axis) => axis + 1) }, node.inputs));

type Borders = readonly [readonly [number, number], readonly [number, number]];

function isNone(amounts: readonly (readonly [number, number])[]): boolean {
  return amounts.flat().every((amount) => amount === 0);
}

export const pad: ExportNode<'pad'> = (node) => {
  const { paddings, mode, value } = node.node.attrs;
  if (mode !== 'constant' || value !== 0 || paddings.length !== 3) {
    throw node.unsupported('it pads images with zeros, and nothing else');
  }
  const [rows, columns, channels] = paddings as unknown as readonly [
    Borders[0],
    Borders[0],
    Borders[0],
  ];
  const zeros = (format: string, amounts: Borders, input: Port, suffix?: string): Port => {
    const config = { padding: amounts, data_format: format };
    return node.layer('ZeroPadding2D', config, [input], suffix === undefined ? {} : { suffix });
  };
  const [input] = node.inputs as [Port];
  if (isNone([channels])) return exact(zeros('channels_last', [rows, columns], input));
  if (isNone([rows])) return exact(zeros('channels_first', [columns, channels], input));
  const image = zeros('channels_last', [rows, columns], input, 'image');
  return composite(zeros('channels_first', [[0, 0], channels], image));
};

export const crop: ExportNode<'crop'> = (node) => {
  const config = { cropping: node.node.attrs.amounts, data_format: 'channels_last' };
  return exact(node.layer('Cropping2D', config, node.inputs));
};

interface Range {
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly strides: readonly number[];
}

/** A part of an image by cropping and pooling; every step is left out that would do nothing. */
function takePart<K extends Op>(node: NodeExport<K>, range: Range, suffix: string): Port {
  const shape = node.inputShapes[0]!;
  const [rows, columns, channels] = shape.map(
    (size, axis) => [range.begin[axis]!, size - range.end[axis]!] as const,
  ) as [Borders[0], Borders[0], Borders[0]];
  let port = node.inputs[0]!;
  const add = (
    className: string,
    config: Readonly<Record<string, unknown>>,
    step: string,
    options: { readonly weights?: Readonly<Record<string, Weight>> } = {},
  ): void => {
    port = node.layer(className, config, [port], { ...options, suffix: `${suffix}${step}` });
  };
  if (!isNone([rows, columns])) {
    add('Cropping2D', { cropping: [rows, columns], data_format: 'channels_last' }, 'rows');
  }
  if (!isNone([channels])) {
    add('Cropping2D', { cropping: [[0, 0], channels], data_format: 'channels_first' }, 'channels');
  }
  const [rowStep, columnStep, channelStep] = range.strides as [number, number, number];
  if (rowStep > 1 || columnStep > 1) {
    const strides = [rowStep, columnStep];
    add('MaxPooling2D', { pool_size: [1, 1], strides, padding: 'valid' }, 'step');
  }
  if (channelStep > 1) {
    const size = range.end[2]! - range.begin[2]!;
    const indices = Array.from(
      { length: Math.ceil(size / channelStep) },
      (_, i) => i * channelStep,
    );
    add('Conv2D', selectionConfig(indices.length), 'pick', {
      weights: { kernel: selection([1, 1, size], indices) },
    });
  }
  if (port === node.inputs[0]) add('Activation', { activation: 'linear' }, 'same');
  return port;
}

export const slice: ExportNode<'slice'> = (node) => {
  const { begin, end, strides } = node.node.attrs;
  if (begin.length !== 3) throw node.unsupported('it takes parts of images only');
  return composite(takePart(node, { begin, end, strides }, ''));
};

export const split: ExportNode<'split'> = (node) => {
  const shape = node.inputShapes[0]!;
  if (shape.length !== 3) throw node.unsupported('it takes parts of images only');
  const axis = node.node.attrs.axis < 0 ? node.node.attrs.axis + 3 : node.node.attrs.axis;
  let offset = 0;
  const parts = node.node.attrs.sizes.map((size, i) => {
    const from = offset;
    offset += size;
    const begin = shape.map((_, a) => (a === axis ? from : 0));
    const end = shape.map((whole, a) => (a === axis ? from + size : whole));
    return takePart(node, { begin, end, strides: [1, 1, 1] }, `part${i + 1}`);
  });
  return composite(...parts);
};

/** A kernel of zeros and ones that picks input channels: the sum over all others is exactly zero. */
function selection(leading: Shape, indices: readonly number[]): Weight {
  const channels = leading.at(-1)!;
  const data = new Float32Array(channels * indices.length);
  indices.forEach((channel, i) => (data[channel * indices.length + i] = 1));
  return { shape: [...leading, indices.length], dtype: 'float32', data };
}

function selectionConfig(filters: number): Readonly<Record<string, unknown>> {
  return {
    filters,
    kernel_size: [1, 1],
    padding: 'valid',
    data_format: 'channels_last',
    activation: 'linear',
    use_bias: false,
    trainable: false,
  };
}

export const gather: ExportNode<'gather'> = (node) => {
  const { indices } = node.node.attrs satisfies NodeOf<'gather'>['attrs'];
  const shape = node.inputShapes[0]!;
  const channels = shape.at(-1)!;
  if (shape.length === 3) {
    const weights = { kernel: selection([1, 1, channels], indices) };
    return composite(
      node.layer('Conv2D', selectionConfig(indices.length), node.inputs, { weights }),
    );
  }
  const config = { units: indices.length, activation: 'linear', use_bias: false, trainable: false };
  const weights = { kernel: selection([channels], indices) };
  return composite(node.layer('Dense', config, node.inputs, { weights }));
};

export const resize: ExportNode<'resize'> = (node): Exported => {
  const { size, mode, alignCorners, halfPixel } = node.node.attrs;
  const [height, width] = node.inputShapes[0]! as readonly [number, number, number];
  const factors = [size[0] / height, size[1] / width];
  const isWhole = factors.every(Number.isInteger);
  // The bilinear layer has its samples at pixel centres in Keras, at corners in TensorFlow.js. By whole factors,
  // the nearest pixel is the same wherever pixels have their place.
  const isAsKeras = node.target === 'keras' && halfPixel;
  const isPlaced = mode === 'nearest' || (node.target === 'keras') === halfPixel;
  if (!alignCorners && isWhole && isPlaced) {
    const config = { size: factors, interpolation: mode, data_format: 'channels_last' };
    const layer = node.layer('UpSampling2D', config, node.inputs);
    return mode === 'nearest' && halfPixel ? composite(layer) : exact(layer);
  }
  if (!alignCorners && isAsKeras) {
    const config = { height: size[0], width: size[1], interpolation: mode };
    return exact(node.layer('Resizing', config, node.inputs));
  }
  throw node.unsupported(
    node.target === 'keras'
      ? 'it places the pixels of a resized image by their centres, and nowhere else'
      : 'it enlarges images by whole factors from their corners, and nothing else',
  );
};

/** Another shape, other axes, and another shape again. */
function rearranged<K extends Op>(
  node: NodeExport<K>,
  split: readonly number[],
  dims: readonly number[],
): Exported {
  const parts = node.layer('Reshape', { target_shape: split }, node.inputs, { suffix: 'split' });
  const turned = node.layer('Permute', { dims }, [parts], { suffix: 'turn' });
  return composite(node.layer('Reshape', { target_shape: node.outputShapes[0]! }, [turned]));
}

export const depthToSpace: ExportNode<'depthToSpace'> = (node) => {
  const { block, order } = node.node.attrs;
  const [height, width] = node.inputShapes[0]! as readonly [number, number, number];
  const channels = node.outputShapes[0]![2]!;
  return order === 'dcr'
    ? rearranged(node, [height, width, block, block, channels], [1, 3, 2, 4, 5])
    : rearranged(node, [height, width, channels, block, block], [1, 4, 2, 5, 3]);
};

export const spaceToDepth: ExportNode<'spaceToDepth'> = (node) => {
  const { block } = node.node.attrs;
  const [height, width] = node.outputShapes[0]! as readonly [number, number, number];
  const channels = node.inputShapes[0]![2]!;
  return rearranged(node, [height, block, width, block, channels], [1, 3, 2, 4, 5]);
};

/** A stored tensor as the bias of a dense layer whose kernel is zero, called on any input of the model. */
export const constant: ExportNode<'constant'> = (node) => {
  const value = node.weight('value')!;
  if (value.dtype !== 'float32') throw node.unsupported('it has no stored numbers of this type');
  const { port, shape } = node.anchor;
  const config = { data_format: 'channels_last' };
  const vector =
    shape.length === 1
      ? port
      : shape.length === 3
        ? node.layer('GlobalAveragePooling2D', config, [port], { suffix: 'pool' })
        : node.layer('Flatten', {}, [port], { suffix: 'flat' });
  const inputs = shape.length === 3 ? shape[2]! : shape.reduce((a, b) => a * b, 1);
  const units = value.data.length;
  const kernel = new Float32Array(inputs * units);
  const weights = {
    kernel: { shape: [inputs, units], dtype: 'float32', data: kernel } as const,
    bias: { ...value, shape: [units] },
  };
  const dense = { units, activation: 'linear', use_bias: true, trainable: false };
  if (value.shape.length < 2) return composite(node.layer('Dense', dense, [vector], { weights }));
  const numbers = node.layer('Dense', dense, [vector], { weights, suffix: 'numbers' });
  return composite(node.layer('Reshape', { target_shape: value.shape }, [numbers]));
};
