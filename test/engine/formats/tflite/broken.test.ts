// Damaged and hostile .tflite files: each gives the error that says what is wrong, whatever is done to a sound one.

import { readFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { AppError } from '../../../../src-main/engine/errors';
import { detectFormat, readModel } from '../../../../src-main/engine/formats/table';
import { readTflite } from '../../../../src-main/engine/formats/tflite/reader';
import { createRng, type Rng } from '../../../../src-main/engine/graph/rng';
import { startStopwatch } from '../../../../src-main/engine/measure/stopwatch';
import { tempFolder } from '../temp-folder';
import { broken, longFile, sound } from './broken';

const fixtures = resolve(import.meta.dirname, '../../../fixtures/tflite');

/** What reading throws, which must be an error with a code for people; null where it is read. */
async function failureOf(reading: Promise<unknown>): Promise<AppError | null> {
  try {
    await reading;
    return null;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

it('the sound file is read, and found by its content alone', async () => {
  const path = join(await tempFolder(), 'model.bin');
  await writeFile(path, sound);
  expect(await detectFormat(path)).toBe('tflite');
  const { model } = await readModel(path, silentContext);
  expect(model.graph.nodes.map(({ op }) => op)).toEqual([
    'conv2d',
    'activation',
    'globalAvgPool',
    'dense',
    'softmax',
  ]);
});

describe('each broken file', () => {
  for (const { name, bytes, code, message } of broken) {
    it(name, async () => {
      const folder = await tempFolder();
      const path = join(folder, 'model.tflite');
      await writeFile(path, bytes);
      const elapsed = startStopwatch();
      const error = await failureOf(readModel(path, silentContext));
      expect(error?.message).toContain(message);
      expect(error?.code).toBe(code);
      expect(error?.hint).not.toBe('');
      expect(elapsed()).toBeLessThan(5);
      expect(await readdir(folder)).toEqual(['model.tflite']);
    });
  }
});

it('stops when the job is cancelled', async () => {
  const controller = new AbortController();
  controller.abort(new AppError('CANCELLED', 'cancelled', 'start again'));
  const context = { ...silentContext, signal: controller.signal };
  await expect(readTflite(sound, 'net', context)).rejects.toMatchObject({ code: 'CANCELLED' });
});

it('a file that is cut off anywhere is refused', async () => {
  for (let length = 0; length < sound.length - 4; length += 7) {
    const error = await failureOf(readTflite(sound.subarray(0, length), 'net', silentContext));
    expect(error?.code, `${length} bytes`).toBe('MODEL_CORRUPT');
  }
});

it('thousands of layers of one name take no longer than others', async () => {
  const bytes = longFile();
  const elapsed = startStopwatch();
  const { model } = await readTflite(bytes, 'net', silentContext);
  expect(model.graph.nodes.length).toBe(20_000);
  expect(elapsed()).toBeLessThan(10);
});

/** A copy with a few bytes, offsets or sizes changed, or with a part missing. */
function mutated(original: Uint8Array, rng: Rng): Uint8Array {
  const bytes = Uint8Array.from(original);
  switch (rng.int(8)) {
    case 0:
      return bytes.subarray(0, rng.int(bytes.length));
    case 1: {
      const at = rng.int(bytes.length);
      return new Uint8Array(
        Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + rng.int(16))]),
      );
    }
    default:
  }
  const view = new DataView(bytes.buffer);
  const words = Math.floor(bytes.length / 4);
  for (let n = rng.int(5); n >= 0; n--) {
    const word = 4 * rng.int(words);
    switch (rng.int(4)) {
      case 0:
        bytes[rng.int(bytes.length)] = rng.int(256);
        break;
      case 1:
        // An offset or a size that is a little off.
        view.setInt32(word, view.getInt32(word, true) + rng.int(9) - 4, true);
        break;
      case 2:
        view.setInt32(word, [0, 1, -1, 2 ** 31 - 1, 65536][rng.int(5)]!, true);
        break;
      default:
        // An offset from elsewhere.
        view.setInt32(word, view.getInt32(4 * rng.int(words), true), true);
    }
  }
  return bytes;
}

const allowed: readonly string[] = [
  'read',
  'MODEL_CORRUPT',
  'MODEL_FORMAT_UNKNOWN',
  'MODEL_UNSUPPORTED_OP',
  'MODEL_TOO_LARGE',
  'MODEL_NOT_FINITE',
  // The sound file of integers is refused by this, too.
  'MODEL_QUANTIZED',
];

it('5,000 changed files are read or refused, never worse', async () => {
  const rng = createRng(20261124);
  const folder = await tempFolder();
  const path = join(folder, 'model.tflite');
  const names = ['net-fp16', 'net-int8', 'net-dynamic', 'parts-fp32'];
  const originals = [
    sound,
    ...names.map((name) => new Uint8Array(readFileSync(join(fixtures, `${name}.tflite`)))),
  ];
  const codes = new Map<string, number>();
  let longest = 0;
  for (let i = 0; i < 5000; i++) {
    // The small file twice as often: less of it is weights.
    const original = originals[Math.max(0, (i % (originals.length + 1)) - 1)]!;
    await writeFile(path, mutated(original, rng));
    const elapsed = startStopwatch();
    const code = (await failureOf(readModel(path, silentContext)))?.code ?? 'read';
    longest = Math.max(longest, elapsed());
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  expect([...codes.keys()].filter((code) => !allowed.includes(code))).toEqual([]);
  expect(codes.get('MODEL_CORRUPT')).toBeGreaterThan(1000);
  expect(codes.get('MODEL_UNSUPPORTED_OP')).toBeGreaterThan(20);
  expect(codes.get('read')).toBeGreaterThan(500);
  expect(longest).toBeLessThan(3);
  expect(await readdir(folder)).toEqual(['model.tflite']);
}, 120_000);
