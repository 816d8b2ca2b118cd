// Damaged and hostile files: each gives the error that says what is wrong, and nothing else happens.

import { readFileSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { AppError } from '../../../src-main/engine/errors';
import { detectFormat, readModel } from '../../../src-main/engine/formats/table';
import { createRng, type Rng } from '../../../src-main/engine/graph/rng';
import { tempFolder } from './temp-folder';
import { mutantOutcomes } from './mutants';

const corrupt = join(import.meta.dirname, '../../fixtures/corrupt');
const sound = join(import.meta.dirname, '../../fixtures/keras3');
const expected = JSON.parse(readFileSync(join(corrupt, 'expected.json'), 'utf8')) as Readonly<
  Record<string, { readonly code: string; readonly message: string }>
>;

/** What reading throws, which must be an error with a code for people. */
async function failureOf(path: string): Promise<AppError> {
  try {
    await readModel(path, silentContext);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    return error as AppError;
  }
  throw new Error(`${path} was read`);
}

describe('each file of the collection', () => {
  for (const [path, { code, message }] of Object.entries(expected)) {
    it(path, async () => {
      const error = await failureOf(join(corrupt, path));
      expect(error.message).toContain(message);
      expect(error.code).toBe(code);
      expect(error.hint).not.toBe('');
    });
  }
});

it('a file that is not there, and a folder without a model', async () => {
  expect((await failureOf(join(corrupt, 'nowhere.json'))).code).toBe('FILE_UNREADABLE');
  expect((await failureOf(await tempFolder())).code).toBe('FILE_UNREADABLE');
});

it('a folder stands for the model in it', async () => {
  expect(await detectFormat(sound)).toBe('tfjs-layers');
  expect((await readModel(sound, silentContext)).model.graph.name).toBe('zoo');
});

it('stops reading when the job is cancelled', async () => {
  const controller = new AbortController();
  controller.abort(new AppError('CANCELLED', 'cancelled', 'start again'));
  const context = { ...silentContext, signal: controller.signal };
  await expect(readModel(sound, context)).rejects.toMatchObject({ code: 'CANCELLED' });
});

describe('a sound model that is cut off', () => {
  it('in model.json, anywhere', async () => {
    const folder = await tempFolder();
    await cp(sound, folder, { recursive: true });
    const text = await readFile(join(sound, 'model.json'));
    for (let length = 0; length < text.length; length += 331) {
      await writeFile(join(folder, 'model.json'), text.subarray(0, length));
      expect((await failureOf(folder)).code).toBe('MODEL_CORRUPT');
    }
  });

  it('in its weights, anywhere', async () => {
    const folder = await tempFolder();
    await cp(sound, folder, { recursive: true });
    const name = 'group1-shard1of1.bin';
    const bytes = await readFile(join(sound, name));
    for (let length = 0; length < bytes.length; length += 128) {
      await writeFile(join(folder, name), bytes.subarray(0, length));
      expect((await failureOf(folder)).code).toBe('MODEL_CORRUPT');
    }
  });
});

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Replaces a value somewhere in the tree by something that does not belong there. */
function mutate(root: Json, rng: Rng): void {
  const junk: readonly Json[] = [
    null,
    -1,
    0,
    1.5,
    1e9,
    'x',
    '',
    true,
    [],
    {},
    [[]],
    ['conv', 0, 0],
  ];
  let node = root;
  for (;;) {
    const keys = typeof node === 'object' && node !== null ? Object.keys(node) : [];
    const key = keys[rng.int(Math.max(keys.length, 1))];
    if (key === undefined) return;
    const parent = node as { [key: string]: Json };
    const child = parent[key]!;
    const isLeaf = typeof child !== 'object' || child === null || Object.keys(child).length === 0;
    if (isLeaf || rng.int(8) === 0) {
      if (rng.int(4) === 0) Reflect.deleteProperty(parent, key);
      else parent[key] = junk[rng.int(junk.length)]!;
      return;
    }
    node = child;
  }
}

it('a sound model with values exchanged is read or refused, never worse', async () => {
  const folder = await tempFolder();
  await cp(sound, folder, { recursive: true });
  const text = await readFile(join(sound, 'model.json'), 'utf8');
  const rng = createRng(2024);
  const codes = new Map<string, number>();
  for (let i = 0; i < 600; i++) {
    const json = JSON.parse(text) as Json;
    for (let n = rng.int(3); n >= 0; n--) mutate(json, rng);
    await writeFile(join(folder, 'model.json'), JSON.stringify(json));
    let code = 'read';
    try {
      await readModel(folder, silentContext);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      code = error.code;
    }
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  expect([...codes.keys()].filter((code) => !mutantOutcomes.has(code))).toEqual([]);
  expect(codes.get('MODEL_CORRUPT')).toBeGreaterThan(100);
});
