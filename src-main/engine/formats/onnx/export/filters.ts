// Layers with filters. Kernels take the order of PyTorch: filters first, then channels, then positions.

import { dilatedSize, explicitPadding, type Window } from '../../../graph/ops/windows';
import type { ExplicitPadding, NodeOf, Pair, Shape } from '../../../graph/types';
import { transposed } from '../../transpose';
import {
  groupsOf,
  lastAxisFirst,
  range,
  sameAtoms,
  sourceIndices,
  storedOrder,
  type Group,
} from '../layout';
import { int, ints, type Attributes } from './program';
import { tensorOf, type ExportNode, type NodeExport, type Tensor } from './types';

type FilterOp = 'conv2d' | 'depthwiseConv2d' | 'conv2dTranspose' | 'dense';

/** [[top, bottom], [left, right]] as ONNX states it: all beginnings, then all ends. */
export function pads([rows, columns]: ExplicitPadding): Attributes[string] {
  return ints([rows[0], columns[0], rows[1], columns[1]]);
}

export function imageSize(shape: Shape | undefined): Pair {
  return [shape![0]!, shape![1]!];
}

/** An image that an operator made, channels first. */
export function newImage(name: string, shape: Shape): Tensor {
  const logical = groupsOf(shape);
  return tensorOf(name, { logical, stored: [logical[2]!, logical[0]!, logical[1]!] });
}

function biasOf<K extends FilterOp>(layer: NodeExport<K>): readonly string[] {
  const bias = layer.weight('bias');
  return bias === undefined ? [] : [layer.stored('bias', '', bias.shape, (data) => data)];
}

function windowAttributes<K extends 'conv2d' | 'depthwiseConv2d'>(
  layer: NodeExport<K>,
  groups: number,
): Attributes {
  const window: Window = layer.node.attrs;
  return {
    kernel_shape: ints(window.kernelSize),
    strides: ints(window.strides),
    dilations: ints(window.dilations),
    pads: pads(explicitPadding(imageSize(layer.inputShapes[0]), window)),
    group: int(groups),
  };
}

export const conv2d: ExportNode<'conv2d'> = (layer) => {
  const { kernelSize, filters, groups } = layer.node.attrs;
  const shape = layer.weight('kernel')!.shape;
  const kernel = layer.stored('kernel', '', [filters, shape[2]!, ...kernelSize], (data) =>
    transposed(data, shape, [3, 2, 0, 1]),
  );
  const inputs = [layer.image(layer.inputs[0]!).name, kernel, ...biasOf(layer)];
  const output = layer.emit('Conv', inputs, windowAttributes(layer, groups));
  return [newImage(output, layer.outputShapes[0]!)];
};

export const depthwiseConv2d: ExportNode<'depthwiseConv2d'> = (layer) => {
  const [height, width, channels, multiplier] = layer.weight('kernel')!.shape as readonly [
    number,
    number,
    number,
    number,
  ];
  const filters = channels * multiplier;
  const kernel = layer.stored('kernel', '', [filters, 1, height, width], (data) =>
    transposed(data, [height * width, filters], [1, 0]),
  );
  const inputs = [layer.image(layer.inputs[0]!).name, kernel, ...biasOf(layer)];
  const output = layer.emit('Conv', inputs, windowAttributes(layer, channels));
  return [newImage(output, layer.outputShapes[0]!)];
};

export const conv2dTranspose: ExportNode<'conv2dTranspose'> = (layer) => {
  const { kernelSize, strides, dilations, filters } = layer.node.attrs;
  const shape = layer.weight('kernel')!.shape;
  const kernel = layer.stored('kernel', '', [shape[3]!, filters, ...kernelSize], (data) =>
    transposed(data, shape, [3, 2, 0, 1]),
  );
  const [rows, columns] = [cutOff(layer, 0), cutOff(layer, 1)];
  const inputs = [layer.image(layer.inputs[0]!).name, kernel, ...biasOf(layer)];
  const output = layer.emit('ConvTranspose', inputs, {
    kernel_shape: ints(kernelSize),
    strides: ints(strides),
    dilations: ints(dilations),
    pads: pads([rows.cut, columns.cut]),
    output_padding: ints([rows.extra, columns.extra]),
    group: int(1),
  });
  return [newImage(output, layer.outputShapes[0]!)];
};

