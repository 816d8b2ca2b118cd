// Operators that move values. Reshapes and permutations leave no operator of their own: how axes are stored is
// followed, and numbers move where somebody reads them in another order.

import type { OpAttrs, Shape } from '../../../graph/types';
import {
  groupsOf,
  layoutInOrder,
  permuteLogical,
  range,
  reshapeLogical,
  shapeOf,
  type Group,
} from '../layout';
import { newImage } from './filters';
import { int, text } from './program';
import { tensorOf, type ExportNode, type NodeExport, type Tensor } from './types';

type MoveOp =
  | 'flatten'
  | 'reshape'
  | 'permute'
  | 'slice'
  | 'crop'
  | 'gather'
  | 'pad'
  | 'split'
  | 'concat'
  | 'softmax';

/** A constant takes part as what it is stored as. */
function plain<K extends MoveOp>(layer: NodeExport<K>, input: Tensor): Tensor {
  if (input.constant === null) return input;
  const { name, logical, order } = layer.aligned(input);
  return tensorOf(name, layoutInOrder(logical, order));
}

function reshaped<K extends 'flatten' | 'reshape'>(layer: NodeExport<K>): readonly Tensor[] {
  const input = plain(layer, layer.inputs[0]!);
  const shape = layer.outputShapes[0]!;
  const layout = reshapeLogical(input.layout, shape);
  if (layout !== null) return [tensorOf(input.name, layout)];
  // Axes are cut across: the values in the graph's order, then in the new shape.
  const { name } = layer.inOrder(input, range(input.layout.logical.length));
  const output = layer.emit('Reshape', [name, layer.program.integers([0, ...shape])]);
  const logical = groupsOf(shape);
  return [tensorOf(output, { logical, stored: logical })];
}

export const flatten: ExportNode<'flatten'> = reshaped;
export const reshape: ExportNode<'reshape'> = reshaped;

export const permute: ExportNode<'permute'> = (layer) => {
  const input = plain(layer, layer.inputs[0]!);
  return [tensorOf(input.name, permuteLogical(input.layout, layer.node.attrs.perm))];
};

export const concat: ExportNode<'concat'> = (layer) => {
  const { inputs } = layer;
  const rank = layer.outputShapes[0]!.length;
  const axis = layer.node.attrs.axis < 0 ? layer.node.attrs.axis + rank : layer.node.attrs.axis;
  const { order, logical } = layer.aligned(inputs[0]!);
  const names = inputs.map((input) => layer.inOrder(input, order).name);
  const output = layer.emit('Concat', names, { axis: int(order.indexOf(axis) + 1) });
  return [tensorOf(output, layoutInOrder(resized(logical, layer.outputShapes[0]!), order))];
};

/** The axes of a result: those that kept their size, and new ones. */
function resized(logical: readonly Group[], shape: Shape): readonly Group[] {
  const old = shapeOf(logical);
  return logical.map((group, axis) =>
    old[axis] === shape[axis] ? group : groupsOf([shape[axis]!])[0]!,
  );
}

export const split: ExportNode<'split'> = (layer) => {
  const { sizes } = layer.node.attrs;
  const { name, logical, order } = layer.aligned(layer.inputs[0]!);
  const axis =
    layer.node.attrs.axis < 0 ? layer.node.attrs.axis + order.length : layer.node.attrs.axis;
  const names = layer.emitAll(
    'Split',
    [name, layer.program.integers(sizes)],
    { axis: int(order.indexOf(axis) + 1) },
    { outputs: sizes.length },
  );
  return names.map((part, i) =>
    tensorOf(part, layoutInOrder(resized(logical, layer.outputShapes[i]!), order)),
  );
};

/** Takes a part; axes that stay whole are not mentioned. */
function sliced<K extends 'slice' | 'crop'>(
  layer: NodeExport<K>,
  { begin, end, strides }: OpAttrs['slice'],
): readonly Tensor[] {
  const { name, logical, order } = layer.aligned(layer.inputs[0]!);
  const sizes = layer.inputShapes[0]!;
  const shape = layer.outputShapes[0]!;
  const cut = order.flatMap((axis, place) =>
    begin[axis] === 0 && end[axis] === sizes[axis] && strides[axis] === 1 ? [] : [{ axis, place }],
  );
  if (cut.length === 0)
    return [tensorOf(layer.emit('Identity', [name]), layoutInOrder(logical, order))];
  const { program } = layer;
  const list = (values: readonly number[]): string =>
    program.integers(cut.map(({ axis }) => values[axis]!));
  const axes = program.integers(cut.map(({ place }) => place + 1));
  const output = layer.emit('Slice', [name, list(begin), list(end), axes, list(strides)]);
  return [tensorOf(output, layoutInOrder(resized(logical, shape), order))];
}

