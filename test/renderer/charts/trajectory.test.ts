import { describe, expect, it } from 'vitest';
import {
  trajectorySteps,
  trajectoryTable,
  trajectoryTasks,
} from '../../../src-renderer/charts/trajectory';
import type { Recovery, StageName } from '../../../src-main/project/types';
import { accuracy, version } from '../records';

const versions = [
  version({ id: 'root', macs: 1000, accuracy: accuracy(0.9) }),
  version({ id: 'cut1', parent: 'root', operation: 'prune', macs: 600, accuracy: accuracy(0.3) }),
  version({
    id: 'tuned1',
    parent: 'cut1',
    operation: 'train',
    macs: 600,
    accuracy: accuracy(0.88),
  }),
  version({ id: 'cut2', parent: 'tuned1', operation: 'prune', macs: 300, accuracy: accuracy(0.2) }),
  version({
    id: 'scratch2',
    parent: 'cut2',
    operation: 'scratch',
    macs: 300,
    accuracy: accuracy(0.8),
  }),
];

const recovery = (
  cut: string,
  stages: readonly (readonly [StageName, string, number])[],
  data = 'd1',
): Recovery => ({
  cut,
  original: 'root',
  measuredOn: { data, split: 'test', samples: 100, task: 'classes' },
  stages: stages.map(([stage, id, top1]) => ({
    stage,
    versions: [id],
    epochs: null,
    runs: [top1],
    score: top1,
    spread: null,
  })),
  verdict: null,
});

const first = recovery('cut1', [
  ['raw', 'cut1', 0.3],
  ['fine-tuned', 'tuned1', 0.88],
]);
const second = recovery('cut2', [
  ['raw', 'cut2', 0.2],
  ['scratch-b', 'scratch2', 0.8],
]);

describe('the way of a network through its cuts', () => {
  it('leads from what was cut down to the raw cut and up again, controls aside', () => {
    const steps = trajectorySteps(versions, [first, second], 'classes');
    expect(
      steps.map(({ from, stages, controls }) => [
        [from?.version, from?.stage, from?.macs],
        stages.map(({ version: id, score }) => [id, score]),
        controls.map(({ version: id }) => id),
      ]),
    ).toEqual([
      [
        ['root', 'original', 1000],
        [
          ['cut1', 0.3],
          ['tuned1', 0.88],
        ],
        [],
      ],
      [['tuned1', 'fine-tuned', 600], [['cut2', 0.2]], ['scratch2']],
    ]);
    expect(trajectoryTable(steps, 'classes').rows.map(([name]) => name)).toEqual([
      ...['root', 'cut1', 'tuned1', 'cut2', 'scratch2'],
    ]);
  });

  it('begins at the raw cut where its parent was tested on other images', () => {
    const other = recovery('cut1', [['raw', 'cut1', 0.3]], 'd2');
    const [step] = trajectorySteps(versions, [other], 'classes');
    expect(step?.from).toBeNull();
  });

  it('leaves out what was not evaluated', () => {
    expect(trajectorySteps(versions, [{ ...first, measuredOn: null }], 'classes')).toEqual([]);
  });

  it('keeps errors of values apart from accuracies', () => {
    const measuredOn = { ...first.measuredOn!, data: 'd2', task: 'values' } as const;
    const valued = { ...recovery('cut2', [['raw', 'cut2', 3.5]]), measuredOn };
    expect(trajectoryTasks([first, valued])).toEqual(['values', 'classes']);
    expect(trajectoryTasks([first, { ...valued, stages: [] }])).toEqual(['classes']);
    const steps = trajectorySteps(versions, [first, valued], 'values');
    expect(steps.map(({ cut, stages }) => [cut, stages[0]?.score])).toEqual([['cut2', 3.5]]);
    expect(trajectorySteps(versions, [first, valued], 'classes')).toHaveLength(1);
    expect(trajectoryTable(steps, 'values').columns).toContain('mae');
    expect(trajectoryTable(steps, 'labels').columns).toContain('macro-f1');
  });
});
