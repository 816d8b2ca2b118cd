// Resize. ONNX has many ways of placing the pixels of one image on another; the graph has three, those of TensorFlow.
// Which of them is meant, if any, is not looked up but computed: the one that reads the same pixels, with the same
// shares, at every position of these very images.

import { tooLarge } from '../errors';
import { maxResizeSide } from '../limits';
import { integersOf } from '../parameters';
import type { OpAttrs, Pair } from '../../../graph/types';
import { imageValue } from './filters';
import type { ImportNode, NodeCall } from './types';

type Mode = OpAttrs['resize']['mode'];
type Corners = Pick<OpAttrs['resize'], 'alignCorners' | 'halfPixel'>;

/** One axis: sizes before and after, and the factor between them as the file states it. */
export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

/** Which pixel an output position reads, and for 'bilinear' the share of the next one. */
export interface Tap {
  readonly first: number;
  readonly second: number;
  readonly share: number;
}

interface OnnxRule {
  readonly coordinates: string;
  readonly nearest: string;
}

function onnxCoordinate(
  position: number,
  { from, to, scale }: Axis,
  coordinates: string,
): number | null {
  switch (coordinates) {
    case 'half_pixel':
      return (position + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel':
      return to > 1 ? (position + 0.5) / scale - 0.5 : 0;
    case 'align_corners':
      return to === 1 ? 0 : (position * (from - 1)) / (to - 1);
    case 'asymmetric':
      return position / scale;
    case 'half_pixel_symmetric': {
      const adjustment = to / (scale * from);
      const centre = from / 2;
      return centre * (1 - adjustment) + (position + 0.5) / scale - 0.5;
    }
    default:
      return null;
  }
}

function rounded(coordinate: number, nearest: string): number | null {
  switch (nearest) {
    case 'round_prefer_floor':
      return Math.ceil(coordinate - 0.5);
    case 'round_prefer_ceil':
      return Math.floor(coordinate + 0.5);
    case 'floor':
      return Math.floor(coordinate);
    case 'ceil':
      return Math.ceil(coordinate);
    default:
      return null;
  }
}

function within(index: number, size: number): number {
  return Math.min(Math.max(index, 0), size - 1);
}

function linearTap(coordinate: number, size: number): Tap {
  const inside = Math.min(Math.max(coordinate, 0), size - 1);
  const first = Math.floor(inside);
  return { first, second: within(first + 1, size), share: inside - first };
}

/** What ONNX reads at every position; null for rules that are not known here. */
export function onnxTaps(axis: Axis, mode: Mode, rule: OnnxRule): readonly Tap[] | null {
  const taps: Tap[] = [];
  for (let position = 0; position < axis.to; position++) {
    const coordinate = onnxCoordinate(position, axis, rule.coordinates);
    if (coordinate === null) return null;
    if (mode === 'bilinear') {
      taps.push(linearTap(coordinate, axis.from));
      continue;
    }
    const index = rounded(coordinate, rule.nearest);
    if (index === null) return null;
    const first = within(index, axis.from);
    taps.push({ first, second: first, share: 0 });
  }
  return taps;
}

/** What TensorFlow reads (tensorflow/core/util/image_resizer_state.h and the kernels of its two resizes). */
export function graphTaps(
  { from, to }: Axis,
  mode: Mode,
  { alignCorners, halfPixel }: Corners,
): readonly Tap[] {
  const factor = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  return Array.from({ length: to }, (_, position) => {
    if (mode === 'bilinear') {
      return linearTap(halfPixel ? (position + 0.5) * factor - 0.5 : position * factor, from);
    }
    const place = (halfPixel ? position + 0.5 : position) * factor;
    // Half away from zero, as TensorFlow rounds.
    const first = within(alignCorners ? Math.floor(place + 0.5) : Math.floor(place), from);
    return { first, second: first, share: 0 };
  });
}

const choices: readonly Corners[] = [
  { alignCorners: false, halfPixel: true },
  { alignCorners: false, halfPixel: false },
  { alignCorners: true, halfPixel: false },
];

function sameTaps(a: readonly Tap[], b: readonly Tap[]): boolean {
  return a.every((tap, i) => {
    const other = b[i]!;
    // A share of 1 of the next pixel is that pixel.
    const [x, y] = [tap.first + tap.share, other.first + other.share];
    return Math.abs(x - y) < 1e-4;
  });
}

/** Sizes of all axes after the resize, and the factors, as the inputs of the operator state them. */
function targetOf(
  call: NodeCall,
  shape: readonly number[],
): { sizes: readonly number[]; scales: readonly number[] } {
  const { node, opset } = call;
  const old = opset < 11 || node.op === 'Upsample';
  const listed = node.attributes.has('axes')
    ? node.attributes.ints('axes').map((axis) => (axis < 0 ? axis + shape.length : axis))
    : shape.map((_, axis) => axis);
  const spread = (values: readonly number[], rest: readonly number[]): readonly number[] => {
    if (values.length !== listed.length) throw call.corrupt('it does not state one size an axis');
    return rest.map((value, axis) =>
      listed.includes(axis) ? values[listed.indexOf(axis)]! : value,
    );
  };
  const stated = node.attributes.has('scales') ? node.attributes.floats('scales') : null;
  const scaleInput = stated === null ? call.optional(old ? 1 : 2) : null;
  const scales = stated ?? (scaleInput === null ? [] : [...scaleInput.numbers()]);
  if (scales.length > 0) {
    const all = spread(
      scales,
      shape.map(() => 1),
    );
    return { scales: all, sizes: shape.map((size, axis) => Math.floor(size * all[axis]! + 1e-6)) };
  }
  const sizeInput = call.optional(3);
  if (sizeInput === null) throw call.corrupt('it states neither sizes nor scales');
  const policy = node.attributes.text('keep_aspect_ratio_policy', 'stretch');
  if (policy !== 'stretch') throw call.unsupported(`it keeps the aspect ratio ("${policy}")`);
  const sizes = spread(integersOf(sizeInput), shape);
  return { sizes, scales: sizes.map((size, axis) => size / shape[axis]!) };
}

export const resize: ImportNode = (call) => {
  const activation = call.activation(0);
  const { attributes } = call.node;
  const shape = call.shapeOf(activation);
  const { sizes, scales } = targetOf(call, shape);
  if (sizes.some((size) => !Number.isInteger(size) || size < 1)) {
    throw call.corrupt(`it makes an image of the shape [${sizes.join(', ')}]`);
  }
  if (sizes.join() === shape.join()) return [{ kind: 'activation', activation }];
  if (sizes.length !== 4 || sizes[0] !== shape[0] || sizes[1] !== shape[1]) {
    throw call.unsupported('it changes other axes than height and width');
  }
  const side = Math.max(...shape.slice(2), ...sizes.slice(2));
  if (side > maxResizeSide) {
    throw tooLarge(`Rows or columns of the image that "${call.name}" resizes`, side, maxResizeSide);
  }
  const kind = attributes.text('mode', 'nearest');
  if (kind !== 'nearest' && kind !== 'linear') {
    throw call.unsupported(`the mode "${kind}" cannot be run`, remedy);
  }
  if (attributes.flag('antialias', false) && sizes.some((size, axis) => size < shape[axis]!)) {
    throw call.unsupported('it smooths before it makes the image smaller', remedy);
  }
  const mode: Mode = kind === 'linear' ? 'bilinear' : 'nearest';
  // Before set 11 there was one way.
  const old = call.opset < 11 || call.node.op === 'Upsample';
  const rule: OnnxRule = {
    coordinates: attributes.text(
      'coordinate_transformation_mode',
      old ? 'asymmetric' : 'half_pixel',
    ),
    nearest: attributes.text('nearest_mode', old ? 'floor' : 'round_prefer_floor'),
  };
  const corners = choices.find((choice) =>
    [2, 3].every((axis) => {
      const along = { from: shape[axis]!, to: sizes[axis]!, scale: scales[axis]! };
      const wanted = onnxTaps(along, mode, rule);
      return wanted !== null && sameTaps(wanted, graphTaps(along, mode, choice));
    }),
  );
  if (corners === undefined) {
    const how = mode === 'nearest' ? `${rule.coordinates}, ${rule.nearest}` : rule.coordinates;
    throw call.unsupported(
      `no runtime places pixels this way (${how}, ${shape.slice(2).join(' x ')} to ${sizes.slice(2).join(' x ')})`,
      remedy,
    );
  }
  const { tensor } = call.image(activation);
  const size: Pair = [sizes[2]!, sizes[3]!];
  return [imageValue(call, call.add('resize', [tensor], { size, mode, ...corners }))];
};

const remedy =
  'Enlarge by whole factors with mode "nearest", or use "bilinear" without antialiasing, and export again.';
