// The checks themselves: a type error in a component must be found, and the layers must hold.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { capture } from '../../scripts/lib/processes.mjs';

describe('svelte-check', () => {
  it('finds a type error in a component, with the settings of the app', async () => {
    // Inside the checkout, where the packages and the settings are found; git ignores the place.
    const folder = inRoot('test-results', `canary-${process.pid}`);
    mkdirSync(folder, { recursive: true });
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const component = `<script lang="ts">const sum: number = 'text';</script>{sum}\n`;
    writeFileSync(join(folder, 'Canary.svelte'), component);
    const settings = { extends: '../../tsconfig.web.json', include: ['*.svelte'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));

    const result = await capture(
      process.execPath,
      [
        inRoot('node_modules', 'svelte-check', 'bin', 'svelte-check'),
        '--tsconfig',
        'tsconfig.json',
      ],
      { cwd: folder },
    );

    expect(result.code).not.toBe(0);
    expect(result.stdout).toContain("Type 'string' is not assignable to type 'number'");
  });
});

describe('lint', () => {
  const eslint = new ESLint({ cwd: inRoot() });

  /** The rules that a text breaks when it stands in for a file of the project. */
  async function broken(file: string, text: string): Promise<(string | null)[]> {
    const [result] = await eslint.lintText(text, { filePath: inRoot(file) });
    return result?.messages.map((message) => message.ruleId) ?? [];
  }

  const importRule = '@typescript-eslint/no-restricted-imports';
  const engineFile = 'src-main/engine/errors.ts';

  it.each([
    ["import { app } from 'electron';\nexport const x: unknown = app;\n"],
    ["import { Database } from 'sqlite3';\nexport const x: unknown = Database;\n"],
    ["import { x } from '../project/database';\nexport const y: unknown = x;\n"],
    ["import type { X } from '../jobs/types';\nexport type Y = X;\n"],
    ["import { x } from '../ipc/router';\nexport const y: unknown = x;\n"],
  ])('keeps the engine free of its surroundings: %s', async (text) => {
    expect(await broken(engineFile, text)).toContain(importRule);
  });

  it('lets the engine import itself', async () => {
    const text = "import { x } from './graph/types';\nexport const y: unknown = x;\n";
    expect(await broken(engineFile, text)).toEqual([]);
  });

  it('keeps the clock and the dice out of the engine', async () => {
    const text = 'export const x = Date.now() + Math.random();\n';
    expect(await broken(engineFile, text)).toEqual([
      'no-restricted-properties',
      'no-restricted-properties',
    ]);
  });

  it('lets only the router register handlers', async () => {
    const text = "import { ipcMain } from 'electron';\nexport const x: unknown = ipcMain;\n";
    expect(await broken('src-main/version.ts', text)).toContain(importRule);
    expect(await broken('src-main/ipc/router.ts', text)).toEqual([]);
  });

  it('lets the page know types of the main side, and nothing else of it', async () => {
    const page = 'src-renderer/main.ts';
    const typeOnly =
      "import type { Calls } from '../src-main/ipc/contract';\nexport type X = Calls;\n";
    const value =
      "import { callNames } from '../src-main/ipc/contract';\nexport const x = callNames;\n";
    const database = "import type { X } from '../src-main/project/database';\nexport type Y = X;\n";
    const node = "import { join } from 'node:path';\nexport const x: unknown = join;\n";
    expect(await broken(page, typeOnly)).toEqual([]);
    expect(await broken(page, value)).toContain(importRule);
    expect(await broken(page, database)).toContain(importRule);
    expect(await broken(page, node)).toContain(importRule);
  });

  it('lets only api.ts touch the bridge', async () => {
    const text = 'export const x: unknown = window.secateur;\n';
    expect(await broken('src-renderer/main.ts', text)).toContain('no-restricted-syntax');
    expect(await broken('src-renderer/api.ts', text)).toEqual([]);
  });

  it('refuses any, default exports and forgotten promises', async () => {
    const text = 'export default async function f(x: any): Promise<void> {\n  f(x);\n}\n';
    expect(await broken('src-main/version.ts', text)).toEqual(
      expect.arrayContaining([
        '@typescript-eslint/no-explicit-any',
        '@typescript-eslint/no-floating-promises',
        'no-restricted-exports',
      ]),
    );
  });
});