export const slice: ExportNode<'slice'> = (layer) => sliced(layer, layer.node.attrs);

export const crop: ExportNode<'crop'> = (layer) => {
  const [[top, bottom], [left, right]] = layer.node.attrs.amounts;
  const [height, width, channels] = layer.inputShapes[0]! as readonly [number, number, number];
  return sliced(layer, {
    begin: [top, left, 0],
    end: [height - bottom, width - right, channels],
    strides: [1, 1, 1],
  });
};

export const gather: ExportNode<'gather'> = (layer) => {
  const { name, logical, order } = layer.aligned(layer.inputs[0]!);
  const indices = layer.program.integers(layer.node.attrs.indices);
  const place = order.indexOf(order.length - 1) + 1;
  const output = layer.emit('Gather', [name, indices], { axis: int(place) });
  return [tensorOf(output, layoutInOrder(resized(logical, layer.outputShapes[0]!), order))];
};

export const pad: ExportNode<'pad'> = (layer) => {
  const { paddings, mode, value } = layer.node.attrs;
  const narrow = paddings.flat().every((amount) => amount <= 1);
  // Next to one border value, mirroring with it and repeating it are the same.
  if (mode === 'symmetric' && !narrow) {
    throw layer.unsupported('it has no padding that mirrors the border itself');
  }
  const { name, logical, order } = layer.aligned(layer.inputs[0]!);
  const amounts = [
    ...[0, ...order.map((axis) => paddings[axis]![0])],
    ...[0, ...order.map((axis) => paddings[axis]![1])],
  ];
  const { program } = layer;
  const inputs = [
    name,
    program.integers(amounts),
    ...(mode === 'constant' ? [program.number(value)] : []),
  ];
  const output = layer.emit('Pad', inputs, { mode: text(mode === 'symmetric' ? 'edge' : mode) });
  return [tensorOf(output, layoutInOrder(resized(logical, layer.outputShapes[0]!), order))];
};

export const softmax: ExportNode<'softmax'> = (layer) => {
  const { name, logical, order } = layer.aligned(layer.inputs[0]!);
  const axis =
    layer.node.attrs.axis < 0 ? layer.node.attrs.axis + order.length : layer.node.attrs.axis;
  const output = layer.emit('Softmax', [name], { axis: int(order.indexOf(axis) + 1) });
  return [tensorOf(output, layoutInOrder(logical, order))];
};

export const constant: ExportNode<'constant'> = (layer) => {
  const { shape, data } = layer.weight('value')!;
  const logical = groupsOf(shape);
  return [
    {
      name: layer.node.weights.value!,
      layout: { logical, stored: logical },
      constant: Float32Array.from(data),
    },
  ];
};

/** The three ways of the graph to place pixels, in ONNX's words. */
export const resize: ExportNode<'resize'> = (layer) => {
  const { size, mode, alignCorners, halfPixel } = layer.node.attrs;
  const channels = layer.inputShapes[0]![2]!;
  const coordinates = alignCorners ? 'align_corners' : halfPixel ? 'half_pixel' : 'asymmetric';
  const inputs = [
    layer.image(layer.inputs[0]!).name,
    '',
    '',
    layer.program.integers([1, channels, ...size]),
  ];
  const output = layer.emit('Resize', inputs, {
    mode: text(mode === 'nearest' ? 'nearest' : 'linear'),
    coordinate_transformation_mode: text(coordinates),
    // TensorFlow rounds down, from the centre of a pixel too: there, that is the nearest one, halves up.
    ...(mode === 'nearest'
      ? { nearest_mode: text(alignCorners || halfPixel ? 'round_prefer_ceil' : 'floor') }
      : {}),
  });
  return [newImage(output, layer.outputShapes[0]!)];
};

export const depthToSpace: ExportNode<'depthToSpace'> = (layer) => {
  const { block, order } = layer.node.attrs;
  const attributes = { blocksize: int(block), mode: text(order === 'dcr' ? 'DCR' : 'CRD') };
  const output = layer.emit('DepthToSpace', [layer.image(layer.inputs[0]!).name], attributes);
  return [newImage(output, layer.outputShapes[0]!)];
};

export const spaceToDepth: ExportNode<'spaceToDepth'> = (layer) => {
  const attributes = { blocksize: int(layer.node.attrs.block) };
  const output = layer.emit('SpaceToDepth', [layer.image(layer.inputs[0]!).name], attributes);
  return [newImage(output, layer.outputShapes[0]!)];
};
