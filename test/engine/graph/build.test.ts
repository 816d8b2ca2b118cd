// The builder names, orders and initialises what it is given.
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import { inferShapes } from '../../../src-main/engine/graph/shapes';

const rng = () => createRng(1);

describe('GraphBuilder', () => {
  it('knows the shape of each tensor as inference does', () => {
    const b = new GraphBuilder('net', { rng: rng() });
    const x = b.input('x', [9, 9, 3]);
    const up = b.conv2dTranspose(x, { filters: 4, kernelSize: 2, strides: 2 });
    const [left, right] = b.applyAll('split', [up], { axis: -1, sizes: [1, 3] });
    const y = b.concat([b.prelu(left!), right!]);
    b.output(b.flatten(b.avgPool2d(y, { poolSize: [3, 2], padding: 'same' })));
    const graph = b.build();
    for (const [tensor, shape] of inferShapes(graph)) expect(b.shapeOf(tensor)).toEqual(shape);
    expect(graph.nodes.map(({ op }) => op)).toEqual([
      'conv2dTranspose',
      'split',
      'prelu',
      'concat',
      'avgPool2d',
      'flatten',
    ]);
  });

  it('makes names unique, also against inputs and tensors', () => {
    const b = new GraphBuilder('net');
    let x = b.input('relu', [4]);
    for (let i = 0; i < 2; i++) x = b.activation(x, 'relu');
    const parts = b.applyAll('split', [x], { axis: 0, sizes: [2, 2] }, { name: 's' });
    expect(parts).toEqual(['s', 's:1']);
    b.output(b.apply('concat', parts, { axis: 0 }, { name: 's:1' }));
    expect(b.build().nodes.map(({ name }) => name)).toEqual(['relu_1', 'relu_2', 's', 's:1_1']);
  });

  it('draws all weights that are not given or left out', () => {
    const b = new GraphBuilder('net', { rng: rng(), init: { gamma: 0.5 } });
    const x = b.input('x', [4, 4, 2]);
    const y = b.depthwiseConv2d(x, { kernelSize: 3, multiplier: 2, bias: false, name: 'dw' });
    const beta = { shape: [4], dtype: 'float32', data: new Float32Array(4).fill(7) } as const;
    b.output(b.batchNorm(y, { name: 'bn', weights: { beta } }));
    const { weights } = b.build();
    expect([...weights.keys()].sort()).toEqual([
      'bn/beta',
      'bn/gamma',
      'bn/mean',
      'bn/variance',
      'dw/kernel',
    ]);
    expect(weights.get('dw/kernel')!.shape).toEqual([3, 3, 2, 2]);
    expect(weights.get('bn/gamma')!.data).toEqual(new Float32Array(4).fill(0.5));
    expect(weights.get('bn/variance')!.data).toEqual(new Float32Array(4).fill(1));
    expect(weights.get('bn/beta')!.data[0]).toBe(7);
  });

  it('draws nothing without a generator: required weights must be given', () => {
    const b = new GraphBuilder('net');
    const kernel = { shape: [4, 2], dtype: 'float32', data: new Float32Array(8) } as const;
    const x = b.input('x', [4]);
    b.output(b.dense(x, { units: 2, weights: { kernel } }));
    expect([...b.build().weights.keys()]).toEqual(['dense/kernel']);
    b.output(b.dense(x, { units: 3 }));
    expect(() => b.build()).toThrow(/"dense_1".*the weight "kernel" is missing/);
  });

  it('shares a weight by its id', () => {
    const b = new GraphBuilder('net', { rng: rng() });
    const kernel = b.addWeight('tied', {
      shape: [4, 4],
      dtype: 'float32',
      data: new Float32Array(16),
    });
    let x = b.input('x', [4]);
    for (let i = 0; i < 3; i++) x = b.dense(x, { units: 4, bias: false, weights: { kernel } });
    b.output(x);
    expect(b.build().weights.size).toBe(1);
  });

  it('names the layer whose inputs do not fit', () => {
    const b = new GraphBuilder('net', { rng: rng() });
    const x = b.input('x', [4, 4, 2]);
    expect(() => b.add([x, b.conv2d(x, { filters: 3, kernelSize: 1 })], { name: 'sum' })).toThrow(
      /"sum" \(add\)/,
    );
    expect(() => b.activation('gone', 'relu')).toThrow(/"gone"/);
  });
});
