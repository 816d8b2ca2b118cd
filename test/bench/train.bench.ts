// Training speed of ResNet-20 on 32 x 32 images: ours beside tfjs-layers' fit, Keras' fit and a PyTorch loop.

import { silentContext } from '../../src-main/engine/context';
import type { Dataset } from '../../src-main/engine/data/types';
import { createRng } from '../../src-main/engine/graph/rng';
import { evaluate } from '../../src-main/engine/measure/accuracy';
import { startStopwatch } from '../../src-main/engine/measure/stopwatch';
import { loadBackend, type Backend } from '../../src-main/engine/runtime/backend';
import { fullTrainingDefaults } from '../../src-main/engine/train/defaults';
import { localCompute } from '../../src-main/engine/train/step';
import { train } from '../../src-main/engine/train/trainer';
import { buildZoo } from '../../src-main/engine/zoo';
import { askPython } from './judges/python';
import { fitWithLayers, type FitResult } from './judges/tfjs-layers';
import type { BenchFigure, BenchResult } from './types';

export const name = 'train';

/** The task, the same for all. Speed does not depend on what the images show. */
const task = { size: 32, classes: 10, batchSize: 128, batches: 20, epochs: 2 } as const;
const images = task.batchSize * task.batches;

/** All are measured in turn, this many times, and the best counts: a machine shared with others has slow minutes. */
const rounds = 3;

/** What was measured is to be this much faster than each judge. */
const targets = { 'tfjs-layers': 4, Keras: 1.1 } as const;

function randomDataset(): Dataset {
  const rng = createRng(1);
  const shape = { height: task.size, width: task.size, channels: 3 } as const;
  const bytes = task.size ** 2 * 3;
  const pixels = Uint8Array.from({ length: images * bytes }, () => rng.int(256));
  const labels = Int32Array.from({ length: images }, () => rng.int(task.classes));
  return {
    ...shape,
    format: 'npz',
    classes: Array.from({ length: task.classes }, (_, i) => String(i)),
    counts: { train: images, val: 0, test: 0 },
    notes: [],
    split: (split) => ({
      ...shape,
      count: split === 'train' ? images : 0,
      labels,
      read: (indices, target) =>
        indices.forEach((index, i) =>
          target.set(pixels.subarray(index * bytes, (index + 1) * bytes), i * bytes),
        ),
    }),
    close: () => undefined,
  };
}

/** Images a second: of the best epoch after one to warm up, and of the best of two evaluations. */
async function measureOurs(
  backend: Backend,
): Promise<{ readonly training: number; readonly evaluation: number }> {
  const { classes, batchSize, epochs } = task;
  const model = buildZoo('resnet20-cifar-b', { seed: 1, classes });
  const dataset = randomDataset();
  const options = { ...fullTrainingDefaults(epochs + 1), batchSize };
  const how = { compute: localCompute(backend) };
  const { history } = await train(model, dataset, options, silentContext, {}, how);
  const evaluation = async (): Promise<number> => {
    const elapsed = startStopwatch();
    await evaluate(model, dataset.split('train'), 'train', silentContext, { backend, batchSize });
    return images / elapsed();
  };
  await evaluation();
  return {
    training: Math.max(...history.slice(1).map(({ imagesPerSecond }) => imagesPerSecond)),
    evaluation: Math.max(await evaluation(), await evaluation()),
  };
}

type JudgeResult = FitResult | { readonly why: string };

/** The faster of two runs. */
function better(a: JudgeResult | undefined, b: JudgeResult): JudgeResult {
  if (a === undefined || 'why' in b) return b;
  return 'why' in a || a.imagesPerSecond < b.imagesPerSecond ? b : a;
}

/** A judge's figure and how many times as fast ours is; without a figure, why there is none. */
function beside(judge: string, result: JudgeResult, ours: number): readonly BenchFigure[] {
  if ('why' in result) return [{ label: judge, value: null, unit: 'img/s', note: result.why }];
  const { imagesPerSecond, version } = result;
  const target = judge in targets ? targets[judge as keyof typeof targets] : null;
  return [
    { label: `${judge}, training`, value: imagesPerSecond, unit: 'img/s', note: version },
    {
      label: `Secateur / ${judge}`,
      value: ours / imagesPerSecond,
      unit: 'times',
      ...(target === null ? {} : { note: `target: at least ${target}` }),
    },
  ];
}

/** Needs TensorFlow's native library. */
export async function run(): Promise<BenchResult> {
  const backend = await loadBackend('tensorflow');
  const judges = new Map<string, () => Promise<JudgeResult>>([
    ['tfjs-layers', () => fitWithLayers(task)],
    ['Keras', () => askPython(['keras'], 'keras_fit.py', task)],
    ['PyTorch', () => askPython(['torch'], 'torch_fit.py', task)],
  ]);
  const ours = { training: 0, evaluation: 0 };
  const best = new Map<string, JudgeResult>();
  for (let round = 0; round < rounds; round++) {
    const { training, evaluation } = await measureOurs(backend);
    ours.training = Math.max(ours.training, training);
    ours.evaluation = Math.max(ours.evaluation, evaluation);
    for (const [judge, measure] of judges)
      best.set(judge, better(best.get(judge), await measure()));
  }
  return {
    figures: [
      {
        label: `Secateur, training ResNet-20, batch ${task.batchSize}`,
        value: ours.training,
        unit: 'img/s',
        note: `${backend.detail}, flip and pad-crop on`,
      },
      { label: 'Secateur, evaluation', value: ours.evaluation, unit: 'img/s' },
      ...Array.from(best, ([judge, result]) => beside(judge, result, ours.training)).flat(),
    ],
  };
}
