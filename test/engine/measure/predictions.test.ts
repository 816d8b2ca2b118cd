import { beforeAll, describe, expect, it } from 'vitest';
import { silentContext, type Progress } from '../../../src-main/engine/context';
import { createRng } from '../../../src-main/engine/graph/rng';
import { evaluate } from '../../../src-main/engine/measure/accuracy';
import { findFlips, predict, type Predictions } from '../../../src-main/engine/measure/predictions';
import { softmax } from '../../../src-main/engine/measure/softmax';
import type { FlipKind } from '../../../src-main/engine/measure/types';
import { loadBackend, type Backend } from '../../../src-main/engine/runtime/backend';
import { runForward } from '../../../src-main/engine/train/executor';
import { modelInputs } from '../../../src-main/jobs/work/pictures';
import { toyClasses, toyDataset, toyModel } from '../train/toy';

describe('the answers of a classifier', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend();
  });

  const split = toyDataset({ train: 0, val: 0, test: 90 }).split('test');

  it.each([{}, { softmax: true }])('are those that it gives one by one: %j', async (options) => {
    const model = toyModel(options);
    const before = backend.tf.memory().numTensors;
    const seen: Progress[] = [];
    const context = { ...silentContext, progress: (now: Progress) => seen.push(now) };
    const { answers, confidences } = await predict(model, split, 'Asking', context, backend);
    expect(backend.tf.memory().numTensors).toBe(before);
    const { confusion, top1 } = await evaluate(model, split, 'test', silentContext, { backend });
    const right = split.labels.filter((label, i) => label === answers[i]).length;
    expect(right / 90).toBeCloseTo(top1, 12);
    for (let answer = 0; answer < toyClasses; answer++) {
      const said = confusion.reduce((sum, row) => sum + row[answer]!, 0);
      expect(answers.filter((one) => one === answer)).toHaveLength(said);
    }
    for (const index of [0, 17, 89]) {
      const pixels = new Uint8Array(8 * 8 * 3);
      split.read(Int32Array.of(index), pixels);
      const inputs = modelInputs(pixels, split, model.preprocessing);
      const [scores] = await runForward(model, [inputs], 1, backend);
      const probabilities = 'softmax' in options ? scores! : softmax(scores!);
      expect(confidences[index]).toBeCloseTo(Math.max(...probabilities), 5);
      expect(probabilities[answers[index]!]).toBe(Math.max(...probabilities));
    }
    expect(seen.at(-1)).toMatchObject({ label: 'Asking', done: 90, total: 90 });
  });

  it('are not asked for further once nobody wants them', async () => {
    const context = { ...silentContext, signal: AbortSignal.abort(new Error('enough')) };
    await expect(predict(toyModel(), split, 'Asking', context, backend)).rejects.toThrow('enough');
  });
});

describe('flips', () => {
  it('are every image that is answered otherwise, once, the most certain first', () => {
    const rng = createRng(5);
    const count = 300;
    const draw = (): Int32Array => Int32Array.from({ length: count }, () => rng.int(3));
    const said = (): Predictions => ({
      answers: draw(),
      confidences: Float32Array.from({ length: count }, () => rng.uniform()),
    });
    const [labels, a, b] = [draw(), said(), said()];
    const flips = findFlips(labels, a, b);
    const kindOf = (i: number): FlipKind | null => {
      if (a.answers[i] === b.answers[i]) return null;
      if (b.answers[i] === labels[i]) return 'gained';
      return a.answers[i] === labels[i] ? 'lost' : 'other';
    };
    for (const kind of ['gained', 'lost', 'other'] as const) {
      const expected = Array.from(labels, (_, i) => i).filter((i) => kindOf(i) === kind);
      expect(expected.length).toBeGreaterThan(10);
      expect([...flips[kind]].sort((i, j) => i - j)).toEqual(expected);
      const confidences = flips[kind].map((i) => b.confidences[i]!);
      expect([...confidences].sort((x, y) => y - x)).toEqual(confidences);
    }
  });
});

describe('softmax', () => {
  it('sums to 1 and keeps large logits finite', () => {
    const probabilities = softmax(Float32Array.of(1000, 999, -1000));
    expect(probabilities[0]! / probabilities[1]!).toBeCloseTo(Math.E, 5);
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
  });
});
