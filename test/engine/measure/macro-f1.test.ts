import { describe, expect, it } from 'vitest';
import { createRng } from '../../../src-main/engine/graph/rng';
import { macroF1 } from '../../../src-main/engine/measure/macro-f1';

/** From precision and recall of each class, as textbooks define it. */
function byDefinition(labels: readonly number[], answers: readonly number[]): number {
  const classes = [...new Set([...labels, ...answers])];
  const scores = classes.map((c) => {
    const right = labels.filter((label, i) => label === c && answers[i] === c).length;
    if (right === 0) return 0;
    const precision = right / answers.filter((answer) => answer === c).length;
    const recall = right / labels.filter((label) => label === c).length;
    return (2 * precision * recall) / (precision + recall);
  });
  return scores.reduce((sum, score) => sum + score, 0) / classes.length;
}

describe('macro-F1', () => {
  it('is the mean F1 of the classes that occur', () => {
    const rng = createRng(1);
    const classes = 6;
    for (let trial = 0; trial < 50; trial++) {
      const count = 1 + rng.int(40);
      // The last class never occurs; some others may not, either.
      const draw = (): number[] => Array.from({ length: count }, () => rng.int(classes - 1));
      const [labels, answers] = [draw(), draw()];
      const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
      labels.forEach((label, i) => (confusion[label]![answers[i]!]! += 1));
      expect(macroF1(confusion)).toBeCloseTo(byDefinition(labels, answers), 12);
    }
  });

  it('of two classes', () => {
    // F1 of the first: 2 * 2 / (3 + 3); of the second: 2 * 1 / (2 + 2).
    expect(
      macroF1([
        [2, 1],
        [1, 1],
      ]),
    ).toBeCloseTo(7 / 12, 12);
    expect(macroF1([[0]])).toBe(0);
  });
});
