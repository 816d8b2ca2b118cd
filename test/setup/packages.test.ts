import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packagesAreCurrent } from '../../scripts/lib/npm.mjs';
import { packageFolder } from '../../scripts/lib/notices.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { temporaryFolder } from './helpers';

type Packages = Record<string, { version?: string; optional?: boolean }>;

function checkout(wanted: Packages, installed?: Packages): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: wanted }));
  if (installed) {
    mkdirSync(join(folder, 'node_modules'));
    const list = join(folder, 'node_modules', '.package-lock.json');
    writeFileSync(list, JSON.stringify({ packages: installed }));
  }
  return folder;
}

describe('packagesAreCurrent', () => {
  const wanted = { '': {}, 'node_modules/a': { version: '1.0.0' } };

  it('wants what the lock file wants', () => {
    expect(packagesAreCurrent(checkout(wanted, wanted))).toBe(true);
    expect(packagesAreCurrent(checkout(wanted, { 'node_modules/a': { version: '0.9.0' } }))).toBe(
      false,
    );
    expect(packagesAreCurrent(checkout(wanted, {}))).toBe(false);
  });

  it('takes an installation that was interrupted for none', () => {
    expect(packagesAreCurrent(checkout(wanted))).toBe(false);
  });

  it('does without packages for other systems', () => {
    const more = { ...wanted, 'node_modules/mac': { version: '1.0.0', optional: true } };
    expect(packagesAreCurrent(checkout(more, wanted))).toBe(true);
  });
});

describe('packageFolder', () => {
  it('gives the innermost package of a module', () => {
    expect(packageFolder(inRoot('node_modules', '@a', 'b', 'dist', 'c.js'))).toBe(
      'node_modules/@a/b',
    );
    expect(packageFolder(inRoot('node_modules', 'a', 'node_modules', 'b', 'c.js?x'))).toBe(
      'node_modules/a/node_modules/b',
    );
    expect(packageFolder(inRoot('src-renderer', 'main.ts'))).toBeUndefined();
  });
});
