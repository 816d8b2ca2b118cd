// Gradients of every op on both backends against finite differences of the double precision reference.

import { beforeAll, describe, expect, it } from 'vitest';
import { createRng, type Rng } from '../../../../src-main/engine/graph/rng';
import type { Graph, TensorId, Weight, WeightId } from '../../../../src-main/engine/graph/types';
import { loadBackend, type Backend } from '../../../../src-main/engine/runtime/backend';
import { compile, inference } from '../../../../src-main/engine/train/executor';
import type { GraphBuilder } from '../../../../src-main/engine/graph/build';
import { runReference } from '../../reference';
import { cases, graphOf, type Case } from './cases';

/**
 * Makes the input of a case trainable: a PReLU with a slope for each value, on negative numbers, passes
 * slope * value. The gradient with respect to the slopes then is that of the input.
 */
function asWeights(b: GraphBuilder, x: TensorId): TensorId {
  const shape = b.shapeOf(x);
  const data = new Float32Array(shape.reduce((a, size) => a * size, 1));
  return b.prelu(x, { name: 'input', weights: { alpha: { shape, dtype: 'float32', data } } });
}

/** sum(outputs * factors) by the reference, with weights in double precision. */
function weightedSum(
  graph: Graph,
  input: Float32Array,
  factors: readonly Float32Array[],
  weights: ReadonlyMap<WeightId, Float64Array>,
): number {
  const precise = new Map<WeightId, Weight>();
  for (const [id, weight] of graph.weights) {
    precise.set(id, { ...weight, data: weights.get(id) as unknown as Float32Array });
  }
  const outputs = runReference({ ...graph, weights: precise }, [input]);
  return outputs.reduce(
    (sum, { data }, i) => data.reduce((part, value, j) => part + value * factors[i]![j]!, sum),
    0,
  );
}

function random(length: number, rng: Rng): Float32Array {
  return Float32Array.from({ length }, () => rng.uniform(-1, 1));
}

interface Slope {
  readonly weight: WeightId;
  readonly direction: Float32Array;
  readonly value: number;
}

/** A case made differentiable, and how the weighted sum rises when each weight moves along a direction. */
interface Expectation {
  readonly graph: Graph;
  readonly input: Float32Array;
  readonly factors: readonly Float32Array[];
  readonly slopes: readonly Slope[];
}

/** Central differences. */
function expectationOf(testCase: Case): Expectation {
  const rng = createRng(3);
  const graph = graphOf(testCase, asWeights);
  const size = testCase.input.reduce((a, b) => a * b, 1);
  // From -1.5 to -0.5: numbers near 0 would hide an error of the slopes that they multiply.
  const input = random(size, rng).map((value) => value / 2 - 1);
  const factors = runReference(graph, [input]).map(({ data }) => random(data.length, rng));
  const fixed = graph.nodes.flatMap(({ op, weights }) =>
    op === 'constant' ? [weights.value] : [weights.mean, weights.variance],
  );
  const trainable = [...graph.weights].filter(([id]) => !fixed.includes(id));
  const slopes = trainable.map(([weight, { data }]): Slope => {
    const direction = random(data.length, rng);
    const step = 1e-5;
    const moved = (sign: number): number => {
      const weights = new Map<WeightId, Float64Array>();
      for (const [other, { data: old }] of graph.weights) {
        const values = Float64Array.from(old);
        if (other === weight) values.forEach((_, i) => (values[i]! += sign * step * direction[i]!));
        weights.set(other, values);
      }
      return weightedSum(graph, input, factors, weights);
    };
    return { weight, direction, value: (moved(1) - moved(-1)) / (2 * step) };
  });
  return { graph, input, factors, slopes };
}

/** Gradients by the executor of sum(outputs * factors). */
function gradientsOf(
  graph: Graph,
  backend: Backend,
  input: Float32Array,
  factors: readonly Float32Array[],
): Map<WeightId, Float32Array> {
  const { tf } = backend;
  const executable = compile(graph, backend);
  const result = tf.tidy(() => {
    const pass = executable.record([tf.tensor(input, [1, ...graph.inputs[0]!.shape])], inference);
    const gradients = pass.backward(
      pass.outputs.map((output, i) => tf.tensor(factors[i]!, output.shape)),
    );
    pass.dispose();
    return [...gradients].map(([id, gradient]) => [id, gradient.dataSync()] as const);
  });
  executable.dispose();
  return new Map(result as [WeightId, Float32Array][]);
}

const expectations = new Map<Case, Expectation>();

function check(testCase: Case, backend: Backend): void {
  const expectation = expectations.get(testCase) ?? expectationOf(testCase);
  expectations.set(testCase, expectation);
  const { graph, input, factors, slopes } = expectation;
  const { numTensors } = backend.tf.memory();

  const gradients = gradientsOf(graph, backend, input, factors);

  expect(backend.tf.memory().numTensors).toBe(numTensors);
  expect([...gradients.keys()].sort()).toEqual(slopes.map(({ weight }) => weight).sort());
  for (const { weight, direction, value } of slopes) {
    const gradient = gradients.get(weight)!;
    const actual = gradient.reduce((sum, part, i) => sum + part * direction[i]!, 0);
    expect(Math.abs(actual - value)).toBeLessThan(2e-4 * Math.max(1, Math.abs(value)));
  }
}

describe.each(['tensorflow', 'cpu'] as const)('gradients on %s', (name) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend(name);
  });

  it.each(cases)('flow through $name', (testCase) => check(testCase, backend));

  it('flow through what dropout leaves, and nowhere else', () => {
    const { tf } = backend;
    const dropped: Case = {
      name: 'dropout in training',
      input: [5, 4, 3],
      build: (b, x) => b.apply('dropout', [x], { rate: 0.4 }),
    };
    const graph = graphOf(dropped, asWeights);
    const rng = createRng(3);
    const input = random(60, rng).map((value) => value / 2 - 1);
    const factors = random(60, rng);
    const executable = compile(graph, backend);
    const [[id, slopes] = expect.unreachable()] = [...graph.weights];
    const [y, gradient] = tf.tidy(() => {
      const x = tf.tensor(input, [1, 5, 4, 3]);
      const pass = executable.record([x], { ...inference, dropout: createRng(7) });
      const gradients = pass.backward([tf.tensor(factors, [1, 5, 4, 3])]);
      pass.dispose();
      return [pass.outputs[0]!.dataSync(), gradients.get(id)!.dataSync()] as const;
    });
    executable.dispose();
    // y = slope * x * m with a mask m of 0 or 1 / (1 - rate).
    const mask = input.map((x, i) => y[i]! / (slopes.data[i]! * x));
    expect(mask.some((m) => m === 0)).toBe(true);
    expect(mask.some((m) => Math.abs(m - 1 / 0.6) < 1e-4)).toBe(true);
    input.forEach((x, i) => expect(gradient[i]).toBeCloseTo(factors[i]! * x * mask[i]!, 4));
  });
});
