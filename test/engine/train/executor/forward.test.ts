// Every op on both backends against a reference in plain loops and double precision.

import { beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../../../src-main/engine/errors';
import { createRng } from '../../../../src-main/engine/graph/rng';
import { opTable } from '../../../../src-main/engine/graph/ops/table';
import { loadBackend, type Backend } from '../../../../src-main/engine/runtime/backend';
import { compile, runForward } from '../../../../src-main/engine/train/executor';
import { maxAbsDiff, runReference } from '../../reference';
import { cases, graphOf, type Case } from './cases';

const batch = 2;

describe.each(['tensorflow', 'cpu'] as const)('executor on %s', (name) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend(name);
  });

  it.each(cases)('computes $name', async (testCase) => {
    const graph = graphOf(testCase);
    const rng = createRng(2);
    const size = testCase.input.reduce((a, b) => a * b, 1);
    const inputs = Float32Array.from({ length: batch * size }, () => rng.uniform(-1, 1));

    const outputs = await runForward({ graph }, [inputs], batch, backend);

    for (let sample = 0; sample < batch; sample++) {
      const expected = runReference(graph, [inputs.subarray(sample * size, (sample + 1) * size)]);
      expected.forEach(({ data }, i) => {
        const actual = outputs[i]!.subarray(sample * data.length, (sample + 1) * data.length);
        const scale = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
        expect(maxAbsDiff(actual, data)).toBeLessThan(2e-5 * scale);
      });
    }
  });

  it('leaves no tensor behind', async () => {
    const before = backend.tf.memory().numTensors;
    const graph = graphOf(
      cases.find((testCase) => testCase.name === 'conv2d in 2 groups, stride 2')!,
    );
    await runForward({ graph }, [new Float32Array(batch * 7 * 6 * 4)], batch, backend);
    expect(backend.tf.memory().numTensors).toBe(before);
  });

  it('frees each tensor after its last reader', async () => {
    const { tf } = backend;
    const length = 1000;
    const deep: Case = {
      name: 'deep',
      input: [length],
      build: (b, x) => Array.from({ length: 20 }).reduce<string>((y) => b.activation(y, 'tanh'), x),
    };
    const executable = compile(graphOf(deep), backend);
    const input = tf.ones([1, length]);
    const before = tf.memory().numBytes;
    const { peakBytes } = await tf.profile(() => executable.run([input])[0]!);
    // The input, and the two ends of a layer.
    expect(peakBytes - before).toBeLessThanOrEqual(3 * 4 * length);
    expect(peakBytes).toBeGreaterThan(before);
    executable.dispose();
  });

  it('refuses an input of another length', async () => {
    const graph = graphOf(cases[0]!);
    await expect(runForward({ graph }, [new Float32Array(3)], batch, backend)).rejects.toThrow(
      AppError,
    );
  });
});

it('has a case for every op', () => {
  const covered = new Set(cases.flatMap((testCase) => graphOf(testCase).nodes.map(({ op }) => op)));
  expect([...covered].sort()).toEqual(Object.keys(opTable).sort());
});
