import { beforeAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src-main/engine/graph/build';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model } from '../../../src-main/engine/graph/types';
import { loadBackend, type Backend } from '../../../src-main/engine/runtime/backend';
import {
  classificationLoss,
  classifierHead,
  type ClassifierHead,
} from '../../../src-main/engine/train/loss';
import { toyModel } from './toy';

describe('classifierHead', () => {
  it('takes logits as they are', () => {
    const model = toyModel();
    const head = { tensor: model.graph.outputs[0]!.tensor, kind: 'logits', classes: 4 };
    expect(classifierHead(model)).toEqual(head);
  });

  it('takes the logits in front of a final softmax', () => {
    const head = classifierHead(toyModel({ softmax: true }));
    expect(head).toEqual({ tensor: 'classes', kind: 'logits', classes: 4 });
  });

  it('takes probabilities where the softmax is not the last layer', () => {
    const b = new GraphBuilder('late', { rng: createRng(1) });
    const softmax = b.apply('softmax', [b.dense(b.input('x', [3]), { units: 2 })], { axis: -1 });
    b.output(b.apply('reshape', [softmax], { shape: [1, 2] }), 'y');
    const model: Model = { ...toyModel(), graph: b.build(), outputKind: 'softmax' };
    expect(classifierHead(model)).toMatchObject({ kind: 'probabilities', classes: 2 });
  });

  it('refuses what is no classifier', () => {
    const model: Model = { ...toyModel(), outputKind: 'values' };
    expect(() => classifierHead(model)).toThrow(expect.objectContaining({ code: 'DATA_MISMATCH' }));
  });
});

describe('classificationLoss', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend('cpu');
  });

  const labels = [1, 0];

  function lossOf(
    kind: ClassifierHead['kind'],
    values: readonly number[],
    shape: readonly number[] = [2, 3],
  ): { readonly losses: Float32Array; readonly gradient: Float32Array } {
    const { tf } = backend;
    const head = { tensor: 'y', kind, classes: 3 };
    return tf.tidy(() => {
      const output = tf.tensor([...values], [...shape]);
      const target = tf.tensor1d(labels, 'int32');
      const { losses, gradient } = classificationLoss(backend, head, output, target);
      expect(gradient.shape).toEqual(shape);
      return {
        losses: losses.dataSync<'float32'>(),
        gradient: gradient.dataSync<'float32'>(),
      };
    });
  }

  /** Loss of both samples, as the definition has it. */
  const definitions: Readonly<Record<ClassifierHead['kind'], (values: number[]) => number[]>> = {
    logits: (values) =>
      labels.map((label, n) => {
        const row = values.slice(n * 3, n * 3 + 3);
        return Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[label]!;
      }),
    probabilities: (values) => labels.map((label, n) => -Math.log(values[n * 3 + label]!)),
    independent: (values) =>
      labels.map((label, n) =>
        values
          .slice(n * 3, n * 3 + 3)
          .reduce((sum, p, i) => sum - Math.log(i === label ? p : 1 - p), 0),
      ),
  };

  it.each(['logits', 'probabilities', 'independent'] as const)(
    'follows the definition for %s, with its gradient',
    (kind) => {
      const values = [0.2, 0.7, 0.1, 0.5, 0.3, 0.2];
      const define = definitions[kind];
      const { losses, gradient } = lossOf(kind, values);
      define(values).forEach((loss, n) => expect(losses[n]).toBeCloseTo(loss, 5));
      values.forEach((_, i) => {
        const moved = (by: number): number =>
          define(values.map((x, j) => (j === i ? x + by : x))).reduce((a, b) => a + b, 0);
        expect(gradient[i]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 4);
      });
    },
  );

  it.each(['logits', 'probabilities', 'independent'] as const)(
    'takes the share of each class for %s, with its gradient',
    (kind) => {
      const { tf } = backend;
      const values = [0.2, 0.7, 0.1, 0.5, 0.3, 0.2];
      const shares = [0.1, 0.85, 0.05, 0.6, 0.1, 0.3];
      const define = (outputs: readonly number[], n: number): number => {
        const [row, share] = [outputs, shares].map((all) => all.slice(n * 3, n * 3 + 3));
        const sum = row!.reduce((total, x) => total + Math.exp(x), 0);
        return row!.reduce((loss, x, k) => {
          const p = kind === 'logits' ? Math.exp(x) / sum : x;
          const others = kind === 'independent' ? (1 - share![k]!) * Math.log(1 - p) : 0;
          return loss - share![k]! * Math.log(p) - others;
        }, 0);
      };
      const [losses, gradient] = tf.tidy(() => {
        const head = { tensor: 'y', kind, classes: 3 };
        const target = tf.tensor2d(shares, [2, 3]);
        const loss = classificationLoss(backend, head, tf.tensor(values, [2, 3]), target);
        return [loss.losses.dataSync(), loss.gradient.dataSync()] as const;
      });
      for (const n of [0, 1]) expect(losses[n]).toBeCloseTo(define(values, n), 5);
      values.forEach((_, i) => {
        const moved = (by: number): number => {
          const outputs = values.map((x, j) => (j === i ? x + by : x));
          return define(outputs, Math.floor(i / 3));
        };
        expect(gradient[i]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 4);
      });
    },
  );

  it('sees one value a class in any shape', () => {
    const values = [0.2, 0.7, 0.1, 0.5, 0.3, 0.2];
    const flat = lossOf('logits', values);
    expect(lossOf('logits', values, [2, 1, 1, 3])).toEqual(flat);
  });

  it('stays finite where a probability is 0', () => {
    const { losses, gradient } = lossOf('probabilities', [1, 0, 0, 0, 1, 0]);
    expect([...losses, ...gradient].every(Number.isFinite)).toBe(true);
  });
});
