// A data set that does not fit a model is refused with what differs and what to do.
import { describe, expect, it } from 'vitest';
import { checkFit } from '../../../src-main/engine/data/fit';
import type { DatasetInfo } from '../../../src-main/engine/data/types';
import { AppError } from '../../../src-main/engine/errors';
import type { Graph, Model } from '../../../src-main/engine/graph/types';

const classes = ['cat', 'dog', 'T-shirt/top'];

const info: DatasetInfo = {
  format: 'idx',
  task: 'classes',
  classes,
  height: 28,
  width: 28,
  channels: 1,
  counts: { train: 10, val: 0, test: 0 },
  notes: [],
};

function classifier(shape: readonly number[], units: number): Graph {
  const size = shape.reduce((a, b) => a * b, 1);
  return {
    name: 'linear',
    inputs: [{ tensor: 'x', name: 'x', shape }],
    outputs: [{ tensor: 'y', name: 'y' }],
    nodes: [
      { id: 'f', name: 'f', op: 'flatten', inputs: ['x'], outputs: ['h'], attrs: {}, weights: {} },
      {
        id: 'd',
        name: 'd',
        op: 'dense',
        inputs: ['h'],
        outputs: ['y'],
        attrs: { units },
        weights: { kernel: 'k' },
      },
    ],
    weights: new Map([
      ['k', { shape: [size, units], dtype: 'float32', data: new Float32Array(size * units) }],
    ]),
  };
}

function model(changes: Partial<Model> = {}): Model {
  return {
    graph: classifier([28, 28, 1], 3),
    preprocessing: { scale: 1 / 255, mean: [0], std: [1], channelOrder: 'gray' },
    labels: classes,
    outputKind: 'logits',
    ...changes,
  };
}

function refusal(data: DatasetInfo, changes: Partial<Model> = {}): AppError {
  try {
    checkFit(data, model(changes));
  } catch (error) {
    if (error instanceof AppError && error.code === 'DATA_MISMATCH') return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('checkFit', () => {
  it('accepts a data set of the same size and classes', () => {
    expect(() => checkFit(info, model())).not.toThrow();
    expect(() => checkFit(info, model({ labels: null }))).not.toThrow();
  });

  it('does not mind how names are written, nor numbers in place of names', () => {
    expect(() => checkFit(info, model({ labels: ['Cat', 'DOG', 't_shirt top'] }))).not.toThrow();
    expect(() => checkFit({ ...info, classes: ['0', '1', '2'] }, model())).not.toThrow();
    expect(() => checkFit(info, model({ labels: ['0', '1', '2'] }))).not.toThrow();
  });

  it('names size and channels that differ', () => {
    const error = refusal(info, { graph: classifier([32, 32, 3], 3) });
    expect(error.message).toContain('28 x 28, the model reads 32 x 32');
    expect(error.message).toContain('1 channels, the model reads 3');
    expect(error.hint).toContain('32 x 32');
  });

  it('counts the classes', () => {
    const error = refusal(info, { graph: classifier([28, 28, 1], 5) });
    expect(error.message).toContain('3 classes (cat, dog, T-shirt/top), the model tells 5 apart');
  });

  it('tells another order from other names', () => {
    const swapped = refusal(info, { labels: ['dog', 'cat', 'T-shirt/top'] });
    expect(swapped.message).toContain('another order: class 0 is "cat", for the model "dog"');
    expect(swapped.hint).toContain('labels.txt');
    const renamed = refusal(info, { labels: ['cat', 'wolf', 'T-shirt/top'] });
    expect(renamed.message).toContain('other names: class 1 is "dog", for the model "wolf"');
  });

  it.each([
    ['labels', 'label', 'write their order into a file labels.txt'],
    ['values', 'value', 'Name the columns of labels.csv as the model does, and put them'],
  ] as const)('speaks of %s, and of the table that they stand in', (task, one, hint) => {
    const told = { ...info, format: 'image-csv', task } as const;
    const outputKind = task === 'labels' ? 'sigmoid' : 'values';
    const swapped = refusal(told, { labels: ['dog', 'cat', 'T-shirt/top'], outputKind });
    expect(swapped.message).toContain(
      `its ${task} stand in another order: ${one} 0 is "cat", for the model "dog"`,
    );
    expect(swapped.hint).toContain(hint);
    expect(swapped.hint).toContain('(dog, cat, T-shirt/top), and attach the data set again.');
    expect(swapped.hint).toContain('labels.csv');
  });

  it('refuses models that read no image or give no classes', () => {
    expect(refusal(info, { outputKind: 'values' }).message).toContain('values, not classes');
    expect(refusal(info, { graph: classifier([784], 3) }).message).toContain('[784]');
  });
});
