// Ops that make new values of several, without weights.

import type { Shape } from '../../../src-main/engine/graph/types';
import type { Operands, References } from './call';
import { functions } from './functions';
import {
  all,
  at,
  axisOf,
  broadcastAt,
  build,
  largest,
  mean,
  moved,
  product,
  smallest,
  sum,
  type Value,
} from './value';
import { pool } from './windows';

function elementwise(
  reduce: (values: readonly number[]) => number,
): (call: Operands) => readonly Value[] {
  return ({ inputs, outputs }) => [
    build(outputs[0]!, (index) => reduce(inputs.map((input) => broadcastAt(input, index)))),
  ];
}

const reducers = { mean, sum, max: largest, min: smallest, prod: product };

function reduceAxes(
  input: Value,
  axes: readonly number[],
  output: Shape,
  keepDims: boolean,
  reduce: (values: readonly number[]) => number,
): Value {
  const reduced = axes.map((axis) => axisOf(axis, input.shape));
  const inner = all(reduced.map((axis) => input.shape[axis]!));
  return build(output, (index) => {
    let next = 0;
    const full = input.shape.map((_, axis) =>
      keepDims ? index[axis]! : reduced.includes(axis) ? 0 : index[next++]!,
    );
    return reduce(
      inner.map((part) => {
        const position = [...full];
        reduced.forEach((axis, i) => (position[axis] = part[i]!));
        return at(input, position);
      }),
    );
  });
}

export const combine: References<
  | 'activation'
  | 'softmax'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'max'
  | 'min'
  | 'average'
  | 'maxPool2d'
  | 'avgPool2d'
  | 'globalAvgPool'
  | 'globalMaxPool'
  | 'reduce'
  | 'matmul'
  | 'rescale'
> = {
  activation: ({ node, inputs }) => [
    {
      shape: inputs[0]!.shape,
      data: inputs[0]!.data.map((x) => functions[node.attrs.fn](x, node.attrs.alpha)),
    },
  ],
  softmax: ({ node, inputs }) => {
    const [input] = inputs as [Value];
    const axis = axisOf(node.attrs.axis, input.shape);
    return [
      build(input.shape, (index) => {
        const others = Array.from({ length: input.shape[axis]! }, (_, i) =>
          at(input, moved(index, axis, i)),
        );
        const x = at(input, index);
        return 1 / sum(others.map((other) => Math.exp(other - x)));
      }),
    ];
  },
  add: elementwise(sum),
  sub: elementwise(([a, b]) => a! - b!),
  mul: elementwise(product),
  div: elementwise(([a, b]) => a! / b!),
  max: elementwise(largest),
  min: elementwise(smallest),
  average: elementwise(mean),
  maxPool2d: pool(largest),
  avgPool2d: (call) => {
    const { countPadding, padding } = call.node.attrs;
    const counts = countPadding === true && typeof padding !== 'string';
    return pool((inside, area) => sum(inside) / (counts ? area : inside.length))(call);
  },
  globalAvgPool: ({ node, inputs, outputs }) => [
    reduceAxes(inputs[0]!, [0, 1], outputs[0]!, node.attrs.keepDims, mean),
  ],
  globalMaxPool: ({ node, inputs, outputs }) => [
    reduceAxes(inputs[0]!, [0, 1], outputs[0]!, node.attrs.keepDims, largest),
  ],
  reduce: ({ node: { attrs }, inputs, outputs }) => [
    reduceAxes(inputs[0]!, attrs.axes, outputs[0]!, attrs.keepDims, reducers[attrs.fn]),
  ],
  matmul: ({ node, inputs, outputs }) => {
    const [a, b] = inputs as [Value, Value];
    const { transposeA, transposeB } = node.attrs;
    const inner = transposeA ? a.shape.at(-2)! : a.shape.at(-1)!;
    return [
      build(outputs[0]!, (index) => {
        const batch = index.slice(0, -2);
        const [row, column] = index.slice(-2) as [number, number];
        let total = 0;
        for (let i = 0; i < inner; i++) {
          const left = transposeA ? [i, row] : [row, i];
          const right = transposeB ? [column, i] : [i, column];
          total += broadcastAt(a, [...batch, ...left]) * broadcastAt(b, [...batch, ...right]);
        }
        return total;
      }),
    ];
  },
  rescale: ({ node, inputs }) => [
    build(inputs[0]!.shape, (index) => {
      const pick = (values: readonly number[]): number =>
        values.length === 1 ? values[0]! : values[index.at(-1)!]!;
      return at(inputs[0]!, index) * pick(node.attrs.scale) + pick(node.attrs.offset);
    }),
  ],
};
