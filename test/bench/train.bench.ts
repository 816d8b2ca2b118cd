// Training speed of ResNet-20 and MobileNetV2 on 32 x 32 images: ours beside tfjs-layers' fit, Keras' fit and a
// PyTorch loop, and evaluation beside Keras' predict.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentContext } from '../../src-main/engine/context';
import type { Dataset } from '../../src-main/engine/data/types';
import { writeModel } from '../../src-main/engine/formats/table';
import { createRng } from '../../src-main/engine/graph/rng';
import type { Model } from '../../src-main/engine/graph/types';
import { evaluate } from '../../src-main/engine/measure/accuracy';
import { startStopwatch } from '../../src-main/engine/measure/stopwatch';
import { loadBackend, type Backend } from '../../src-main/engine/runtime/backend';
import { fullTrainingDefaults } from '../../src-main/engine/train/defaults';
import { localCompute } from '../../src-main/engine/train/step';
import { train } from '../../src-main/engine/train/trainer';
import { buildZoo } from '../../src-main/engine/zoo';
import { askPython } from './judges/python';
import { fitWithLayers, type FitResult, type FitTask } from './judges/tfjs-layers';
import type { BenchFigure, BenchResult } from './types';

export const name = 'train';

/** The tasks, the same for all programs. Speed does not depend on what the images show. */
const tasks: readonly FitTask[] = [
  { architecture: 'resnet20-cifar-b', batches: 20 },
  { architecture: 'mobilenetv2-cifar', batches: 6 },
].map((task) => ({ size: 32, classes: 10, batchSize: 128, epochs: 2, ...task }));

/** All are measured in turn, this many times, and the best counts: a machine shared with others has slow minutes. */
const rounds = 3;
/** Far from its target, and minutes of a round: this one is measured in the first only. */
const slowJudge = 'tfjs-layers';

/** What was measured is to be this much faster than each judge. */
const targets = { 'tfjs-layers': 5, Keras: 1.2, PyTorch: 0.95, 'Keras, predict': 1 } as const;
/** Reading, shuffling and augmenting may cost this share of the speed. */
const loaderTarget = 0.95;

/** Random images; without `content` those of the first batch stay what they are, and reading costs nothing from then on. */
function randomDataset({ size, classes, batchSize, batches }: FitTask, content: boolean): Dataset {
  const images = batchSize * batches;
  const rng = createRng(1);
  const shape = { height: size, width: size, channels: 3 } as const;
  const bytes = size ** 2 * 3;
  const pixels = Uint8Array.from({ length: images * bytes }, () => rng.int(256));
  const labels = Int32Array.from({ length: images }, () => rng.int(classes));
  const read = (indices: Int32Array, target: Uint8Array): void =>
    indices.forEach((index, i) =>
      target.set(pixels.subarray(index * bytes, (index + 1) * bytes), i * bytes),
    );
  return {
    ...shape,
    format: 'npz',
    task: 'classes',
    classes: Array.from({ length: classes }, (_, i) => String(i)),
    counts: { train: images, val: 0, test: 0 },
    notes: [],
    split: (split) => ({
      ...shape,
      count: split === 'train' ? images : 0,
      labels,
      read: content ? read : once(read),
    }),
    close: () => undefined,
  };
}

/** Does its work the first time only. */
function once<A extends readonly unknown[]>(work: (...args: A) => void): (...args: A) => void {
  let isDone = false;
  return (...args) => {
    if (!isDone) work(...args);
    isDone = true;
  };
}

/** Images a second. */
interface Speeds {
  readonly training: number;
  /** Without reading and augmenting. */
  readonly alone: number;
  readonly evaluation: number;
}

/** Of the best epoch after one to warm up, and of the best of two evaluations. */
async function measureOurs(
  task: FitTask,
  model: Model,
  backend: Backend,
  loaderFirst: boolean,
): Promise<Speeds> {
  const { batchSize, epochs } = task;
  const training = async (withLoader: boolean): Promise<number> => {
    const defaults = fullTrainingDefaults(epochs + 1);
    const augment = withLoader ? defaults.augment : { flip: false, padCrop: 0 };
    const options = { ...defaults, augment, batchSize };
    const dataset = randomDataset(task, withLoader);
    const how = { compute: localCompute(backend) };
    const { history } = await train(model, dataset, options, silentContext, {}, how);
    return Math.max(...history.slice(1).map(({ imagesPerSecond }) => imagesPerSecond));
  };
  const split = randomDataset(task, true).split('train');
  const evaluation = async (): Promise<number> => {
    const elapsed = startStopwatch();
    await evaluate(model, split, 'train', silentContext, { backend });
    return split.count / elapsed();
  };
  await evaluation();
  // What runs second finds memory and clocks warm: the rounds take turns.
  const speeds = new Map<boolean, number>();
  for (const withLoader of [loaderFirst, !loaderFirst]) {
    speeds.set(withLoader, await training(withLoader));
  }
  return {
    training: speeds.get(true)!,
    alone: speeds.get(false)!,
    evaluation: Math.max(await evaluation(), await evaluation()),
  };
}

