import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StagedBlob } from '../../../src-main/jobs/types';
import { BlobStore } from '../../../src-main/project/blob-store';
import { errorOf, tempFolder } from '../support';

const sha256Of = (content: string): string => createHash('sha256').update(content).digest('hex');

describe('BlobStore', () => {
  let folder: string;
  let temp: string;
  let blobs: BlobStore;

  beforeEach(async () => {
    const root = await tempFolder();
    folder = join(root, 'blobs');
    temp = join(root, 'temp');
    await mkdir(folder);
    await mkdir(temp);
    blobs = new BlobStore(folder, temp);
  });

  async function stage(content: string, name = 'staged'): Promise<StagedBlob> {
    const file = join(temp, name);
    await writeFile(file, content);
    return { file, sha256: sha256Of(content), bytes: Buffer.byteLength(content) };
  }

  it('moves a staged file to the name of its checksum', async () => {
    const staged = await stage('weights');
    const row = await blobs.adopt(staged);
    expect(row).toMatchObject({ sha256: staged.sha256, bytes: 7 });
    expect(await readFile(join(folder, sha256Of('weights')), 'utf8')).toBe('weights');
    expect(await readdir(temp)).toEqual([]);
    expect(await blobs.check(row)).toEqual({ state: 'intact', modified: row.modified });
  });

  it.each([
    ['checksum', { sha256: sha256Of('other') }],
    ['size', { bytes: 8 }],
  ])('refuses a file whose %s is not what was announced', async (_, wrong) => {
    const staged = { ...(await stage('weights')), ...wrong };
    await errorOf(blobs.adopt(staged), 'PROJECT_CORRUPT');
    expect(await readdir(folder)).toEqual([]);
  });

  it('keeps one copy of equal contents', async () => {
    const first = await blobs.adopt(await stage('same', 'one'));
    const second = await blobs.adopt(await stage('same', 'two'));
    expect(second).toEqual(first);
    expect(await readdir(folder)).toEqual([first.sha256]);
    expect(await readdir(temp)).toEqual([]);
  });

  it('heals a damaged blob when the same content comes again', async () => {
    const row = await blobs.adopt(await stage('weights'));
    await writeFile(blobs.pathOf(row.sha256), 'damage!');
    await blobs.adopt(await stage('weights'));
    expect(await readFile(blobs.pathOf(row.sha256), 'utf8')).toBe('weights');
  });

  it('moves no file from elsewhere, nor through a link', async () => {
    const outside = join(folder, '..', 'secret');
    await writeFile(outside, 'weights');
    const staged = await stage('weights');
    await errorOf(blobs.adopt({ ...staged, file: outside }), 'INVALID_ARGUMENT');
    await errorOf(blobs.adopt({ ...staged, file: join(temp, '..', 'secret') }), 'INVALID_ARGUMENT');
    const link = join(temp, 'link');
    await symlink(outside, link);
    await errorOf(blobs.adopt({ ...staged, file: link }), 'INVALID_ARGUMENT');
    expect(await readFile(outside, 'utf8')).toBe('weights');
  });

  it('tells missing, truncated and changed files', async () => {
    const row = await blobs.adopt(await stage('weights'));
    const path = blobs.pathOf(row.sha256);
    await writeFile(path, 'weighty');
    expect(await blobs.check(row)).toEqual({ state: 'mismatch' });
    await writeFile(path, 'weight');
    expect(await blobs.check(row)).toEqual({ state: 'mismatch' });
    expect(await blobs.check({ ...row, sha256: sha256Of('none') })).toEqual({ state: 'missing' });
  });

  it('reads a file again only when its time has changed, or when asked to', async () => {
    const row = await blobs.adopt(await stage('weights'));
    const path = blobs.pathOf(row.sha256);
    await writeFile(path, 'weighty');
    await utimes(path, row.modified / 1000, row.modified / 1000);
    const { mtimeMs } = await stat(path);
    expect(await blobs.check({ ...row, modified: mtimeMs })).toMatchObject({ state: 'intact' });
    expect(await blobs.check({ ...row, modified: Number.NaN })).toEqual({ state: 'mismatch' });
  });

  it('tells new times of an untouched copy', async () => {
    const row = await blobs.adopt(await stage('weights'));
    await utimes(blobs.pathOf(row.sha256), 1000, 1000);
    expect(await blobs.check(row)).toEqual({ state: 'intact', modified: 1_000_000 });
  });

  it('lists blobs that no row knows, and no other files', async () => {
    const known = await blobs.adopt(await stage('known'));
    const stranger = await blobs.adopt(await stage('stranger'));
    await writeFile(join(folder, '.DS_Store'), '');
    expect(await blobs.strangers(new Set([known.sha256]))).toEqual([stranger.sha256]);
  });
});
