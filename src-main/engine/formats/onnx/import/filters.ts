// Layers with filters: convolutions and dense. ONNX has the axes of kernels in PyTorch's order.

import type { Group } from '../layout';
import { groupsOf, range, sameAtoms, sourceIndices } from '../layout';
import type { Pair, Shape, TensorId, Weight } from '../../../graph/types';
import { transposed } from '../../transpose';
import type { Constant } from '../tensor';
import { pairAttribute, windowOf, explicitPads } from './window';
import {
  activationValue,
  type Activation,
  type ImportNode,
  type NodeCall,
  type Value,
  type WeightSource,
} from './types';

/** Float numbers of a weight. @throws AppError MODEL_CORRUPT for whole numbers */
export function floatsOf(call: NodeCall, constant: Constant): Float32Array {
  const numbers = constant.numbers();
  if (numbers instanceof Float32Array) return numbers;
  throw call.corrupt(`the weight "${constant.name}" holds whole numbers`);
}

function moved(call: NodeCall, constant: Constant, shape: Shape, perm: readonly number[]): Weight {
  return {
    shape: perm.map((axis) => shape[axis]!),
    dtype: 'float32',
    data: transposed(floatsOf(call, constant), shape, perm),
  };
}

/** A vector with one number a channel, in the order in which the channels are stored. */
export function vector(
  call: NodeCall,
  constant: Constant,
  length: number,
  order: Int32Array | null = null,
): WeightSource {
  return {
    constant,
    variant: order === null ? '' : 'reordered',
    make() {
      const floats = floatsOf(call, constant);
      if (floats.length !== length) {
        throw call.corrupt(
          `the weight "${constant.name}" holds ${floats.length} numbers for ${length} channels`,
        );
      }
      // Copies: views would keep the whole file in memory.
      const data = order === null ? floats.slice() : Float32Array.from(order, (i) => floats[i]!);
      return { shape: [length], dtype: 'float32', data };
    },
  };
}

function kernelOf(call: NodeCall): {
  constant: Constant;
  shape: readonly [number, number, number, number];
} {
  const constant = call.constant(1);
  const { shape } = constant;
  if (shape.length !== 4) {
    throw call.unsupported(`its kernel has ${shape.length} axes, those of images have 4`);
  }
  if (shape.some((size) => size === 0))
    throw call.corrupt(`its kernel has the shape [${shape.join(', ')}]`);
  const sizes = shape as unknown as readonly [number, number, number, number];
  const stated = pairAttribute(call, 'kernel_shape', [sizes[2], sizes[3]]);
  if (stated[0] !== sizes[2] || stated[1] !== sizes[3]) {
    throw call.corrupt(`"kernel_shape" is not that of its kernel [${shape.join(', ')}]`);
  }
  return { constant, shape: sizes };
}

function biasOf(call: NodeCall, filters: number): { bias?: WeightSource } {
  const bias = call.optional(2);
  return bias === null ? {} : { bias: vector(call, bias, filters) };
}

interface ImageInput {
  readonly tensor: TensorId;
  readonly logical: readonly Group[];
  readonly size: Pair;
  readonly channels: number;
}

function imageInput(call: NodeCall): ImageInput {
  const { tensor, logical } = call.image(call.activation(0));
  const [height, width, channels] = call.builder.shapeOf(tensor) as readonly [
    number,
    number,
    number,
  ];
  return { tensor, logical, size: [height, width], channels };
}

/** The image that a layer made, its axes new ones. */
export function imageValue(call: NodeCall, tensor: TensorId): Value {
  const [height, width, channels] = groupsOf(call.builder.shapeOf(tensor));
  const logical = [channels!, height!, width!];
  return activationValue(tensor, { logical, stored: [height!, width!, channels!] });
}

export const conv: ImportNode = (call) => {
  const { tensor, size, channels } = imageInput(call);
  const { constant, shape } = kernelOf(call);
  const [filters, perGroup, height, width] = shape;
  const groups = call.node.attributes.int('group', 1);
  if (groups < 1 || perGroup * groups !== channels) {
    throw call.corrupt(
      `a kernel for ${perGroup} channels in ${groups} groups meets ${channels} channels`,
    );
  }
  if (filters % groups !== 0)
    throw call.corrupt(`${filters} filters do not divide by ${groups} groups`);
  const window = windowOf(call, size, [height, width]);
  const bias = biasOf(call, filters);
  if (groups === channels && groups > 1) {
    const multiplier = filters / groups;
    const kernel: WeightSource = {
      constant,
      variant: 'depthwise',
      // [in * multiplier, 1, kh, kw]: filters of one channel lie together.
      make: () => moved(call, constant, [channels, multiplier, height, width], [2, 3, 0, 1]),
    };
    const weights = call.weights({ kernel, ...bias });
    return [
      imageValue(
        call,
        call.add('depthwiseConv2d', [tensor], { ...window, multiplier }, { weights }),
      ),
    ];
  }
  const kernel: WeightSource = {
    constant,
    variant: 'conv',
    make: () => moved(call, constant, shape, [2, 3, 1, 0]),
  };
  const weights = call.weights({ kernel, ...bias });
  return [
    imageValue(call, call.add('conv2d', [tensor], { ...window, filters, groups }, { weights })),
  ];
};

