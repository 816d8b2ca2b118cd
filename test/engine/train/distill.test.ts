// Distillation and clipping against plain loops, on both backends.

import { beforeAll, describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { Model } from '../../../src-main/engine/graph/types';
import { loadBackend, type Backend } from '../../../src-main/engine/runtime/backend';
import { clipByGlobalNorm } from '../../../src-main/engine/train/clip';
import { distilled, Teacher, type Student } from '../../../src-main/engine/train/distill';
import { runForward } from '../../../src-main/engine/train/executor';
import { classificationLoss, classifierHead } from '../../../src-main/engine/train/loss';
import { maxAbsDiff } from '../reference';
import { toyDataset, toyModel } from './toy';

const classes = 3;
const samples = 2;

const studentOf = (model: Model): Student => ({ graph: model.graph, head: classifierHead(model) });

function softmax(row: readonly number[]): number[] {
  const powers = row.map(Math.exp);
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
}

/** alpha * CE + (1 - alpha) * T^2 * KL(teacher / T || student / T) of one sample. */
function definition(
  student: readonly number[],
  teacher: readonly number[],
  target: readonly number[],
  temperature: number,
  alpha: number,
): number {
  const crossEntropy = -target.reduce((sum, t, k) => sum + t * Math.log(softmax(student)[k]!), 0);
  const p = softmax(teacher.map((x) => x / temperature));
  const q = softmax(student.map((x) => x / temperature));
  const divergence = p.reduce((sum, pk, k) => sum + pk * Math.log(pk / q[k]!), 0);
  return alpha * crossEntropy + (1 - alpha) * temperature ** 2 * divergence;
}

describe.each(['tensorflow', 'cpu'] as const)('on %s', (name) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend(name);
  });

  it.each([
    { temperature: 1, alpha: 0.5, hints: 0 },
    { temperature: 4, alpha: 0.1, hints: 0 },
    { temperature: 2, alpha: 1, hints: 0 },
    { temperature: 2.5, alpha: 0, hints: 0 },
  ])('distils by the formula, with its gradient: $temperature, $alpha', (options) => {
    const { tf } = backend;
    const rng = createRng(1);
    const draw = (): number[] => Array.from({ length: samples * classes }, () => rng.normal(0, 2));
    const [student, teacher] = [draw(), draw()];
    const target = [0.1, 0.7, 0.2, 0, 0, 1];
    const row = (values: readonly number[], n: number): number[] =>
      values.slice(n * classes, (n + 1) * classes);
    const define = (logits: readonly number[], n: number): number =>
      definition(
        row(logits, n),
        row(teacher, n),
        row(target, n),
        options.temperature,
        options.alpha,
      );
    const before = tf.memory().numTensors;
    const [losses, gradient] = tf.tidy(() => {
      // The head of a network may have axes of 1.
      const output = tf.tensor(student, [samples, 1, 1, classes]);
      const head = { tensor: 'y', kind: 'logits', classes } as const;
      const hard = classificationLoss(
        backend,
        head,
        output,
        tf.tensor2d(target, [samples, classes]),
      );
      const loss = distilled(
        backend,
        hard,
        output,
        tf.tensor2d(teacher, [samples, classes]),
        options,
      );
      expect(loss.gradient.shape).toEqual(output.shape);
      return [loss.losses.dataSync<'float32'>(), loss.gradient.dataSync<'float32'>()] as const;
    });
    expect(tf.memory().numTensors).toBe(before);
    for (let n = 0; n < samples; n++) expect(losses[n]).toBeCloseTo(define(student, n), 4);
    student.forEach((_, i) => {
      const moved = (by: number): number =>
        define(
          student.map((x, j) => (j === i ? x + by : x)),
          Math.floor(i / classes),
        );
      expect(gradient[i]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 4);
    });
  });

  it('asks a teacher for its logits at inference, with its own preprocessing and what is mixed', async () => {
    const { tf } = backend;
    const model = { ...toyModel({ softmax: true, seed: 4 }) };
    const own = { ...model.preprocessing, mean: [0.5], std: [0.1] };
    const split = toyDataset({ train: 3, val: 0, test: 0 }).split('train');
    const images = new Uint8Array(3 * 8 * 8 * 3);
    split.read(Int32Array.of(0, 1, 2), images);
    const batch = { images, labels: split.labels, count: 3 };
    const mix = { share: 0.6, partners: Int32Array.of(1, 2, 0) };
    const before = tf.memory().numTensors;
    const teacher = new Teacher(
      { ...model, preprocessing: own },
      studentOf(toyModel()),
      split,
      backend,
      true,
    );
    const [logits, attention] = tf.tidy(() => {
      const answer = teacher.answer(batch, mix);
      return [answer.logits.dataSync<'float32'>(), answer.attention.map(({ shape }) => shape)];
    }) as unknown as [Float32Array, number[][]];
    teacher.dispose();
    expect(tf.memory().numTensors).toBe(before);

    const one = images.length / 3;
    const input = Float32Array.from(images, (_, i) => {
      const [n, at] = [Math.floor(i / one), i % one];
      const mixed = 0.6 * images[i]! + 0.4 * images[mix.partners[n]! * one + at]!;
      return (mixed / 255 - 0.5) / 0.1;
    });
    const [expected] = await runForward(model, [input], 3, backend);
    const rows = [0, 1, 2].map((n) => softmax(Array.from(logits.subarray(n * 4, n * 4 + 4))));
    expect(maxAbsDiff(rows.flat(), expected!)).toBeLessThan(1e-5);
    expect(attention).toEqual([
      [3, 8 * 8],
      [3, 2 * 2],
    ]);
    expect(teacher.hinted).toHaveLength(2);
  });

  it('refuses a teacher that does not fit', () => {
    const split = toyDataset({ train: 3, val: 0, test: 0 }).split('train');
    const student = studentOf(toyModel());
    const make = (
      changes: { readonly outputKind?: 'sigmoid' },
      size = 8,
      head: Partial<Student['head']> = {},
    ): Teacher =>
      new Teacher(
        { ...toyModel(), ...changes },
        { ...student, head: { ...student.head, ...head } },
        { ...split, height: size },
        backend,
        false,
      );
    const misfit = expect.objectContaining({ code: 'DATA_MISMATCH' });
    expect(() => make({ outputKind: 'sigmoid' })).toThrow(misfit);
    expect(() => make({}, 9)).toThrow(misfit);
    expect(() => make({}, 8, { classes: 5 })).toThrow(misfit);
    expect(() => make({}, 8, { kind: 'independent' })).toThrow(misfit);
  });

  it.each([0.5, 100])('clips gradients to a norm of %d together', (limit) => {
    const { tf } = backend;
    const before = tf.memory().numTensors;
    const gradients = { a: [3, -4, 0], b: [1, 2] };
    const clipped = clipByGlobalNorm(
      tf,
      new Map(Object.entries(gradients).map(([id, values]) => [id, tf.tensor1d(values)])),
      limit,
    );
    const norm = Math.sqrt(9 + 16 + 1 + 4);
    const factor = Math.min(1, limit / (norm + 1e-6));
    for (const [id, values] of Object.entries(gradients)) {
      const expected = values.map((x) => x * factor);
      expect(maxAbsDiff(clipped.get(id)!.dataSync(), expected)).toBeLessThan(1e-6);
    }
    tf.dispose([...clipped.values()]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
