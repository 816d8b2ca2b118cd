// What activations hold on samples, against the reference run on each sample alone.

import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { AppError } from '../../../src-main/engine/errors';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Graph, TensorId } from '../../../src-main/engine/graph/types';
import { observe } from '../../../src-main/engine/quantize/observe';
import { runReference } from '../reference';

/** A convolution, a ReLU and their sum with the input; all of them are outputs. */
function network(): { readonly graph: Graph; readonly tensors: readonly TensorId[] } {
  const builder = new GraphBuilder('net', { rng: createRng(51) });
  const x = builder.input('x', [16, 16, 2]);
  const y = builder.conv2d(x, { filters: 2, kernelSize: 3, padding: 'same' });
  const z = builder.activation(y, 'relu');
  const sum = builder.add([x, z]);
  for (const [name, tensor] of [
    ['y', y],
    ['z', z],
    ['sum', sum],
  ] as const)
    builder.output(tensor, name);
  return { graph: builder.build(), tensors: [y, z, sum] };
}

const count = 40;
const size = 16 * 16 * 2;
const rng = createRng(52);
const inputs = Float32Array.from({ length: count * size }, () => rng.normal());
const samples = { count, inputs };

describe('observing activations', () => {
  it('finds the extremes over all samples', async () => {
    const { graph, tensors } = network();
    const rangeOf = await observe(graph, tensors, samples, ['minmax'], silentContext);
    tensors.forEach((tensor, output) => {
      let [min, max] = [Infinity, -Infinity];
      for (let i = 0; i < count; i++) {
        const sample = inputs.slice(i * size, (i + 1) * size);
        for (const value of runReference(graph, [sample])[output]!.data) {
          min = Math.min(min, value);
          max = Math.max(max, value);
        }
      }
      const found = rangeOf(tensor, 'minmax');
      expect(found.min).toBeCloseTo(min, 4);
      expect(found.max).toBeCloseTo(max, 4);
    });
  });

  it('gives narrower ranges by the other methods, the same whichever are asked for beside', async () => {
    const { graph, tensors } = network();
    const far = Float32Array.from(inputs);
    far[7] = 400;
    const outlier = { count, inputs: far };
    const all = ['minmax', 'percentile', 'mse'] as const;
    const rangeOf = await observe(graph, tensors, outlier, all, silentContext);
    const alone = await observe(graph, tensors, outlier, ['mse'], silentContext);
    for (const tensor of tensors) {
      const whole = rangeOf(tensor, 'minmax');
      const narrow = rangeOf(tensor, 'percentile');
      expect(narrow.max - narrow.min).toBeLessThan(whole.max - whole.min);
      const best = rangeOf(tensor, 'mse');
      expect(best.max - best.min).toBeLessThanOrEqual(whole.max - whole.min);
      expect(alone(tensor, 'mse')).toEqual(best);
    }
  });

  it('looks at every sample, also where they do not fit at once', async () => {
    const builder = new GraphBuilder('chain');
    const x = builder.input('x', [64, 64, 1]);
    // 13 million numbers a hundred samples: more than are held at once.
    const tensors: TensorId[] = [];
    for (let i = 0, y = x; i < 100; i++) tensors.push((y = builder.activation(y, 'neg')));
    builder.output(tensors.at(-1)!);
    const many = new Float32Array(130 * 4096);
    many[0] = 2;
    many[129 * 4096 + 77] = -5;
    const chain = { count: 130, inputs: many };
    const seen: number[] = [];
    const context = { ...silentContext, progress: ({ done }: { done: number }) => seen.push(done) };
    const rangeOf = await observe(builder.build(), tensors, chain, ['minmax'], context);
    expect(seen.length).toBeGreaterThan(1);
    expect(rangeOf(tensors[0]!, 'minmax')).toEqual({ min: -2, max: 5 });
    expect(rangeOf(tensors[1]!, 'minmax')).toEqual({ min: -5, max: 2 });
  });

  it('stops when it is cancelled', async () => {
    const { graph, tensors } = network();
    const controller = new AbortController();
    controller.abort(new AppError('CANCELLED', 'cancelled', 'start again'));
    const context = { ...silentContext, signal: controller.signal };
    await expect(observe(graph, tensors, samples, ['minmax'], context)).rejects.toMatchObject({
      code: 'CANCELLED',
    });
  });
});
