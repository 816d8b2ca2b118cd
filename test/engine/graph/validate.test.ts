// Every broken invariant is found and named.
import { beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../src-main/engine/errors';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Graph, Node, Weight } from '../../../src-main/engine/graph/types';
import { assertFinite, validateGraph } from '../../../src-main/engine/graph/validate';

function sample(): Graph {
  const b = new GraphBuilder('sample', { rng: createRng(1) });
  const x = b.input('image', [8, 8, 3]);
  const y = b.activation(b.conv2d(x, { filters: 4, kernelSize: 3, name: 'conv' }), 'relu');
  b.output(b.dense(b.globalAvgPool(y), { units: 2, name: 'fc' }), 'logits');
  return b.build();
}

function errorOf(action: () => void): AppError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    return error as AppError;
  }
  throw new Error('nothing was thrown');
}

/** A node of the sample, changed. */
function withNode(graph: Graph, name: string, change: Partial<Node>): Graph {
  const nodes = graph.nodes.map((node) =>
    node.name === name ? ({ ...node, ...change } as Node) : node,
  );
  return { ...graph, nodes };
}

function withWeight(graph: Graph, id: string, weight: Weight | null): Graph {
  const weights = new Map(graph.weights);
  if (weight === null) weights.delete(id);
  else weights.set(id, weight);
  return { ...graph, weights };
}

const float = (shape: number[], length: number): Weight => ({
  shape,
  dtype: 'float32',
  data: new Float32Array(length),
});

describe('validateGraph', () => {
  let graph: Graph;
  beforeEach(() => {
    graph = sample();
  });

  it('accepts a sound graph, also with a layer that nobody reads', () => {
    validateGraph(graph);
    const b = new GraphBuilder('unread', { rng: createRng(1) });
    const x = b.input('x', [4]);
    b.dense(x, { units: 3 });
    b.output(b.dense(x, { units: 2 }));
    expect(b.build().nodes).toHaveLength(2);
  });

  const broken: readonly (readonly [string, (graph: Graph) => Graph, RegExp])[] = [
    ['no input', (g) => ({ ...g, inputs: [] }), /no input/],
    ['no output', (g) => ({ ...g, outputs: [] }), /no output/],
    ['an id twice', (g) => withNode(g, 'fc', { id: 'conv' }), /layer id "conv" is used twice/],
    ['a name twice', (g) => withNode(g, 'fc', { name: 'conv' }), /layer name "conv" is used twice/],
    [
      'a tensor twice',
      (g) => withNode(g, 'fc', { outputs: ['conv'] }),
      /tensor "conv" is used twice/,
    ],
    ['no tensor name', (g) => withNode(g, 'fc', { outputs: [''] }), /tensor is empty/],
    ['another order', (g) => ({ ...g, nodes: [...g.nodes].reverse() }), /no earlier layer makes/],
    ['a missing tensor', (g) => withNode(g, 'fc', { inputs: ['gone'] }), /"fc".*"gone"/],
    [
      'an unknown op',
      (g) => withNode(g, 'fc', { op: 'toString' as 'dense' }),
      /unknown op "toString"/,
    ],
    [
      'too many outputs',
      (g) => withNode(g, 'fc', { outputs: ['a', 'b'] }),
      /names 2 outputs, the op gives 1/,
    ],
    [
      'an input of size 0',
      (g) => ({ ...g, inputs: [{ ...g.inputs[0]!, shape: [8, 0, 3] }] }),
      /"image" has the shape \[8, 0, 3\]/,
    ],
    [
      'an output that nothing makes',
      (g) => ({ ...g, outputs: [{ tensor: 'gone', name: 'logits' }] }),
      /"logits" is tensor "gone"/,
    ],
    ['an output name twice', (g) => ({ ...g, outputs: [...g.outputs, ...g.outputs] }), /twice/],
    ['a missing weight', (g) => withWeight(g, 'fc/kernel', null), /"fc\/kernel" is missing/],
    [
      'a missing role',
      (g) => withWeight(withNode(g, 'fc', { weights: { bias: 'fc/bias' } }), 'fc/kernel', null),
      /the weight "kernel" is missing/,
    ],
    [
      'a role that the op has not',
      (g) => withNode(g, 'relu', { weights: { gamma: 'fc/bias' } }),
      /"relu".*no weight "gamma"/,
    ],
    [
      'a weight of another shape',
      (g) => withWeight(g, 'conv/kernel', float([3, 3, 4, 3], 108)),
      /kernel must have the shape \[3, 3, 3, 4\], not \[3, 3, 4, 3\]/,
    ],
    [
      'a weight with too few numbers',
      (g) => withWeight(g, 'conv/kernel', float([3, 3, 3, 4], 107)),
      /holds 107 numbers/,
    ],
    [
      'a weight of another type',
      (g) => withWeight(g, 'fc/bias', { shape: [2], dtype: 'int32', data: new Int32Array(2) }),
      /must be float32, not int32/,
    ],
    [
      'a weight that is not what it says',
      (g) => withWeight(g, 'fc/bias', { shape: [2], dtype: 'float32', data: new Int32Array(2) }),
      /does not hold float32/,
    ],
    ['a weight without a layer', (g) => withWeight(g, 'stray', float([1], 1)), /"stray" belongs/],
    [
      'origins that do not fit',
      (g) => withNode(g, 'conv', { origin: [0, 1, 2] }),
      /"conv".*origin/,
    ],
  ];

  it.each(broken)('refuses %s', (_what, change, message) => {
    const error = errorOf(() => validateGraph(change(graph)));
    expect(error.code).toBe('GRAPH_INVALID');
    expect(error.message).toMatch(message);
  });
});

describe('assertFinite', () => {
  it.each([NaN, Infinity, -Infinity])('names the layer and weight that hold %s', (value) => {
    const graph = sample();
    assertFinite(graph);
    graph.weights.get('conv/kernel')!.data[17] = value;
    const error = errorOf(() => assertFinite(graph));
    expect(error.code).toBe('MODEL_NOT_FINITE');
    expect(error.message).toContain(`"conv" (conv2d): the kernel holds ${value} at position 17`);
  });

  it('accepts the largest numbers', () => {
    const graph = sample();
    graph.weights.get('conv/kernel')!.data.fill(3.4e38);
    assertFinite(graph);
  });
});