export const convTranspose: ImportNode = (call) => {
  const { tensor, size, channels } = imageInput(call);
  const { constant, shape } = kernelOf(call);
  const [inputs, filters, height, width] = shape;
  if (call.node.attributes.int('group', 1) !== 1) {
    throw call.unsupported('transposed convolutions in groups cannot be run');
  }
  if (inputs !== channels) {
    throw call.corrupt(`a kernel for ${inputs} channels meets ${channels} channels`);
  }
  const strides = pairAttribute(call, 'strides', [1, 1]);
  const dilations = pairAttribute(call, 'dilations', [1, 1]);
  const extra = pairAttribute(call, 'output_padding', [0, 0], 0);
  const full = ([0, 1] as const).map(
    (axis) =>
      (size[axis] - 1) * strides[axis] +
      (([height, width] as const)[axis] - 1) * dilations[axis] +
      1,
  );
  const padding = transposedPadding(call, size, strides, full as unknown as Pair, extra);
  const kernel: WeightSource = {
    constant,
    variant: 'transposed',
    make: () => moved(call, constant, shape, [2, 3, 1, 0]),
  };
  const weights = call.weights({ kernel, ...biasOf(call, filters) });
  const attrs = {
    filters,
    kernelSize: [height, width] as const,
    strides,
    dilations,
    padding,
    outputPadding: extra,
  };
  return [imageValue(call, call.add('conv2dTranspose', [tensor], attrs, { weights }))];
};

/** What is cut off the full result; see ONNX, ConvTranspose, for the rules behind "auto_pad" and "output_shape". */
function transposedPadding(
  call: NodeCall,
  size: Pair,
  strides: Pair,
  full: Pair,
  extra: Pair,
): readonly [Pair, Pair] {
  const { attributes } = call.node;
  const auto = attributes.text('auto_pad', 'NOTSET');
  const stated = attributes.has('output_shape') ? attributes.ints('output_shape').slice(-2) : null;
  if (stated === null && (auto === 'NOTSET' || auto === '')) {
    const [rows, columns] = explicitPads(call);
    return [rows, columns];
  }
  if (auto === 'VALID') {
    return [
      [0, 0],
      [0, 0],
    ];
  }
  const along = (axis: 0 | 1): Pair => {
    const wanted = stated?.[axis] ?? size[axis] * strides[axis];
    const total = Math.max(0, full[axis] + extra[axis] - wanted);
    const half = Math.floor(total / 2);
    return auto === 'SAME_UPPER' ? [half, total - half] : [total - half, half];
  };
  return [along(0), along(1)];
}

/**
 * An activation with one of its axes last, whatever the order of that axis's atoms; the layers that read along it
 * exchange the rows of their weights instead.
 */
export interface LastAxis {
  readonly tensor: TensorId;
  readonly logical: readonly Group[];
  readonly stored: readonly Group[];
  readonly size: number;
  /** Where each stored position comes from, or null where they lie in order. */
  readonly order: Int32Array | null;
}

export function lastAxis(call: NodeCall, activation: Activation, axis: number): LastAxis {
  const { logical, stored } = activation.layout;
  const wanted = logical[axis]!;
  const size = wanted.reduce((product, atom) => product * atom.size, 1);
  const atoms = new Set(wanted);
  // The atoms of other axes in front, those of this one behind: nothing has to move.
  const flat = stored.flat();
  const own = flat.slice(flat.length - wanted.length);
  if (own.every((atom) => atoms.has(atom))) {
    const others = othersAsTheyLie(logical, axis, flat.slice(0, flat.length - own.length));
    if (others !== null) {
      const groups = [...others.map((other) => logical[other]!), own];
      return {
        tensor: call.stored(activation, groups),
        logical,
        stored: groups,
        size,
        order: sameAtoms(own, wanted) ? null : sourceIndices(wanted, own),
      };
    }
  }
  const order = [...range(logical.length).filter((other) => other !== axis), axis];
  const groups = order.map((other) => logical[other]!);
  const tensor = call.stored(activation, groups);
  return { tensor, logical, stored: groups, size, order: null };
}

/** The other axes in the order in which they lie; null where one lies in pieces. */
function othersAsTheyLie(
  logical: readonly Group[],
  axis: number,
  front: Group,
): readonly number[] | null {
  const others = range(logical.length).filter((other) => other !== axis);
  const place = (other: number): number => front.indexOf(logical[other]![0]!);
  const sorted = [...others].sort((a, b) => place(a) - place(b));
  const flat = sorted.flatMap((other) => logical[other]!);
  return sameAtoms(flat, front) ? sorted : null;
}

