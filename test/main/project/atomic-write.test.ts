import { open, readdir, readFile, rename, stat, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  atomicWrite,
  isTempName,
  sweepTemps,
  syncFolder,
  tempPathFor,
  type WriteSteps,
} from '../../../src-main/project/atomic-write';
import { errorOf, tempFolder } from '../support';

const steps: WriteSteps = {
  open: (path) => open(path, 'wx'),
  write: (handle, content) => handle.writeFile(content),
  sync: (handle) => handle.sync(),
  rename,
  syncFolder,
};

function full(): never {
  throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
}

describe('atomicWrite', () => {
  it('replaces the content and leaves nothing else', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'file');
    await atomicWrite(path, 'old');
    await atomicWrite(path, new Uint8Array([1, 2, 3]));
    expect(await readFile(path)).toEqual(Buffer.from([1, 2, 3]));
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('goes through its steps in the order that makes it safe', async () => {
    const path = join(await tempFolder(), 'file');
    const taken: string[] = [];
    const spy =
      <A extends unknown[], R>(name: string, step: (...args: A) => R) =>
      (...args: A): R => {
        taken.push(name);
        return step(...args);
      };
    await atomicWrite(path, 'new', {
      open: spy('open', steps.open),
      write: spy('write', steps.write),
      sync: spy('sync', steps.sync),
      rename: spy('rename', steps.rename),
      syncFolder: spy('syncFolder', steps.syncFolder),
    });
    expect(taken).toEqual(['open', 'write', 'sync', 'rename', 'syncFolder']);
  });

  const faults: Record<string, Partial<WriteSteps>> = {
    open: { open: full },
    'half a write': {
      write: async (handle) => {
        await handle.writeFile('ne');
        full();
      },
    },
    sync: { sync: full },
    rename: { rename: full },
  };

  it.each(Object.entries(faults))('keeps the old bytes when %s fails', async (_, fault) => {
    const folder = await tempFolder();
    const path = join(folder, 'file');
    await writeFile(path, 'old');
    await errorOf(atomicWrite(path, 'new', { ...steps, ...fault }), 'DISK_FULL');
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('has the new bytes, and says so, when only the folder cannot be synced', async () => {
    const path = join(await tempFolder(), 'file');
    await writeFile(path, 'old');
    await errorOf(atomicWrite(path, 'new', { ...steps, syncFolder: full }), 'DISK_FULL');
    expect(await readFile(path, 'utf8')).toBe('new');
  });

  it('writes through a temp file in the same folder', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'file');
    let seen: string[] = [];
    await atomicWrite(path, 'new', {
      ...steps,
      rename: async (from, to) => {
        seen = await readdir(folder);
        await rename(from, to);
      },
    });
    expect(seen).toHaveLength(1);
    expect(isTempName(seen[0]!)).toBe(true);
  });

  it('gives a coded error for a folder that does not exist', async () => {
    await errorOf(atomicWrite(join(await tempFolder(), 'no', 'file'), 'x'), 'FILE_UNREADABLE');
  });
});

describe('sweepTemps', () => {
  it('removes what interrupted writes left, and nothing else', async () => {
    const folder = await tempFolder();
    const temp = tempPathFor(join(folder, 'project.db'));
    for (const path of [temp, `${temp}-wal`, join(folder, '.hidden'), join(folder, 'a.tmp')]) {
      await writeFile(path, 'x');
    }
    await mkdir(join(folder, '.fashion-tflite.6f9619ff-8b86-d011-b42d-00c04fc964ff.tmp'));
    await sweepTemps(folder);
    expect((await readdir(folder)).sort()).toEqual(['.hidden', 'a.tmp']);
  });

  it('finds nothing in a folder that does not exist', async () => {
    const folder = join(await tempFolder(), 'none');
    await sweepTemps(folder);
    await expect(stat(folder)).rejects.toThrow('ENOENT');
  });
});
