// Layers that move values: pooling, padding, cropping, other shapes and sizes; and those that do nothing when
// a network is used.

import { corrupt } from '../errors';
import { requireChannelsLast } from './filters';
import type { ImportLayer, LayerCall } from './types';

function windowPool(op: 'maxPool2d' | 'avgPool2d'): ImportLayer {
  return (call) => {
    const { builder, config, name, input } = call;
    requireChannelsLast(call);
    const poolSize = config.pair('pool_size', [2, 2]);
    const padding = config.text('padding', 'valid').toLowerCase();
    if (padding !== 'same' && padding !== 'valid') {
      throw call.unsupported(`the padding "${padding}" is not known`);
    }
    const strides = config.pair('strides', poolSize);
    return builder.apply(op, [input], { poolSize, strides, padding }, { name });
  };
}

export const maxPool2d = windowPool('maxPool2d');
export const avgPool2d = windowPool('avgPool2d');

function globalPool(op: 'globalAvgPool' | 'globalMaxPool'): ImportLayer {
  return (call) => {
    const { builder, config, name, input } = call;
    requireChannelsLast(call);
    // TensorFlow.js drops the axes whatever the setting says; Keras, which wrote it, does not.
    const keepDims = call.kerasMajor > 0 && config.flag('keepdims', false);
    return builder.apply(op, [input], { keepDims }, { name });
  };
}

export const globalAvgPool = globalPool('globalAvgPool');
export const globalMaxPool = globalPool('globalMaxPool');

export const flatten: ImportLayer = (call) => {
  requireChannelsLast(call);
  return call.builder.flatten(call.input, { name: call.name });
};

export const reshape: ImportLayer = ({ builder, config, name, input }) => {
  const target = config.list('target_shape').map((size) => (size === null ? -1 : size));
  const known = target.filter((size) => size !== -1);
  if (!known.every((size): size is number => typeof size === 'number')) {
    throw config.wrong('target_shape', 'a shape');
  }
  const total = builder.shapeOf(input).reduce((a, b) => a * b, 1);
  const rest = total / known.reduce((a, b) => a * b, 1);
  if (target.length - known.length > 1) throw config.wrong('target_shape', 'a shape with one -1');
  const shape = target.map((size) => (size === -1 ? rest : (size as number)));
  return builder.apply('reshape', [input], { shape }, { name });
};

export const permute: ImportLayer = ({ builder, config, name, input }) => {
  const perm = config.numbers('dims').map((axis) => axis - 1);
  return builder.apply('permute', [input], { perm }, { name });
};

function hasChannelsFirst({ config }: LayerCall): boolean {
  const format = config.text('data_format', 'channels_last').replace(/_/g, '').toLowerCase();
  return format === 'channelsfirst';
}

/** Pads the two axes before the last or, with channels first, the last two: also the channels of an image. */
export const zeroPadding2d: ImportLayer = (call) => {
  const { builder, config, name, input } = call;
  const [first, second] = config.borders('padding', 1);
  const none = [0, 0] as const;
  const paddings = hasChannelsFirst(call) ? [none, first, second] : [first, second, none];
  return builder.apply('pad', [input], { paddings, mode: 'constant', value: 0 }, { name });
};

export const cropping2d: ImportLayer = (call) => {
  const { builder, config, name, input } = call;
  const amounts = config.borders('cropping', 0);
  if (!hasChannelsFirst(call)) return builder.apply('crop', [input], { amounts }, { name });
  const shape = builder.shapeOf(input);
  if (shape.length !== 3) throw corrupt(`${config.owner}: its input is not an image`);
  const [first, second] = amounts;
  const begin = [0, first[0], second[0]];
  const end = [shape[0]!, shape[1]! - first[1], shape[2]! - second[1]];
  return builder.apply('slice', [input], { begin, end, strides: [1, 1, 1] }, { name });
};

export const upSampling2d: ImportLayer = (call) => {
  const { builder, config, name, input } = call;
  requireChannelsLast(call);
  const [height, width] = builder.shapeOf(input) as readonly [number, number, number];
  const [rows, columns] = config.pair('size', [2, 2]);
  const mode = config.text('interpolation', 'nearest');
  if (mode !== 'nearest' && mode !== 'bilinear') {
    throw call.unsupported(`the interpolation "${mode}" is not known`);
  }
  // Keras places bilinear samples at pixel centres, TensorFlow.js at corners: a difference of half a pixel.
  const halfPixel = mode === 'bilinear' && call.kerasMajor > 0;
  if (halfPixel) {
    call.note(`"${name}" interpolates as Keras does, which TensorFlow.js itself does not.`);
  }
  const attrs = {
    size: [height * rows, width * columns] as const,
    mode,
    alignCorners: false,
    halfPixel,
  } as const;
  return builder.apply('resize', [input], attrs, { name });
};

export const concatenate: ImportLayer = ({ builder, config, name, inputs }) => {
  const axis = config.int('axis', -1);
  return builder.concat(inputs, { name, axis: axis < 0 ? axis : axis - 1 });
};

export const dropout: ImportLayer = ({ builder, config, name, input }) =>
  builder.apply('dropout', [input], { rate: config.number('rate', 0) }, { name });

/** A layer that only passes values on. */
export const identity: ImportLayer = ({ builder, name, input }) =>
  builder.activation(input, 'linear', { name });

/** A size in pixels; Keras samples at the centres of pixels. */
export const resizing: ImportLayer = (call) => {
  const { builder, config, name, input } = call;
  requireChannelsLast(call);
  const mode = config.text('interpolation', 'bilinear');
  if (mode !== 'nearest' && mode !== 'bilinear') {
    throw call.unsupported(`the interpolation "${mode}" is not known`);
  }
  for (const setting of ['crop_to_aspect_ratio', 'pad_to_aspect_ratio', 'antialias']) {
    if (config.flag(setting, false)) throw call.unsupported(`it has the setting "${setting}"`);
  }
  const size = [config.int('height'), config.int('width')] as const;
  const attrs = { size, mode, alignCorners: false, halfPixel: true } as const;
  return builder.apply('resize', [input], attrs, { name });
};

/** A layer that changes values in training only. */
export const inactive: ImportLayer = (call) => {
  call.note(`"${call.name}" (${call.className}) works in training only and was left out.`);
  return call.input;
};
