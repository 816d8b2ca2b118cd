// Thousands of files with bytes exchanged: each is read or refused with a code, and none crashes or stops the reader.

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import yauzl from 'yauzl';
import yazl from 'yazl';
import { silentContext } from '../../../../src-main/engine/context';
import { AppError } from '../../../../src-main/engine/errors';
import { assembleModel } from '../../../../src-main/engine/formats/keras-config/assemble';
import { openContent } from '../../../../src-main/engine/formats/keras/reader';
import { createRng, type Rng } from '../../../../src-main/engine/graph/rng';
import { mutantOutcomes } from '../mutants';
import { tempFolder } from '../temp-folder';
import { fixtures } from './fixtures';

async function entriesOf(name: string): Promise<Map<string, Buffer>> {
  const zip = await yauzl.openPromise(join(fixtures, name), {
    lazyEntries: true,
    autoClose: false,
  });
  const entries = new Map<string, Buffer>();
  for await (const entry of zip.eachEntry()) {
    entries.set(entry.fileName, await buffer(await zip.openReadStreamPromise(entry)));
  }
  zip.close();
  return entries;
}

async function pack(entries: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const zip = new yazl.ZipFile();
  for (const [name, bytes] of entries) {
    zip.addBuffer(Buffer.from(bytes), name, { compress: false });
  }
  zip.end();
  return buffer(zip.outputStream as NodeJS.ReadableStream);
}

/** A copy with one to four places changed, or cut off. */
function mutated(sound: Uint8Array, rng: Rng): Uint8Array {
  const bytes = Uint8Array.from(sound);
  for (let n = rng.int(4); n >= 0; n--) {
    const at = rng.int(bytes.length);
    switch (rng.int(5)) {
      case 0:
        bytes[at] = rng.int(256);
        break;
      case 1:
        bytes[at]! ^= 1 << rng.int(8);
        break;
      case 2:
        bytes.fill(0, at, at + 8);
        break;
      case 3:
        bytes.fill(0xff, at, at + 8);
        break;
      default:
        bytes.copyWithin(at, rng.int(bytes.length), at + 8);
    }
  }
  return rng.int(20) === 0 ? bytes.subarray(0, rng.int(bytes.length)) : bytes;
}

/** HDF5 runs in circles on some of the files; none of them takes more than some milliseconds otherwise. */
const limitMs = 250;

it('5,000 damaged files', { timeout: 180_000 }, async () => {
  const rng = createRng(77);
  const folder = await tempFolder();
  const keras2 = readFileSync(join(fixtures, 'keras2-renamed.h5'));
  const keras3 = readFileSync(join(fixtures, 'preprocessing.h5'));
  const archive = readFileSync(join(fixtures, 'preprocessing.keras'));
  const entries = await entriesOf('preprocessing.keras');
  const kinds = [
    () => ['model.h5', mutated(keras2, rng)] as const,
    () => ['model.h5', mutated(keras3, rng)] as const,
    () => ['model.keras', mutated(archive, rng)] as const,
    async () => {
      const name = ['config.json', 'model.weights.h5'][rng.int(2)]!;
      const changed = new Map<string, Uint8Array>(entries);
      return [
        'model.keras',
        await pack(changed.set(name, mutated(entries.get(name)!, rng))),
      ] as const;
    },
  ];
  const codes = new Map<string, number>();
  for (let i = 0; i < 5000; i++) {
    const [name, bytes] = await kinds[i % kinds.length]!();
    const path = join(folder, name);
    await writeFile(path, bytes);
    let code = 'read';
    try {
      assembleModel(await openContent(path, silentContext, limitMs));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      code = error.code;
    }
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  expect([...codes.keys()].filter((code) => !mutantOutcomes.has(code))).toEqual([]);
  expect(codes.get('MODEL_CORRUPT')).toBeGreaterThan(1000);
  expect(codes.get('read')).toBeGreaterThan(200);
});
