// The programs beside an export, run on a picture where their runtimes are here.
//
// SECATEUR_PYTHON names a virtual environment with TensorFlow, numpy and Pillow; SECATEUR_TFLITE_C a folder with
// `include` and `lib` of TensorFlow Lite's C library. Without them the programs are only compiled, or not at all.

import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { describeExport } from '../../../src-main/engine/formats/export-folder';
import { readModel, formatWriter } from '../../../src-main/engine/formats/table';
import type { WriteFormat } from '../../../src-main/engine/formats/types';
import type { OutputKind } from '../../../src-main/engine/graph/types';
import { loadBackend } from '../../../src-main/engine/runtime/backend';
import { compile } from '../../../src-main/engine/train/executor';
import type { Verification } from '../../../src-main/engine/measure/types';

const execute = promisify(execFile);
const sample = join(process.cwd(), 'resources', 'sample');
const size = 28;
const kinds = ['logits', 'label-logits', 'values'] as const;

const verification: Verification = {
  runtime: 'none',
  samples: 1,
  maxAbsDiff: 0,
  meanAbsDiff: 0,
  top1Agreement: 1,
  accuracy: null,
  tolerance: 0,
  passed: true,
};

let folder: string;
/** The scores of the model itself. */
let logits: Float32Array;
let labels: readonly string[];

/** A picture of a shirt-like shape, as a PNG and as a PGM. */
function drawing(): Uint8Array {
  return Uint8Array.from({ length: size * size }, (_, i) => {
    const [row, column] = [Math.floor(i / size), i % size];
    const isBody = row > 3 && row < 26 && column > 8 && column < 19;
    const isSleeve = row > 3 && row < 12 && column > 2 && column < 25;
    return isBody || isSleeve ? 180 + ((row * 7 + column * 13) % 60) : 0;
  });
}

async function exported(format: WriteFormat, outputKind: OutputKind = 'logits'): Promise<string> {
  const read = await readModel(join(sample, 'model', 'model.json'), silentContext);
  const model = { ...read.model, outputKind };
  const writer = formatWriter(format);
  const files = await writer.write(model, { precision: 'fp32', name: 'sample' });
  const place = join(folder, `${format}-${outputKind}`);
  await mkdir(place, { recursive: true });
  const companions = describeExport({
    model,
    name: 'sample',
    format,
    precision: 'fp32',
    files,
    usage: await writer.usage({ model, files }),
    verification,
    accuracy: null,
    latency: [],
    lineage: [],
    engineVersion: '0',
  });
  for (const { path, bytes } of [...files, ...companions])
    await writeFile(join(place, path), bytes);
  return place;
}

/** What a program is to print first: the best class or label with its probability, or the first value. */
function expectedOf(outputKind: OutputKind): { readonly label: string; readonly score: number } {
  const best = outputKind === 'values' ? 0 : logits.indexOf(Math.max(...logits));
  const exponentials = [...logits].map((logit) => Math.exp(logit));
  const score = {
    logits: exponentials[best]! / exponentials.reduce((a, b) => a + b),
    'label-logits': 1 / (1 + Math.exp(-logits[best]!)),
    values: logits[best]!,
  }[outputKind as 'logits' | 'label-logits' | 'values'];
  return { label: labels[best]!, score };
}

function expectAgreement(output: string, outputKind: OutputKind): void {
  const [, score, label] = /^\s*(-?[\d.]+)\s+(.+)$/m.exec(output)!;
  const expected = expectedOf(outputKind);
  expect(label!.trim()).toBe(expected.label);
  // Four digits are printed.
  expect(Math.abs(Number(score) - expected.score)).toBeLessThan(1.01e-4);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secateur-usage-'));
  const pixels = drawing();
  const picture = sharp(pixels, { raw: { width: size, height: size, channels: 1 } });
  await picture.png().toFile(join(folder, 'picture.png'));
  const header = new TextEncoder().encode(`P5\n# drawn\n${size} ${size}\n255\n`);
  await writeFile(join(folder, 'picture.pgm'), Buffer.concat([header, pixels]));

  const { model } = await readModel(join(sample, 'model', 'model.json'), silentContext);
  const { tf, ...backend } = await loadBackend();
  const executable = compile(model.graph, { tf, ...backend });
  const { scale, mean, std } = model.preprocessing;
  const input = Float32Array.from(pixels, (value) => (value * scale - mean[0]!) / std[0]!);
  logits = tf.tidy(() => {
    const [output] = executable.run([tf.tensor(input, [1, size, size, 1])]);
    return output!.dataSync<'float32'>();
  });
  executable.dispose();
  labels = model.labels!;
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The interpreter of the environments named that has a package. */
function pythonWith(library: string): string | undefined {
  return (process.env['SECATEUR_PYTHON'] ?? '')
    .split(delimiter)
    .filter((place) => place !== '')
    .map((place) => join(place, 'bin', 'python'))
    .find((python) => spawnSync(python, ['-c', `import PIL, ${library}`]).status === 0);
}

describe('the programs of a .tflite file', () => {
  it('in Python compile', async () => {
    const place = await exported('tflite');
    const check = ['-c', 'import ast, sys; [ast.parse(open(f).read(), f) for f in sys.argv[1:]]'];
    const programs = ['run.py', 'picture.py'].map((file) => join(place, file));
    await expect(execute('python3', [...check, ...programs])).resolves.toMatchObject({
      stderr: '',
    });
  });

  const python = pythonWith('tensorflow');
  it.skipIf(python === undefined).each(kinds)('in Python read %s', async (kind) => {
    const place = await exported('tflite', kind);
    const { stdout } = await execute(python!, [join(place, 'run.py'), join(folder, 'picture.png')]);
    expectAgreement(stdout, kind);
  });

  const library = process.env['SECATEUR_TFLITE_C'];
  it.skipIf(library === undefined).each(kinds)('in C++ read %s', async (kind) => {
    const place = await exported('tflite', kind);
    const lib = join(library!, 'lib');
    const flags = [`-I${join(library!, 'include')}`, `-L${lib}`, `-Wl,-rpath,${lib}`];
    const names = ['-ltensorflowlite_c', '-o', 'run'];
    await execute('g++', ['-std=c++17', '-Wall', 'run.cpp', ...flags, ...names], { cwd: place });
    const { stdout } = await execute('./run', [join(folder, 'picture.pgm')], { cwd: place });
    expectAgreement(stdout, kind);
  });
});
