// Ops with weights.

import type { WeightRole } from '../../../src-main/engine/graph/types';
import type { References } from './call';
import { all, at, axisOf, broadcastAt, build, mean, type Index, type Value } from './value';
import { under } from './windows';

/** Less the mean and over the deviation of the members of each index. */
function standardised(
  input: Value,
  members: (index: Index) => readonly Index[],
  epsilon: number,
): Value {
  return build(input.shape, (index) => {
    const values = members(index).map((member) => at(input, member));
    const average = mean(values);
    const variance = mean(values.map((value) => (value - average) ** 2));
    return (at(input, index) - average) / Math.sqrt(variance + epsilon);
  });
}

export const layers: References<
  | 'conv2d'
  | 'depthwiseConv2d'
  | 'conv2dTranspose'
  | 'dense'
  | 'batchNorm'
  | 'layerNorm'
  | 'groupNorm'
  | 'prelu'
  | 'constant'
> = {
  // Positions are counted here, not looked up by index: whole networks run through it.
  conv2d: ({ node, inputs, outputs, weight }) => {
    const [image] = inputs as [Value];
    const { groups, filters } = node.attrs;
    const kernel = weight('kernel')!;
    const [, kernelWidth, perGroup] = kernel.shape as readonly [number, number, number];
    const [, width, channels] = image.shape as readonly [number, number, number];
    const [rows, columns] = outputs[0] as readonly [number, number];
    const bias = weight('bias')?.data;
    const data = new Float64Array(rows * columns * filters);
    let next = 0;
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const taps = under(node.attrs, image.shape, y, x);
        for (let o = 0; o < filters; o++) {
          const first = Math.floor(o / (filters / groups)) * perGroup;
          let total = bias?.[o] ?? 0;
          for (const { row, column, ky, kx } of taps) {
            const pixel = (row * width + column) * channels + first;
            const place = (ky * kernelWidth + kx) * perGroup * filters + o;
            for (let c = 0; c < perGroup; c++) {
              total += image.data[pixel + c]! * kernel.data[place + c * filters]!;
            }
          }
          data[next++] = total;
        }
      }
    }
    return [{ shape: outputs[0]!, data }];
  },
  depthwiseConv2d: ({ node, inputs, outputs, weight }) => {
    const [image] = inputs as [Value];
    const { multiplier } = node.attrs;
    return [
      build(outputs[0]!, ([y, x, o]) => {
        const c = Math.floor(o! / multiplier);
        let total = weight('bias')?.data[o!] ?? 0;
        for (const { row, column, ky, kx } of under(node.attrs, image.shape, y!, x!)) {
          const tap = at(weight('kernel')!, [ky, kx, c, o! % multiplier]);
          total += at(image, [row, column, c]) * tap;
        }
        return total;
      }),
    ];
  },
  conv2dTranspose: ({ node, inputs, outputs, weight }) => {
    const [image] = inputs as [Value];
    const { kernelSize, strides, padding } = node.attrs;
    // 'same' is that of the convolution that would make the input of the output, whose size is known.
    const before = (axis: 0 | 1): number => {
      if (padding === 'valid') return 0;
      if (padding !== 'same') return padding[axis][0];
      const whole = (image.shape[axis]! - 1) * strides[axis] + kernelSize[axis];
      return Math.floor(Math.max(whole - outputs[0]![axis]!, 0) / 2);
    };
    const places = all(image.shape);
    return [
      build(outputs[0]!, ([y, x, o]) => {
        let total = weight('bias')?.data[o!] ?? 0;
        for (const [row, column, c] of places) {
          const ky = y! + before(0) - row! * strides[0];
          const kx = x! + before(1) - column! * strides[1];
          if (ky < 0 || ky >= kernelSize[0] || kx < 0 || kx >= kernelSize[1]) continue;
          total += at(image, [row!, column!, c!]) * at(weight('kernel')!, [ky, kx, o!, c!]);
        }
        return total;
      }),
    ];
  },
  dense: ({ inputs, outputs, weight }) => {
    const [input] = inputs as [Value];
    const kernel = weight('kernel')!;
    return [
      build(outputs[0]!, (index) => {
        const o = index.at(-1)!;
        let total = weight('bias')?.data[o] ?? 0;
        for (let i = 0; i < kernel.shape[0]!; i++) {
          total += at(input, [...index.slice(0, -1), i]) * at(kernel, [i, o]);
        }
        return total;
      }),
    ];
  },
  batchNorm: ({ node, inputs, weight }) => {
    const [input] = inputs as [Value];
    return [
      build(input.shape, (index) => {
        const of = (role: WeightRole): number | undefined => weight(role)?.data[index.at(-1)!];
        const centred = at(input, index) - of('mean')!;
        const normal = centred / Math.sqrt(of('variance')! + node.attrs.epsilon);
        return normal * (of('gamma') ?? 1) + (of('beta') ?? 0);
      }),
    ];
  },
  layerNorm: ({ node, inputs, weight }) => {
    const [input] = inputs as [Value];
    const axes = node.attrs.axes.map((axis) => axisOf(axis, input.shape)).sort((a, b) => a - b);
    const parts = all(axes.map((axis) => input.shape[axis]!));
    const normal = standardised(
      input,
      (index) =>
        parts.map((part) =>
          index.map((i, axis) => (axes.includes(axis) ? part[axes.indexOf(axis)]! : i)),
        ),
      node.attrs.epsilon,
    );
    return [
      build(input.shape, (index) => {
        const own = axes.map((axis) => index[axis]!);
        const [gamma, beta] = [weight('gamma'), weight('beta')];
        return at(normal, index) * (gamma ? at(gamma, own) : 1) + (beta ? at(beta, own) : 0);
      }),
    ];
  },
  groupNorm: ({ node, inputs, weight }) => {
    const [input] = inputs as [Value];
    const size = input.shape.at(-1)! / node.attrs.groups;
    const group = (index: Index): number => Math.floor(index.at(-1)! / size);
    const indices = all(input.shape);
    const members = Array.from({ length: node.attrs.groups }, (_, g) =>
      indices.filter((index) => group(index) === g),
    );
    const normal = standardised(input, (index) => members[group(index)]!, node.attrs.epsilon);
    return [
      build(input.shape, (index) => {
        const c = index.at(-1)!;
        return at(normal, index) * (weight('gamma')?.data[c] ?? 1) + (weight('beta')?.data[c] ?? 0);
      }),
    ];
  },
  prelu: ({ inputs, weight }) => [
    build(inputs[0]!.shape, (index) => {
      const x = at(inputs[0]!, index);
      return x < 0 ? x * broadcastAt(weight('alpha')!, index) : x;
    }),
  ],
  constant: ({ weight }) => [weight('value')!],
};
