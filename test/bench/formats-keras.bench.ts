// Networks of keras.applications at full size, with random weights: read from .h5 and .keras and compared with what
// Keras computes; cut to 60 % of their multiply-accumulates; written as TFLite for tf.lite.Interpreter, and for Keras
// again. And how long a file of about 100 MB takes to read, and how much memory.

import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentContext } from '../../src-main/engine/context';
import { formatWriter, readModel } from '../../src-main/engine/formats/table';
import type { WriteFormat } from '../../src-main/engine/formats/types';
import type { Model } from '../../src-main/engine/graph/types';
import { startStopwatch } from '../../src-main/engine/measure/stopwatch';
import { analyse, checkEquivalence, defaultPruneOptions, prune } from '../../src-main/engine/prune';
import { runForward } from '../../src-main/engine/train/executor';
import { relativeDifference, wave } from '../engine/formats/keras/wave';
import { askPython } from './judges/python';
import type { BenchFigure, BenchResult } from './types';

export const name = 'formats-keras';

const networks = [
  'ResNet50',
  'MobileNet',
  'MobileNetV2',
  'DenseNet121',
  'EfficientNetB0',
  'Xception',
  'VGG16',
] as const;

/** Largest difference that is let pass, relative to the largest output. */
const tolerance = 1e-4;
const limits = { secondsPer100MB: 3, memory: 4 } as const;

interface Made {
  readonly models: Readonly<
    Record<
      string,
      { readonly scale: number; readonly offset: number; readonly output: readonly number[] }
    >
  >;
}

type Task = Made['models'][string];

async function outputOf(model: Model, { scale, offset }: Task): Promise<Float32Array> {
  const size = model.graph.inputs[0]!.shape.reduce((a, b) => a * b, 1);
  return (await runForward(model, [wave(size, scale, offset)], 1))[0]!;
}

function difference(label: string, value: number): BenchFigure {
  const note = `${value <= tolerance ? 'within' : 'OVER'} ${tolerance} of the largest output`;
  return { label, value, unit: 'relative', note };
}

/** Reads a file and tells seconds for each 100 MB, and the peak of memory as a multiple of the file. */
async function measureReading(
  path: string,
): Promise<{ seconds: number; memory: number; model: Model }> {
  const { size } = await stat(path);
  const before = process.memoryUsage().rss;
  const elapsed = startStopwatch();
  const { model } = await readModel(path, silentContext);
  const seconds = (elapsed() * 100e6) / size;
  // The largest that the process ever was: right for the first network, which is why it is the one measured.
  const memory = (process.resourceUsage().maxRSS * 1024 - before) / size;
  return { seconds, memory, model };
}

async function write(model: Model, format: WriteFormat, folder: string): Promise<string> {
  const [file] = await formatWriter(format).write(model, { precision: 'fp32', name: 'slim' });
  const path = join(folder, `written-${file!.path}`);
  await writeFile(path, file!.bytes);
  return path;
}

async function benchNetwork(network: string, task: Task, folder: string): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = [];
  let model: Model | undefined;
  for (const suffix of ['.h5', '.keras']) {
    const path = join(folder, network + suffix);
    const read = await measureReading(path);
    model = read.model;
    const apart = relativeDifference(await outputOf(model, task), task.output);
    figures.push(difference(`${network}${suffix}, read, against Keras`, apart));
    figures.push({
      label: `${network}${suffix}, read`,
      value: read.seconds,
      unit: 's per 100 MB',
      note: `at most ${limits.secondsPer100MB}`,
    });
    if (network !== networks[0] || suffix !== '.h5') continue;
    figures.push({
      label: `${network}${suffix}, memory while it is read`,
      value: read.memory,
      unit: 'x file',
      note: `at most ${limits.memory}`,
    });
  }
  const analysis = analyse(model!);
  const { model: slim, plan } = prune(
    model!,
    { ...defaultPruneOptions, target: { macs: 0.6 } },
    analysis,
  );
  const proof = await checkEquivalence(model!, slim, analysis, plan.kept, { samples: 1, seed: 1 });
  figures.push({
    label: `${network}, cut`,
    value: plan.after.macs / plan.before.macs,
    unit: 'of the MACs',
    note: `${proof.passed ? 'equivalent' : 'NOT EQUIVALENT'}: ${proof.maxAbsDiff.toExponential(1)}`,
  });
  const expected = await outputOf(slim, task);
  const tflite = await write(slim, 'tflite', folder);
  const lite = await askPython<{ outputs: readonly (readonly number[])[] }>(
    ['tensorflow'],
    'keras_applications.py',
    { run: [[tflite, task.scale, task.offset]] },
  );
  if (!('why' in lite)) {
    const apart = relativeDifference(lite.outputs[0]!, expected);
    figures.push(difference(`${network}, cut, as TFLite in tf.lite.Interpreter`, apart));
  }
  for (const format of ['keras', 'keras-h5'] as const) {
    const path = await write(slim, format, folder);
    const size = slim.graph.inputs[0]!.shape.reduce((a, b) => a * b, 1);
    const file = join(folder, 'task.json');
    const inputs = [[...wave(size, task.scale, task.offset)]];
    await writeFile(file, JSON.stringify({ models: [{ path, inputs }] }));
    const judged = await askPython<{
      answers: readonly { outputs?: number[][]; error?: string }[];
    }>(['keras', 'tensorflow'], 'keras_load.py', { file });
    if ('why' in judged) continue;
    const apart = relativeDifference(judged.answers[0]!.outputs?.[0] ?? [], expected);
    figures.push(difference(`${network}, cut, as ${format} in Keras`, apart));
  }
  return figures;
}

export async function run(): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'secateur-keras-'));
  try {
    const figures: BenchFigure[] = [];
    for (const network of networks) {
      const made = await askPython<Made>(['keras', 'tensorflow'], 'keras_applications.py', {
        make: folder,
        models: [network],
      });
      if ('why' in made) {
        figures.push({ label: network, value: null, unit: 'relative', note: made.why });
        continue;
      }
      figures.push(...(await benchNetwork(network, made.models[network]!, folder)));
      for (const suffix of ['.h5', '.keras']) await rm(join(folder, network + suffix));
    }
    return { figures };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
