// torchvision's classifiers at full size, of both exporters of PyTorch: read and held to ONNX Runtime, cut to 60 % of
// their MACs and proven, written as ONNX and TFLite and run again. And how long reading takes, and how much memory.

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentContext } from '../../src-main/engine/context';
import { onnxReader } from '../../src-main/engine/formats/onnx/reader';
import { formatWriter } from '../../src-main/engine/formats/table';
import { transposed } from '../../src-main/engine/formats/transpose';
import type { Model } from '../../src-main/engine/graph/types';
import { startStopwatch } from '../../src-main/engine/measure/stopwatch';
import { analyse, checkEquivalence, defaultPruneOptions, prune } from '../../src-main/engine/prune';
import { runForward } from '../../src-main/engine/train/executor';
import { askPython } from './judges/python';
import type { BenchFigure, BenchResult } from './types';

export const name = 'formats-onnx';

const models = [
  'resnet18',
  'mobilenet_v2',
  'mobilenet_v3_small',
  'densenet121',
  'squeezenet1_1',
  'googlenet',
  'shufflenet_v2_x1_0',
  'efficientnet_b0',
];
const size = 224;

/** Largest difference that is let pass, as a share of the largest output. */
const tolerance = 1e-4;

interface Judged {
  readonly version: string;
  readonly files: readonly {
    readonly name: string;
    readonly file: string;
    readonly input: string;
    readonly output: string;
  }[];
}

async function floats(path: string): Promise<Float32Array> {
  return new Float32Array(Uint8Array.from(await readFile(path)).buffer);
}

/** Largest difference as a share of the largest number. */
function relative(actual: Float32Array, expected: Float32Array): number {
  let [apart, largest] = [actual.length === expected.length ? 0 : Infinity, 0];
  expected.forEach((value, i) => {
    apart = Math.max(apart, Math.abs(value - actual[i]!));
    largest = Math.max(largest, Math.abs(value));
  });
  return apart / largest;
}

async function runWritten(
  model: Model,
  format: 'onnx' | 'tflite',
  input: Float32Array,
  folder: string,
): Promise<Float32Array> {
  const writer = formatWriter(format);
  const files = await writer.write(model, { precision: 'fp32', name: 'cut' });
  for (const { path, bytes } of files) await writeFile(join(folder, path), bytes);
  const runner = await writer.openRunner(
    folder,
    files.map(({ path }) => path),
  );
  const [output] = await runner.run(input);
  runner.close();
  return output!;
}

async function judgeFile(
  { name: label, file, input, output }: Judged['files'][number],
  folder: string,
  isFirst: boolean,
): Promise<readonly BenchFigure[]> {
  const bytes = (await stat(file)).size;
  const before = process.resourceUsage().maxRSS;
  const elapsed = startStopwatch();
  const { model } = await onnxReader.read(file, silentContext);
  const seconds = elapsed();
  // The largest that the process ever was: only where reading made it larger does it tell what reading takes.
  const grown = ((process.resourceUsage().maxRSS - before) * 1024) / bytes;
  const image = transposed(await floats(input), [3, size * size], [1, 0]);
  const share = (value: number, what: string): BenchFigure => ({
    label: `${label}: ${what}`,
    value: value * 1e6,
    unit: '1e-6',
    note: `of the largest output; ${value <= tolerance ? 'at most' : 'OVER'} ${tolerance * 1e6}`,
  });
  const [read] = await runForward(model, [image], 1);
  const analysis = analyse(model);
  const options = { ...defaultPruneOptions, target: { macs: 0.6 } };
  const { model: slim, plan } = prune(model, options, analysis);
  const proof = await checkEquivalence(model, slim, analysis, plan.kept, { samples: 1, seed: 1 });
  if (!proof.passed) throw new Error(`${label}: the cut differs by ${proof.maxAbsDiff}`);
  const [expected] = await runForward(slim, [image], 1);
  return [
    {
      label: `${label}: read`,
      value: seconds * 1000,
      unit: 'ms',
      note:
        `${(bytes / 1e6).toFixed(1)} MB` +
        (isFirst ? `, ${grown.toFixed(1)} times that in memory at most` : ''),
    },
    share(relative(read!, await floats(output)), 'read, beside ONNX Runtime'),
    {
      label: `${label}: cut`,
      value: plan.after.macs / plan.before.macs,
      unit: 'of MACs',
      note: `masked original and cut model ${proof.maxAbsDiff.toExponential(1)} apart`,
    },
    share(relative(await runWritten(slim, 'onnx', image, folder), expected!), 'cut, as ONNX'),
    share(relative(await runWritten(slim, 'tflite', image, folder), expected!), 'cut, as TFLite'),
  ];
}

export async function run(): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'secateur-onnx-'));
  try {
    const judge = await askPython<Judged>(
      ['torch', 'torchvision', 'onnx', 'onnxscript', 'onnxruntime'],
      'onnx_models.py',
      { folder, models, size },
    );
    if ('why' in judge) {
      return { figures: [{ label: 'torchvision', value: null, unit: 'ms', note: judge.why }] };
    }
    const figures: BenchFigure[] = [];
    for (const [i, file] of judge.files.entries()) {
      figures.push(...(await judgeFile(file, folder, i === 0)));
    }
    return { figures };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