type JudgeResult = FitResult | { readonly why: string };

/** The faster of two runs. */
function better(a: JudgeResult | undefined, b: JudgeResult): JudgeResult {
  if (a === undefined || 'why' in b) return b;
  if ('why' in a) return b;
  const evaluation = Math.max(a.evaluation ?? 0, b.evaluation ?? 0);
  return {
    ...(a.imagesPerSecond < b.imagesPerSecond ? b : a),
    ...(evaluation === 0 ? {} : { evaluation }),
  };
}

function ratio(label: string, judge: string, value: number): BenchFigure {
  const target = judge in targets ? targets[judge as keyof typeof targets] : null;
  return {
    label,
    value,
    unit: 'times',
    ...(target === null ? {} : { note: `target: at least ${target}` }),
  };
}

/** A judge's figures and how many times as fast ours are; without them, why there are none. */
function beside(prefix: string, judge: string, result: JudgeResult, ours: Speeds): BenchFigure[] {
  if ('why' in result) {
    return [{ label: `${prefix}, ${judge}`, value: null, unit: 'img/s', note: result.why }];
  }
  const { imagesPerSecond, evaluation, version } = result;
  return [
    { label: `${prefix}, ${judge}`, value: imagesPerSecond, unit: 'img/s', note: version },
    ratio(`${prefix}, Secateur / ${judge}`, judge, ours.training / imagesPerSecond),
    ...(evaluation === undefined
      ? []
      : [
          { label: `${prefix}, ${judge}, predict`, value: evaluation, unit: 'img/s' },
          ratio(
            `${prefix}, Secateur / ${judge}, predict`,
            `${judge}, predict`,
            ours.evaluation / evaluation,
          ),
        ]),
  ];
}

/** Minutes pass between the rounds. */
function tell(architecture: string, round: number, program: string, figures: object): void {
  console.error(`${architecture}, round ${round + 1}, ${program}: ${JSON.stringify(figures)}`);
}

async function measureTask(
  task: FitTask,
  backend: Backend,
  folder: string,
): Promise<readonly BenchFigure[]> {
  const { architecture, classes } = task;
  const model = buildZoo(architecture, { seed: 1, classes });
  const [written] = await writeModel(model, 'keras', { precision: 'fp32', name: architecture });
  const file = join(folder, written!.path);
  await writeFile(file, written!.bytes);
  const judges = new Map<string, () => Promise<JudgeResult>>([
    ['tfjs-layers', () => fitWithLayers(task, model)],
    ['Keras', () => askPython(['keras'], 'keras_fit.py', { ...task, model: file })],
    ['PyTorch', () => askPython(['torch', 'torchvision'], 'torch_fit.py', task)],
  ]);
  let ours: Speeds = { training: 0, alone: 0, evaluation: 0 };
  const best = new Map<string, JudgeResult>();
  for (let round = 0; round < rounds; round++) {
    const now = await measureOurs(task, model, backend, round % 2 === 0);
    ours = {
      training: Math.max(ours.training, now.training),
      alone: Math.max(ours.alone, now.alone),
      evaluation: Math.max(ours.evaluation, now.evaluation),
    };
    tell(architecture, round, 'Secateur', { ...now, imagesPerSecond: now.training });
    for (const [judge, measure] of judges) {
      if (judge === slowJudge && round > 0) continue;
      const result = await measure();
      tell(architecture, round, judge, result);
      best.set(judge, better(best.get(judge), result));
    }
  }
  return [
    {
      label: `${architecture}, Secateur, training`,
      value: ours.training,
      unit: 'img/s',
      note: `${backend.detail}, batch ${task.batchSize}, flip and pad-crop on`,
    },
    {
      label: `${architecture}, with loader and augmentation / without`,
      value: ours.training / ours.alone,
      unit: 'times',
      note: `target: at least ${loaderTarget}`,
    },
    { label: `${architecture}, Secateur, evaluation`, value: ours.evaluation, unit: 'img/s' },
    ...Array.from(best, ([judge, result]) => beside(architecture, judge, result, ours)).flat(),
  ];
}

/** Needs TensorFlow's native library. */
export async function run(): Promise<BenchResult> {
  const backend = await loadBackend('tensorflow');
  const folder = await mkdtemp(join(tmpdir(), 'secateur-train-'));
  try {
    const figures: BenchFigure[] = [];
    for (const task of tasks) figures.push(...(await measureTask(task, backend, folder)));
    return { figures };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
