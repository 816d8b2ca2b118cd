// Damaged and hostile ONNX files: each gives the error that says what is wrong, whatever is done to a sound one.

import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../../src-main/engine/context';
import { AppError } from '../../../../src-main/engine/errors';
import { encodeModelProto } from '../../../../src-main/engine/formats/onnx/proto/codec';
import { detectFormat, readModel } from '../../../../src-main/engine/formats/table';
import { createRng } from '../../../../src-main/engine/graph/rng';
import { tempFolder } from '../temp-folder';
import { broken, sound } from './broken';
import { folder as fixtures } from './fixtures';
import { mutantOutcomes } from '../mutants';

async function failureOf(path: string): Promise<AppError> {
  try {
    await readModel(path, silentContext);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    return error as AppError;
  }
  throw new Error(`${path} was read`);
}

it('the sound file is read, and found by its content alone', async () => {
  const path = join(await tempFolder(), 'model.bin');
  await writeFile(path, encodeModelProto(sound));
  expect(await detectFormat(path)).toBe('onnx');
  const { model } = await readModel(path, silentContext);
  expect(model.graph.nodes.map(({ op }) => op)).toEqual([
    'conv2d',
    'activation',
    'globalAvgPool',
    'dense',
  ]);
});

describe('each broken file', () => {
  for (const { name, bytes, beside = {}, code, message } of broken) {
    it(name, async () => {
      const folder = await tempFolder();
      for (const [file, content] of Object.entries(beside)) {
        await writeFile(join(folder, file), content);
      }
      const path = join(folder, 'model.onnx');
      await writeFile(path, bytes);
      const error = await failureOf(path);
      expect(error.message).toContain(message);
      expect(error.code).toBe(code);
      expect(error.hint).not.toBe('');
    });
  }
});

it('a link that leads out of the folder', async () => {
  const folder = await tempFolder();
  const inside = join(folder, 'model');
  await mkdir(inside);
  await writeFile(join(folder, 'secret.bin'), new Uint8Array(432));
  await symlink('../secret.bin', join(inside, 'weights.bin'));
  const [kernel, ...others] = sound.graph!.initializer;
  const initializer = [
    {
      name: kernel!.name!,
      dims: kernel!.dims,
      dataType: 1,
      dataLocation: 1,
      externalData: [{ key: 'location', value: 'weights.bin' }],
    },
    ...others,
  ];
  const path = join(inside, 'model.onnx');
  await writeFile(path, encodeModelProto({ ...sound, graph: { ...sound.graph!, initializer } }));
  expect((await failureOf(path)).code).toBe('MODEL_UNSAFE_PATH');
});

it('stops when the job is cancelled', async () => {
  const controller = new AbortController();
  controller.abort(new AppError('CANCELLED', 'cancelled', 'start again'));
  const context = { ...silentContext, signal: controller.signal };
  const path = join(fixtures, 'densenet.onnx');
  await expect(readModel(path, context)).rejects.toMatchObject({ code: 'CANCELLED' });
});

it('5,000 changed files are read or refused, never worse', async () => {
  const path = join(await tempFolder(), 'model.onnx');
  const originals = [
    encodeModelProto(sound),
    ...['arithmetic', 'matrices', 'resizes', 'storage', 'clips-inputs', 'windows', 'norms'].map(
      (name) => readFileSync(join(fixtures, `${name}.onnx`)),
    ),
  ];
  const rng = createRng(20261124);
  const codes = new Map<string, number>();
  for (let i = 0; i < 5000; i++) {
    const bytes = Uint8Array.from(originals[i % originals.length]!);
    // Numbers of weights matter less than what is said of them: most changes hit the first and the last part.
    const place = (): number => {
      const third = Math.floor(bytes.length / 3);
      const at = rng.int(third);
      return rng.int(4) === 0
        ? rng.int(bytes.length)
        : rng.int(2) === 0
          ? at
          : bytes.length - 1 - at;
    };
    let content = bytes;
    switch (rng.int(5)) {
      case 0:
        content = bytes.subarray(0, rng.int(bytes.length));
        break;
      case 1:
        // A part is missing.
        content = new Uint8Array(
          Buffer.concat([bytes.subarray(0, place()), bytes.subarray(place())]),
        );
        break;
      default:
        for (let n = rng.int(6); n >= 0; n--) {
          bytes[place()] = rng.int(2) === 0 ? rng.int(256) : [0, 1, 127, 128, 255][rng.int(5)]!;
        }
    }
    await writeFile(path, content);
    let code = 'read';
    try {
      await readModel(path, silentContext);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      code = error.code;
    }
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  expect([...codes.keys()].filter((code) => !mutantOutcomes.has(code))).toEqual([]);
  expect(codes.get('MODEL_CORRUPT')).toBeGreaterThan(1000);
  expect(codes.get('read')).toBeGreaterThan(100);
}, 60_000);
