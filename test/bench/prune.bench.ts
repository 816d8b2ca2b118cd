// How long planning and cutting take, and how much memory: L1, global, half of the channels, beside Torch-Pruning's
// tracing, ranking and cutting of the same networks where Python has it.

import { buildZoo } from '../../src-main/engine/zoo';
import { graphCost } from '../../src-main/engine/graph/cost';
import { defaultPruneOptions, prune } from '../../src-main/engine/prune';
import { startStopwatch } from '../../src-main/engine/measure/stopwatch';
import { askPython } from './judges/python';
import type { BenchFigure, BenchResult } from './types';

export const name = 'prune';

/** Ours, torchvision's name, and what ours may take in seconds where Torch-Pruning takes `theirs`. */
const networks = [
  { id: 'resnet50', torchvision: 'resnet50', limit: 0.3, theirs: 0.66 },
  { id: 'mobilenetv2', torchvision: 'mobilenet_v2', limit: 0.12, theirs: 0.25 },
  { id: 'densenet121', torchvision: 'densenet121', limit: 0.9, theirs: 2.74 },
] as const;
const runs = 5;

interface Measured {
  readonly seconds: number;
  /** Largest memory while pruning, the model included, as a multiple of the bytes of its weights. */
  readonly memory: number;
}

function measure(id: string): Measured {
  const model = buildZoo(id, { seed: 1 });
  const { weightBytes } = graphCost(model.graph);
  const options = { ...defaultPruneOptions, target: { ratio: 0.5 } };
  let seconds = Infinity;
  let memory = 0;
  for (let run = 0; run < runs; run++) {
    const before = process.resourceUsage().maxRSS;
    const elapsed = startStopwatch();
    prune(model, options);
    seconds = Math.min(seconds, elapsed());
    // Only the first run can raise the peak: the others use again what it took.
    memory = Math.max(memory, (process.resourceUsage().maxRSS - before) * 1024);
  }
  return { seconds, memory: 1 + memory / weightBytes };
}

interface TorchPruning {
  readonly seconds: Readonly<Record<string, number>>;
  readonly version: string;
}

export async function run(): Promise<BenchResult> {
  const ours = networks.map((network) => ({ ...network, ...measure(network.id) }));
  const judge = await askPython<TorchPruning>(
    ['torch', 'torchvision', 'torch_pruning'],
    'torch_prune.py',
    {
      models: networks.map(({ torchvision }) => torchvision),
      runs,
    },
  );
  const figures = ours.flatMap(({ id, torchvision, limit, theirs, seconds, memory }) => {
    const own: BenchFigure[] = [
      {
        label: `${id}, plan and cut`,
        value: seconds * 1000,
        unit: 'ms',
        note: `target: at most ${limit * 1000} where Torch-Pruning takes ${theirs * 1000}`,
      },
      { label: `${id}, memory`, value: memory, unit: 'weights', note: 'target: at most 3' },
    ];
    if ('why' in judge) return own;
    const other = judge.seconds[torchvision]!;
    return [
      ...own,
      { label: `${id}, ${judge.version}`, value: other * 1000, unit: 'ms' },
      {
        label: `${id}, Torch-Pruning / Secateur`,
        value: other / seconds,
        unit: 'times',
        note: `target: at least ${(theirs / limit).toFixed(1)}`,
      },
    ];
  });
  if ('why' in judge) {
    figures.push({ label: 'Torch-Pruning', value: null, unit: 'ms', note: judge.why });
  }
  return { figures };
}