function dense(
  call: NodeCall,
  activation: Activation,
  axis: number,
  kernel: { readonly constant: Constant; readonly transposed: boolean; readonly factor: number },
  bias: WeightSource | null,
): readonly Value[] {
  const { constant, factor } = kernel;
  const last = lastAxis(call, activation, axis);
  const [rows, columns] = constant.shape as readonly [number, number];
  const [inputs, units] = kernel.transposed ? [columns, rows] : [rows, columns];
  if (inputs !== last.size || units === 0) {
    throw call.corrupt(`a matrix [${constant.shape.join(', ')}] meets ${last.size} values`);
  }
  const source: WeightSource = {
    constant,
    variant: `dense ${kernel.transposed} ${factor} ${last.order !== null}`,
    make() {
      const perm = kernel.transposed ? [1, 0] : [0, 1];
      const { data } = moved(call, constant, [rows, columns], perm);
      const ordered =
        last.order === null ? data : reorderRows(data as Float32Array, units, last.order);
      if (factor !== 1) for (let i = 0; i < ordered.length; i++) ordered[i]! *= factor;
      return { shape: [inputs, units], dtype: 'float32', data: ordered };
    },
  };
  const weights = call.weights({ kernel: source, ...(bias === null ? {} : { bias }) });
  const tensor = call.add('dense', [last.tensor], { units }, { weights });
  const [output] = groupsOf([units]) as [Group];
  const logical = last.logical.map((group, i) => (i === axis ? output : group));
  const stored = [...last.stored.slice(0, -1), output];
  return [activationValue(tensor, { logical, stored })];
}

/** Row i of the result is row order[i]. */
function reorderRows(data: Float32Array, length: number, order: Int32Array): Float32Array {
  const result = new Float32Array(data.length);
  for (let i = 0; i < order.length; i++) {
    const from = order[i]! * length;
    result.set(data.subarray(from, from + length), i * length);
  }
  return result;
}

export const gemm: ImportNode = (call) => {
  const { attributes } = call.node;
  const activation = call.activation(0);
  if (activation.layout.logical.length !== 1) {
    throw call.unsupported('it multiplies tensors of more than two axes');
  }
  if (attributes.flag('transA', false)) throw call.unsupported('it turns its input around');
  const constant = matrixOf(call, 1);
  const transposedKernel = attributes.flag('transB', false);
  const units = constant.shape[transposedKernel ? 0 : 1]!;
  const added = call.optional(2);
  const beta = attributes.float('beta', 1);
  const bias: WeightSource | null =
    added === null || beta === 0
      ? null
      : {
          constant: added,
          variant: `${beta}`,
          make() {
            const floats = floatsOf(call, added);
            // One number, or one a column, in one row.
            const fits =
              (floats.length === units || floats.length === 1) &&
              added.shape.slice(0, -1).every((size) => size === 1);
            if (!fits)
              throw call.unsupported(`it adds a matrix of shape [${added.shape.join(', ')}]`);
            const data = Float32Array.from(
              { length: units },
              (_, i) => beta * floats[floats.length === 1 ? 0 : i]!,
            );
            return { shape: [units], dtype: 'float32', data };
          },
        };
  const kernel = { constant, transposed: transposedKernel, factor: attributes.float('alpha', 1) };
  return dense(call, activation, 0, kernel, bias);
};

function matrixOf(call: NodeCall, index: number): Constant {
  const constant = call.constant(index);
  if (constant.shape.length === 2) return constant;
  throw call.unsupported(`it multiplies by a stored tensor of ${constant.shape.length} axes`);
}

export const matMul: ImportNode = (call) => {
  const [left, right] = [call.value(0), call.value(1)];
  if (left.kind === 'activation' && right.kind === 'constant') {
    const constant = matrixOf(call, 1);
    const bias = call.hasInput(2) ? vector(call, call.constant(2), constant.shape[1]!) : null;
    const axis = left.activation.layout.logical.length - 1;
    if (axis < 0) throw call.unsupported('it multiplies along the batch axis');
    return dense(call, left.activation, axis, { constant, transposed: false, factor: 1 }, bias);
  }
  const [a, b] = [call.activation(0), call.activation(1)];
  const rank = a.layout.logical.length;
  if (rank < 2 || b.layout.logical.length !== rank) {
    throw call.unsupported('it multiplies along the batch axis');
  }
  const inputs = [a, b].map((each) => call.inOrder(each, range(rank)).tensor);
  const tensor = call.add('matmul', inputs, { transposeA: false, transposeB: false });
  const logical = groupsOf(call.builder.shapeOf(tensor));
  return [activationValue(tensor, { logical, stored: logical })];
};
