// Ops that put values elsewhere, and make no new ones but those between them.

import type { NodeOf } from '../../../src-main/engine/graph/types';
import type { Operands, References } from './call';
import { at, axisOf, build, moved, sum, type Value } from './value';

const sameNumbers = ({ inputs, outputs }: Operands): readonly Value[] => [
  { shape: outputs[0]!, data: inputs[0]!.data },
];

/** Where a place of the resized image lies in the original. */
function resized(size: number, from: number, node: NodeOf<'resize'>): (to: number) => number {
  const { alignCorners, halfPixel } = node.attrs;
  const scale = alignCorners && size > 1 ? (from - 1) / (size - 1) : from / size;
  return (to) => (halfPixel ? (to + 0.5) * scale - 0.5 : to * scale);
}

export const arrange: References<
  | 'concat'
  | 'split'
  | 'slice'
  | 'gather'
  | 'flatten'
  | 'reshape'
  | 'permute'
  | 'pad'
  | 'crop'
  | 'resize'
  | 'depthToSpace'
  | 'spaceToDepth'
  | 'dropout'
> = {
  concat: ({ node, inputs, outputs }) => {
    const axis = axisOf(node.attrs.axis, inputs[0]!.shape);
    return [
      build(outputs[0]!, (index) => {
        let position = index[axis]!;
        for (const input of inputs) {
          if (position < input.shape[axis]!) return at(input, moved(index, axis, position));
          position -= input.shape[axis]!;
        }
        return Number.NaN;
      }),
    ];
  },
  split: ({ node, inputs, outputs }) => {
    const axis = axisOf(node.attrs.axis, inputs[0]!.shape);
    return outputs.map((output, part) => {
      const offset = sum(node.attrs.sizes.slice(0, part));
      return build(output, (index) => at(inputs[0]!, moved(index, axis, index[axis]! + offset)));
    });
  },
  slice: ({ node, inputs, outputs }) => [
    build(outputs[0]!, (index) =>
      at(
        inputs[0]!,
        index.map((i, axis) => node.attrs.begin[axis]! + i * node.attrs.strides[axis]!),
      ),
    ),
  ],
  gather: ({ node, inputs, outputs }) => [
    build(outputs[0]!, (index) =>
      at(inputs[0]!, [...index.slice(0, -1), node.attrs.indices[index.at(-1)!]!]),
    ),
  ],
  flatten: sameNumbers,
  reshape: sameNumbers,
  dropout: ({ inputs }) => inputs,
  permute: ({ node, inputs, outputs }) => [
    build(outputs[0]!, (index) => {
      const source = [...index];
      node.attrs.perm.forEach((axis, i) => (source[axis] = index[i]!));
      return at(inputs[0]!, source);
    }),
  ],
  pad: ({ node, inputs, outputs }) => {
    const [input] = inputs as [Value];
    const { paddings, mode, value } = node.attrs;
    // 'reflect' does not repeat the border, 'symmetric' does.
    const reflect = (i: number, size: number): number => {
      const edge = mode === 'reflect' ? 0 : 1;
      if (i < 0) return -i - edge;
      return i >= size ? 2 * (size - 1) - i + edge : i;
    };
    return [
      build(outputs[0]!, (index) => {
        const source = index.map((i, axis) => i - paddings[axis]![0]);
        const isInside = source.every((i, axis) => i >= 0 && i < input.shape[axis]!);
        if (!isInside && mode === 'constant') return value;
        return at(
          input,
          source.map((i, axis) => reflect(i, input.shape[axis]!)),
        );
      }),
    ];
  },
  crop: ({ node, inputs, outputs }) => [
    build(outputs[0]!, ([y, x, c]) =>
      at(inputs[0]!, [y! + node.attrs.amounts[0][0], x! + node.attrs.amounts[1][0], c!]),
    ),
  ],
  resize: ({ node, inputs, outputs }) => {
    const [input] = inputs as [Value];
    const { size, mode, alignCorners, halfPixel } = node.attrs;
    const [height, width] = input.shape as [number, number];
    const row = resized(size[0], height, node);
    const column = resized(size[1], width, node);
    const clamp = (i: number, limit: number): number => Math.min(Math.max(i, 0), limit - 1);
    return [
      build(outputs[0]!, ([y, x, c]) => {
        if (mode === 'nearest') {
          // TensorFlow's nearest takes the half-pixel position without subtracting the half again.
          const pick = (position: number, limit: number): number => {
            const place = halfPixel ? position + 0.5 : position;
            return clamp(alignCorners ? Math.round(place) : Math.floor(place), limit);
          };
          return at(input, [pick(row(y!), height), pick(column(x!), width), c!]);
        }
        const [fy, fx] = [row(y!), column(x!)];
        const corner = (dy: number, dx: number): number =>
          at(input, [clamp(Math.floor(fy) + dy, height), clamp(Math.floor(fx) + dx, width), c!]);
        const [wy, wx] = [fy - Math.floor(fy), fx - Math.floor(fx)];
        const top = corner(0, 0) * (1 - wx) + corner(0, 1) * wx;
        const bottom = corner(1, 0) * (1 - wx) + corner(1, 1) * wx;
        return top * (1 - wy) + bottom * wy;
      }),
    ];
  },
  depthToSpace: ({ node, inputs, outputs }) => {
    const { block, order } = node.attrs;
    const channels = outputs[0]![2]!;
    return [
      build(outputs[0]!, ([y, x, c]) => {
        const k = (y! % block) * block + (x! % block);
        const source = order === 'dcr' ? k * channels + c! : c! * block * block + k;
        return at(inputs[0]!, [Math.floor(y! / block), Math.floor(x! / block), source]);
      }),
    ];
  },
  spaceToDepth: ({ node, inputs, outputs }) => {
    const { block } = node.attrs;
    const channels = inputs[0]!.shape[2]!;
    return [
      build(outputs[0]!, ([y, x, c]) => {
        const k = Math.floor(c! / channels);
        return at(inputs[0]!, [
          y! * block + Math.floor(k / block),
          x! * block + (k % block),
          c! % channels,
        ]);
      }),
    ];
  },
};
