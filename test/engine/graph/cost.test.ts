// Costs against plain loops that multiply and count.
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { graphCost, nodeCosts } from '../../../src-main/engine/graph/cost';
import { explicitPadding } from '../../../src-main/engine/graph/ops/windows';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Graph } from '../../../src-main/engine/graph/types';

function single(build: (b: GraphBuilder) => string): Graph {
  const b = new GraphBuilder('g', { rng: createRng(1) });
  b.output(build(b));
  return b.build();
}

/** Multiplications of a convolution by its definition, zeros of the border included. */
function countConv(
  [height, width, channels]: readonly [number, number, number],
  window: Parameters<typeof explicitPadding>[1],
  filters: number,
  groups: number,
): number {
  const [[top, bottom], [left, right]] = explicitPadding([height, width], window);
  const [kh, kw] = window.kernelSize;
  const [dh, dw] = window.dilations;
  let count = 0;
  for (let y = -top; y + (kh - 1) * dh < height + bottom; y += window.strides[0]) {
    for (let x = -left; x + (kw - 1) * dw < width + right; x += window.strides[1]) {
      for (let f = 0; f < filters; f++) {
        for (let i = 0; i < kh * kw; i++) {
          for (let c = 0; c < channels / groups; c++) count++;
        }
      }
    }
  }
  return count;
}

describe('macs', () => {
  const window = {
    kernelSize: [3, 2],
    strides: [2, 1],
    dilations: [1, 2],
    padding: 'same',
  } as const;

  it.each([1, 2, 3])('of a convolution in %i groups', (groups) => {
    const graph = single((b) =>
      b.conv2d(b.input('x', [7, 9, 6]), { ...window, filters: 12, groups }),
    );
    expect(graphCost(graph).macs).toBe(countConv([7, 9, 6], window, 12, groups));
  });

  it('of a depthwise convolution', () => {
    const valid = { ...window, padding: 'valid' } as const;
    const graph = single((b) =>
      b.depthwiseConv2d(b.input('x', [7, 9, 6]), { ...valid, multiplier: 2 }),
    );
    expect(graphCost(graph).macs).toBe(countConv([7, 9, 6], valid, 12, 6));
  });

  it('of a transposed convolution: every input value meets the whole kernel', () => {
    const graph = single((b) =>
      b.conv2dTranspose(b.input('x', [4, 5, 6]), { kernelSize: [3, 2], strides: 2, filters: 7 }),
    );
    let count = 0;
    for (let value = 0; value < 4 * 5 * 6; value++) count += 3 * 2 * 7;
    expect(graphCost(graph).macs).toBe(count);
  });

  it('of dense layers, on vectors and at every position', () => {
    const vector = single((b) => b.dense(b.input('x', [12]), { units: 5 }));
    expect(graphCost(vector).macs).toBe(12 * 5);
    const positions = single((b) => b.dense(b.input('x', [3, 4, 12]), { units: 5 }));
    expect(graphCost(positions).macs).toBe(3 * 4 * 12 * 5);
  });

  it('of nothing else', () => {
    const graph = single((b) => {
      const x = b.input('x', [8, 8, 4]);
      const y = b.maxPool2d(b.activation(b.batchNorm(x), 'relu'), { poolSize: 2 });
      return b.globalAvgPool(b.add([y, y]));
    });
    expect(graphCost(graph).macs).toBe(0);
  });
});

describe('params and bytes', () => {
  it('leave the statistics of batch norm out of params but not out of bytes', () => {
    const graph = single((b) => b.batchNorm(b.input('x', [4, 4, 3])));
    expect(graphCost(graph)).toMatchObject({ params: 6, weightBytes: 48 });
  });

  it('count a shared weight once and its work twice', () => {
    const graph = single((b) => {
      const x = b.input('x', [4, 4, 3]);
      const y = b.conv2d(x, { filters: 3, kernelSize: 1, name: 'a' });
      const weights = { kernel: 'a/kernel', bias: 'a/bias' };
      return b.conv2d(y, { filters: 3, kernelSize: 1, name: 'b', weights });
    });
    expect(graphCost(graph)).toMatchObject({ params: 12, macs: 2 * 16 * 9 });
    const costs = nodeCosts(graph);
    expect(costs.get('a')).toMatchObject({ params: 12, activationBytes: 16 * 3 * 4 });
    expect(costs.get('b')).toMatchObject({ params: 0, macs: 144 });
  });

  it('find the peak of live tensors', () => {
    // x 100, a 200, b 300, c = concat(a, b) 500; x is dead after b, a and b after c.
    const graph = single((b) => {
      const x = b.input('x', [10, 10, 1]);
      const a = b.conv2d(x, { filters: 2, kernelSize: 1 });
      const wide = b.conv2d(x, { filters: 3, kernelSize: 1 });
      return b.globalAvgPool(b.concat([a, wide]));
    });
    expect(graphCost(graph).activationBytes).toBe((200 + 300 + 500) * 4);
    // An output stays to the end, an input until its last reader.
    const b = new GraphBuilder('g', { rng: createRng(1) });
    const x = b.input('x', [100]);
    const first = b.dense(x, { units: 10 });
    const second = b.dense(first, { units: 200 });
    b.output(first, 'first');
    b.output(b.dense(second, { units: 5 }), 'last');
    expect(graphCost(b.build()).activationBytes).toBe((10 + 200 + 5) * 4);
  });
});