/** What is cut off the full result along an axis, and what goes on at its end instead where it is too short. */
function cutOff(
  layer: NodeExport<'conv2dTranspose'>,
  axis: 0 | 1,
): { readonly cut: Pair; readonly extra: number } {
  const { kernelSize, strides, dilations, padding, outputPadding } = layer.node.attrs;
  const span = dilatedSize(kernelSize[axis], dilations[axis]);
  const full = (layer.inputShapes[0]![axis]! - 1) * strides[axis] + span;
  const wanted = layer.outputShapes[0]![axis]!;
  let before = 0;
  if (typeof padding !== 'string') before = padding[axis][0];
  // TensorFlow's 'same' halves what is too much; with output padding, Keras takes half of the kernel.
  else if (padding === 'same') {
    before = outputPadding === null ? Math.max(0, Math.floor((full - wanted) / 2)) : span >> 1;
  }
  const after = full - before - wanted;
  return { cut: [before, Math.max(0, after)], extra: Math.max(0, -after) };
}

export const dense: ExportNode<'dense'> = (layer) => {
  const [input] = layer.inputs as readonly [Tensor];
  const { logical } = input.layout;
  const [inputs, units] = layer.weight('kernel')!.shape as readonly [number, number];
  const [output] = groupsOf([units]) as [Group];
  if (logical.length === 1) return [vectorDense(layer, input, output)];
  const last = logical.length - 1;
  const firstAxis = storedOrder(input.layout, lastAxisFirst(logical.length))?.[0];
  const channelsFirst = logical.length === 3 && firstAxis === last;
  if (channelsFirst) {
    // On an image with its channels first, a convolution of one pixel does the same and moves nothing.
    const kernel = layer.stored('kernel', 'conv', [units, inputs, 1, 1], (data) =>
      transposed(data, [inputs, units], [1, 0]),
    );
    const name = layer.emit('Conv', [layer.image(input).name, kernel, ...biasOf(layer)], {
      kernel_shape: ints([1, 1]),
    });
    return [newImage(name, layer.outputShapes[0]!)];
  }
  const { name } = layer.inOrder(input, range(logical.length));
  const kernel = layer.stored('kernel', 'rows', [inputs, units], (data) => data);
  const bias = biasOf(layer);
  const product = layer.emit(
    'MatMul',
    [name, kernel],
    {},
    bias.length > 0 ? { suffix: 'MatMul' } : {},
  );
  const result = bias.length > 0 ? layer.emit('Add', [product, ...bias]) : product;
  const groups = logical.map((group, axis) => (axis === last ? output : group));
  return [tensorOf(result, { logical: groups, stored: groups })];
};

/** A flattened image stays as it lies: the rows of the kernel change places instead. */
function vectorDense(layer: NodeExport<'dense'>, input: Tensor, output: Group): Tensor {
  const [inputs, units] = layer.weight('kernel')!.shape as readonly [number, number];
  const wanted = input.layout.logical[0]!;
  const lies = input.layout.stored.flat();
  const order = sameAtoms(wanted, lies) ? null : sourceIndices(wanted, lies);
  const variant = order === null ? '' : `rows as ${lies.map(({ size }) => size).join('x')}`;
  const kernel = layer.stored('kernel', variant, [units, inputs], (data) => {
    const columns = transposed(data, [inputs, units], [1, 0]);
    if (order === null) return columns;
    const result = new Float32Array(columns.length);
    for (let unit = 0; unit < units; unit++) {
      const row = unit * inputs;
      for (let i = 0; i < inputs; i++) result[row + i] = columns[row + order[i]!]!;
    }
    return result;
  });
  const vector = layer.arranged(input, [lies]);
  const name = layer.emit('Gemm', [vector, kernel, ...biasOf(layer)], { transB: int(1) });
  return tensorOf(name, { logical: [output], stored: [output] });
}

export const matmul: ExportNode<'matmul'> = (layer) => {
  const { transposeA, transposeB } = layer.node.attrs satisfies NodeOf<'matmul'>['attrs'];
  const rank = Math.max(...layer.inputShapes.map((shape) => shape.length));
  const operand = (index: 0 | 1, turned: boolean): string => {
    const input = layer.inputs[index]!;
    const { logical } = input.layout;
    const axes = [...range(logical.length)];
    if (turned) axes.push(...axes.splice(-2, 1));
    const groups = axes.map((axis) => logical[axis]!);
    // The batch must not meet an axis of the sample: ranks are made equal.
    const padded = [...new Array<Group>(rank - groups.length).fill([]), ...groups];
    return layer.arranged(input, padded);
  };
  const name = layer.emit('MatMul', [operand(0, transposeA), operand(1, transposeB)]);
  const logical = groupsOf(layer.outputShapes[0]!);
  return [tensorOf(name, { logical, stored: logical })];
};
