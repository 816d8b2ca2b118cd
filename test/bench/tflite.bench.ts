// TFLite files beside those of the official TensorFlow converter, of the same networks in every precision: bytes, time to
// make them, and time that TensorFlow's own interpreter takes to run them.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentContext, type EngineContext } from '../../src-main/engine/context';
import { readModel } from '../../src-main/engine/formats/table';
import { tfliteWriter } from '../../src-main/engine/formats/tflite/writer';
import type { Precision } from '../../src-main/engine/formats/types';
import { createRng } from '../../src-main/engine/graph/rng';
import type { Model } from '../../src-main/engine/graph/types';
import { loadLiteRtRuntime } from '../../src-main/engine/measure/litert-loader';
import { startStopwatch } from '../../src-main/engine/measure/stopwatch';
import type { CalibrationSamples } from '../../src-main/engine/quantize/types';
import { loadBackend } from '../../src-main/engine/runtime/backend';
import { askPython } from './judges/python';
import type { BenchFigure, BenchResult } from './types';

export const name = 'tflite';

const networks = ['MobileNetV2', 'ResNet50'];
const precisions = ['fp32', 'fp16', 'int8-dynamic', 'int8'] as const satisfies readonly Precision[];

/** Largest share of the official converter's bytes and seconds, and of its files' milliseconds. */
const limits = { bytes: 1.01, seconds: 0.25, milliseconds: 1.05 } as const;

/** Random images to find ranges on: as many as the official converter gets. */
const images = 4;
/** Runs of each file; the quickest one counts, for others may use the machine. */
const rounds = 120;

interface Official {
  readonly path: string;
  readonly bytes: number;
  readonly seconds: number;
}

interface Converted {
  readonly version: string;
  readonly models: readonly {
    readonly name: string;
    readonly source: string;
    readonly files: Readonly<Record<(typeof precisions)[number], Official>>;
  }[];
}

interface Timed {
  readonly pairs: readonly {
    readonly milliseconds: readonly [number, number];
    readonly apart: number;
  }[];
}

function samplesFor({ graph }: Model): CalibrationSamples {
  const size = graph.inputs[0]!.shape.reduce((a, b) => a * b, 1);
  const rng = createRng(7);
  const inputs = Float32Array.from({ length: images * size }, () => rng.uniform(-1, 1));
  return { count: images, inputs };
}

interface Conversion {
  readonly bytes: Uint8Array;
  /** Seconds from the model in memory to the file in memory, without and with the report on the noise of its layers. */
  readonly seconds: number;
  readonly withReport: number;
}

async function convert(model: Model, precision: Precision): Promise<Conversion> {
  const elapsed = startStopwatch();
  if (precision !== 'int8') {
    const [file] = await tfliteWriter.write(model, { precision, name: 'net' });
    return { bytes: file!.bytes, seconds: elapsed(), withReport: elapsed() };
  }
  const calibration = samplesFor(model);
  // The report is made in one piece, from the first to the last word about it.
  const report: number[] = [];
  const context: EngineContext = {
    ...silentContext,
    progress: ({ label }) => {
      if (label.includes('noise')) report.push(elapsed());
    },
  };
  const options = {
    name: 'net',
    calibration,
    trial: { count: 0, inputs: new Float32Array(0) },
    method: 'minmax',
    io: 'int8',
    keepFloat: [],
  } as const;
  const { files } = await tfliteWriter.quantize!(model, options, context);
  const withReport = elapsed();
  const seconds = withReport - (report.at(-1)! - report[0]!);
  return { bytes: files[0]!.bytes, seconds, withReport };
}

/** The share that one number is of another, with both. */
function share(
  label: string,
  what: keyof typeof limits,
  own: number,
  official: number,
): BenchFigure {
  const value = own / official;
  const digits = what === 'bytes' ? 0 : 2;
  const verdict = value <= limits[what] ? 'at most' : 'OVER';
  const note = `${own.toFixed(digits)} of ${official.toFixed(digits)} ${what}; ${verdict} ${limits[what]}`;
  return { label: `${label}: ${what}`, value, unit: 'of official', note };
}

interface Pair {
  readonly label: string;
  readonly own: string;
  readonly official: string;
}

/** Converts a network in every precision. */
async function convertAll(
  { name: network, source, files }: Converted['models'][number],
  folder: string,
): Promise<{ readonly figures: readonly BenchFigure[]; readonly pairs: readonly Pair[] }> {
  const { model } = await readModel(source, silentContext);
  // The judge has loaded TensorFlow before it measures, too.
  await loadBackend();
  await loadLiteRtRuntime();
  const figures: BenchFigure[] = [];
  const pairs: Pair[] = [];
  for (const precision of precisions) {
    const label = `${network}, ${precision}`;
    const official = files[precision];
    const { bytes, seconds, withReport } = await convert(model, precision);
    const own = join(folder, `${network}-${precision}.tflite`);
    await writeFile(own, bytes);
    figures.push(
      share(label, 'bytes', bytes.length, official.bytes),
      share(label, 'seconds', seconds, official.seconds),
    );
    if (precision === 'int8') {
      const note = 'with the noise of each layer, which the official converter does not tell';
      figures.push({ label: `${label}: all`, value: withReport, unit: 'seconds', note });
    }
    pairs.push({ label, own, official: official.path });
  }
  return { figures, pairs };
}

export async function run(): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'secateur-tflite-'));
  const libraries = ['tensorflow', 'keras'];
  try {
    const task = { convert: folder, models: networks };
    const judge = await askPython<Converted>(libraries, 'tflite_official.py', task);
    if ('why' in judge) {
      return { figures: [{ label: 'TensorFlow', value: null, unit: 'ratio', note: judge.why }] };
    }
    const figures: BenchFigure[] = [];
    const pairs: Pair[] = [];
    for (const model of judge.models) {
      const converted = await convertAll(model, folder);
      figures.push(...converted.figures);
      pairs.push(...converted.pairs);
    }
    const time = pairs.map(({ own, official }) => [own, official]);
    const timed = await askPython<Timed>(libraries, 'tflite_official.py', { time, rounds });
    if ('why' in timed) throw new Error(timed.why);
    timed.pairs.forEach(({ milliseconds: [own, official], apart }, i) => {
      const { label } = pairs[i]!;
      figures.push(share(label, 'milliseconds', own, official), {
        label: `${label}: outputs`,
        value: apart * 1e6,
        unit: '1e-6',
        note: 'apart, as probabilities',
      });
    });
    return { figures };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
