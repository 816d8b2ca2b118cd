import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { placeTree } from '../../scripts/lib/addon.mjs';
import { materializeLinks } from '../../scripts/lib/real-files.mjs';
import { unzip } from '../../scripts/lib/unzip.mjs';
import { temporaryFolder } from './helpers';

/** Writes a zip whose members have the given Unix modes. */
function makeZip(members: [name: string, mode: number, content: string][]): string {
  const file = join(temporaryFolder(), 'x.zip');
  const script = [
    'import sys, json, zipfile',
    'z = zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED)',
    'for name, mode, content in json.loads(sys.argv[2]):',
    '    i = zipfile.ZipInfo(name); i.create_system = 3; i.external_attr = mode << 16',
    '    z.writestr(i, content)',
    'z.close()',
  ].join('\n');
  execFileSync('python3', ['-c', script, file, JSON.stringify(members)]);
  return file;
}

describe('unzip', () => {
  it('unpacks what is chosen, where it is told, with modes and links', async () => {
    const zip = makeZip([
      ['Top/program', 0o100755, 'run me'],
      ['Top/lib/link', 0o120777, '../program'],
      ['Top/not/this', 0o100644, 'no'],
    ]);
    const folder = temporaryFolder();
    const place = (member: string): string | undefined =>
      member.includes('not') ? undefined : member.replace('Top/', '');

    expect(await unzip(zip, folder, place)).toBe(2);

    expect(readFileSync(join(folder, 'lib', 'link'), 'utf8')).toBe('run me');
    expect(lstatSync(join(folder, 'lib', 'link')).isSymbolicLink()).toBe(true);
    expect(statSync(join(folder, 'program')).mode & 0o111).toBe(0o111);
    expect(existsSync(join(folder, 'not'))).toBe(false);
  });

  it('writes nothing outside its folder', async () => {
    const zip = makeZip([['inside', 0o100644, 'x']]);
    const folder = join(temporaryFolder(), 'target');
    await expect(unzip(zip, folder, () => '../outside')).rejects.toThrow('outside its folder');
    expect(existsSync(join(folder, '..', 'outside'))).toBe(false);
  });
});

describe('placeTree', () => {
  it('replaces what is there and leaves the rest alone', () => {
    const [from, to] = [temporaryFolder(), temporaryFolder()];
    mkdirSync(join(from, 'lib'));
    writeFileSync(join(from, 'lib', 'a'), 'new');
    symlinkSync('a', join(from, 'lib', 'b'));
    mkdirSync(join(to, 'lib'));
    writeFileSync(join(to, 'lib', 'a'), 'old');
    writeFileSync(join(to, 'lib', 'c'), 'kept');

    placeTree(from, to);

    expect(readFileSync(join(to, 'lib', 'b'), 'utf8')).toBe('new');
    expect(readFileSync(join(to, 'lib', 'c'), 'utf8')).toBe('kept');
  });
});

describe('materializeLinks', () => {
  it('leaves only real files, without a copy on disk', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'deps'));
    const library = join(folder, 'deps', 'libx.so.2.9');
    writeFileSync(library, 'code');
    symlinkSync('libx.so.2.9', join(folder, 'deps', 'libx.so.2'));
    symlinkSync('libx.so.2', join(folder, 'deps', 'libx.so'));

    materializeLinks(folder);

    for (const name of ['libx.so', 'libx.so.2']) {
      const path = join(folder, 'deps', name);
      expect(lstatSync(path).isFile()).toBe(true);
      expect(statSync(path).ino).toBe(statSync(library).ino);
    }
  });
});
