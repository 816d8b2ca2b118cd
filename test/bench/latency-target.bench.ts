// Cuts to a measured latency: the share of the original's that is asked for, and the one that a second measurement
// finds.

import { silentContext } from '../../src-main/engine/context';
import { compareLatency } from '../../src-main/engine/measure/latency';
import { analyse, defaultPruneOptions } from '../../src-main/engine/prune';
import { planForLatency } from '../../src-main/engine/prune/latency-target';
import { cut } from '../../src-main/engine/prune/surgery';
import { buildZoo } from '../../src-main/engine/zoo';
import type { BenchFigure, BenchResult } from './types';

export const name = 'latency-target';

const shares = [0.8, 0.6, 0.4];
const measuring = { runtime: 'litert', threads: 1, warmup: 5, runs: 60 } as const;

export async function run(): Promise<BenchResult> {
  const model = buildZoo('resnet20-cifar-b', { seed: 1 });
  const analysis = analyse(model);
  const figures: BenchFigure[] = [];
  for (const share of shares) {
    const options = { ...defaultPruneOptions, target: { latency: share } };
    const { plan, measured } = await planForLatency(model, options, { analysis }, silentContext);
    const slim = cut(model, analysis, plan.kept);
    const [after, before] = await compareLatency([slim, model], measuring, silentContext);
    figures.push(
      {
        label: `ResNet-20 to ${share} of its latency: share when it was found`,
        value: measured.ms / measured.referenceMs,
        unit: 'times',
        note: `target: at most ${share}`,
      },
      {
        label: `ResNet-20 to ${share} of its latency: share when measured again`,
        value: after!.medianMs / before!.medianMs,
        unit: 'times',
        note: `target: at most ${share}, but for what other programs do`,
      },
    );
  }
  return { figures };
}
