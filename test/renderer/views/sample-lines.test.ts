import { describe, expect, it } from 'vitest';
import { linesText, sampleLines, shownLines } from '../../../src-renderer/views/sample-lines';

const names = ['beak', 'wing', 'tail'];

describe('the lines below a picture', () => {
  it('are the labels that apply, and whether a version said the same', () => {
    const targets = [1, 0, 1];
    expect(sampleLines({ targets, answers: null }, 'labels', names)).toEqual([
      { text: 'beak, tail', numbers: null, said: null },
    ]);
    expect(sampleLines({ targets, answers: [0.6, 0.5, 0.9] }, 'labels', names)[1]).toEqual({
      text: '✓',
      numbers: null,
      said: 'right',
    });
    expect(sampleLines({ targets, answers: [0.6, 0.7, 0.2] }, 'labels', names)[1]).toEqual({
      text: '✗ beak, wing',
      numbers: null,
      said: 'wrong',
    });
    expect(sampleLines({ targets: [0, 0, 0], answers: [0, 0, 1] }, 'labels', names)).toEqual([
      { text: 'no label', numbers: null, said: null },
      { text: '✗ tail', numbers: null, said: 'wrong' },
    ]);
  });

  it('are the values, each with what a version makes of it', () => {
    const targets = [1.5, -2, 0];
    expect(sampleLines({ targets, answers: null }, 'values', names)[0]).toEqual({
      text: 'beak',
      numbers: '1.5',
      said: null,
    });
    const lines = sampleLines({ targets, answers: [1.23456, -2, 0.5] }, 'values', names);
    expect(linesText(lines)).toBe('beak 1.5 → 1.23\nwing -2 → -2\ntail 0 → 0.5');
  });

  it('say how many there is no room for', () => {
    const lines = sampleLines({ targets: [1, 2, 3, 4, 5], answers: null }, 'values', names);
    expect(linesText(shownLines(lines))).toBe('beak 1\nwing 2\nand 3 more');
    expect(shownLines(lines.slice(0, 3))).toHaveLength(3);
  });

  it('are none where an image has a class', () => {
    expect(sampleLines({ targets: null, answers: null }, 'classes', names)).toEqual([]);
  });
});
