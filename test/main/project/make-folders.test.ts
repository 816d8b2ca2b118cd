import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolders } from '../../../src-main/project/make-folders';
import { errorOf, tempFolder } from '../support';

it('makes what is missing and tells the topmost of it', async () => {
  const root = await tempFolder();
  expect(await makeFolders(join(root, 'a', 'b', 'c'))).toBe(join(root, 'a'));
  expect(await makeFolders(join(root, 'a', 'b', 'd'))).toBe(join(root, 'a', 'b', 'd'));
  expect(await makeFolders(join(root, 'a'))).toBeNull();
  expect((await readdir(root, { recursive: true })).sort()).toEqual(['a', 'a/b', 'a/b/c', 'a/b/d']);
});

it('says what stands in the way', async () => {
  const root = await tempFolder();
  await writeFile(join(root, 'file'), '');
  await errorOf(makeFolders(join(root, 'file')), 'ALREADY_EXISTS');
  await errorOf(makeFolders(join(root, 'file', 'below')), 'FILE_UNWRITABLE');
});

it('leaves nothing of what cannot be made whole', async () => {
  const root = await tempFolder();
  const tooLong = 'x'.repeat(300);
  await errorOf(makeFolders(join(root, 'a', 'b', tooLong)), 'INVALID_ARGUMENT');
  expect(await readdir(root)).toEqual([]);
});

it.runIf(process.platform === 'linux')('ends where nothing can ever be made', async () => {
  await errorOf(makeFolders('/proc/secateur/deeper'), 'FILE_UNWRITABLE');
});
