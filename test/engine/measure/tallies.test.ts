// F1 of labels and errors of values, against plain loops.
import { describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import { LabelTally, ValueTally } from '../../../src-main/engine/measure/tallies';

const [samples, width] = [50, 4];
const rng = createRng(5);
const answers = Float32Array.from({ length: samples * width }, () => rng.uniform());
const yes = Float32Array.from({ length: samples * width }, (_, i) =>
  // The last label applies to none.
  i % width < width - 1 && rng.uniform() < 0.3 ? 1 : 0,
);

/** In two batches. */
function halves(tally: LabelTally | ValueTally, targets: Float32Array): void {
  const middle = 20 * width;
  tally.add(answers.subarray(0, middle), targets.subarray(0, middle));
  tally.add(answers.subarray(middle), targets.subarray(middle));
}

describe('LabelTally', () => {
  it('counts as precision and recall have it', () => {
    const tally = new LabelTally(width);
    halves(tally, yes);
    const result = tally.result();
    const f1s: number[] = [];
    let [allHits, allSaid, allTrue, allRight] = [0, 0, 0, 0];
    for (let k = 0; k < width; k++) {
      let [hits, said, true_, right] = [0, 0, 0, 0];
      for (let n = 0; n < samples; n++) {
        const [a, t] = [answers[n * width + k]! > 0.5, yes[n * width + k] === 1];
        if (a) said++;
        if (t) true_++;
        if (a && t) hits++;
        if (a === t) right++;
      }
      const [precision, recall] = [hits / said, true_ === 0 ? 0 : hits / true_];
      const f1 = hits === 0 ? 0 : (2 * precision * recall) / (precision + recall);
      f1s.push(f1);
      expect(result.perLabel[k]!.accuracy).toBeCloseTo(right / samples, 12);
      expect(result.perLabel[k]!.f1).toBeCloseTo(f1, 12);
      expect(result.perLabel[k]!.positives).toBe(true_);
      allHits += hits;
      allSaid += said;
      allTrue += true_;
      allRight += right;
    }
    const [precision, recall] = [allHits / allSaid, allHits / allTrue];
    expect(result.microF1).toBeCloseTo((2 * precision * recall) / (precision + recall), 12);
    expect(result.macroF1).toBeCloseTo(f1s.reduce((a, b) => a + b, 0) / width, 12);
    expect(result.accuracy).toBeCloseTo(allRight / (samples * width), 12);
  });

  it('leaves labels out of the mean that are neither there nor answered', () => {
    const tally = new LabelTally(2);
    tally.add(Float32Array.of(0.9, 0.1, 0.5, 0.2), Float32Array.of(1, 0, 1, 0));
    const { macroF1, perLabel } = tally.result();
    expect(perLabel.map(({ f1 }) => f1)).toEqual([2 / 3, null]);
    expect(macroF1).toBeCloseTo(2 / 3, 12);
  });

  it('gives 0 where nothing applies and nothing is answered', () => {
    const tally = new LabelTally(1);
    tally.add(Float32Array.of(0.1), Float32Array.of(0));
    expect(tally.result()).toMatchObject({ microF1: 0, macroF1: 0, accuracy: 1 });
  });
});

describe('ValueTally', () => {
  it('is the mean of the errors, and the root of the mean of their squares', () => {
    const targets = answers.map((_, i) => (i % 7) - 3);
    const tally = new ValueTally(width);
    halves(tally, targets);
    const { mae, rmse, perValue } = tally.result();
    let [absolute, squared] = [0, 0];
    for (let k = 0; k < width; k++) {
      let [own, square] = [0, 0];
      for (let i = k; i < answers.length; i += width) {
        own += Math.abs(answers[i]! - targets[i]!);
        square += (answers[i]! - targets[i]!) ** 2;
      }
      expect(perValue[k]!.mae).toBeCloseTo(own / samples, 10);
      expect(perValue[k]!.rmse).toBeCloseTo(Math.sqrt(square / samples), 10);
      absolute += own;
      squared += square;
    }
    expect(mae).toBeCloseTo(absolute / answers.length, 10);
    expect(rmse).toBeCloseTo(Math.sqrt(squared / answers.length), 10);
  });
});
