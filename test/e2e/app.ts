// Starts the built app in a real Electron with a profile and a projects folder of its own for each test.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import {
  _electron,
  test as base,
  expect,
  type ElectronApplication,
  type Page,
} from '@playwright/test';

const root = resolve(__dirname, '..', '..');

/** Stands for a project's folder, profile and window of one test. */
export interface Workbench {
  readonly app: ElectronApplication;
  readonly page: Page;
  readonly folder: string;
  readonly projects: string;
  /** Messages of the content security policy that the page logged. */
  readonly violations: readonly string[];
  /** Console errors of the page. */
  readonly errors: readonly string[];
}

export interface Launch {
  readonly folder: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of Electron itself: a script that starts it. */
  readonly executable?: string;
}

function electron(): string {
  const path = process.env['SECATEUR_ELECTRON'];
  if (!path) throw new Error('SECATEUR_ELECTRON is not set: run the tests with npm test.');
  return path;
}

/** Starts the app on a folder that may already hold a profile and projects. */
export async function launch({
  folder,
  args = [],
  env = {},
  executable = electron(),
}: Launch): Promise<Workbench> {
  const projects = join(folder, 'projects');
  const app = await _electron.launch({
    executablePath: executable,
    args: [root, `--user-data-dir=${join(folder, 'profile')}`, ...args],
    cwd: root,
    env: {
      ...(process.env as Record<string, string>),
      // What trains must not depend on the machine.
      SECATEUR_GPU: 'off',
      SECATEUR_PROJECTS_DIR: projects,
      ...env,
    },
  });
  const errors: string[] = [];
  const violations: string[] = [];
  if (process.env['SECATEUR_E2E_LOG']) app.process().stderr?.pipe(process.stderr);
  const page = await app.firstWindow();
  page.on('console', (message) => {
    const text = message.text();
    if (/content security policy|trusted ?type/i.test(text)) violations.push(text);
    else if (message.type() === 'error') errors.push(text);
  });
  page.on('pageerror', (error) => errors.push(error.message));
  await page.waitForSelector('main');
  return { app, page, folder, projects, violations, errors };
}

/** Ends the app; a stuck one is killed so that it cannot hang the run. */
export async function quit({ app }: Pick<Workbench, 'app'>): Promise<void> {
  const process = app.process();
  const timer = setTimeout(() => process.kill('SIGKILL'), 10_000);
  // A running job would ask before quitting.
  await app
    .evaluate(({ dialog }) => {
      dialog.showMessageBox = async () => ({ response: 1, checkboxChecked: false });
    })
    .catch(() => undefined);
  await app.close().catch(() => undefined);
  clearTimeout(timer);
}

/** Runs the command line that is built beside the app, and gives what it prints. @throws Error when it fails */
export async function secateur(...words: readonly string[]): Promise<string> {
  const program = join(root, 'out', 'main', 'cli.js');
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...words]);
  return stdout;
}

interface WorkerFixtures {
  /** Folder of a sample project, made once: tests that are not about making it open a copy. */
  readonly sample: string;
}

export const test = base.extend<{ folder: string; bench: Workbench }, WorkerFixtures>({
  sample: [
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'secateur-e2e-sample-'));
      const project = join(folder, 'sample');
      await secateur('sample', project);
      await use(project);
      await rm(folder, { recursive: true, force: true });
    },
    { scope: 'worker', timeout: 240_000 },
  ],
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'secateur-e2e-'));
    await use(folder);
    await rm(folder, { recursive: true, force: true });
  },
  bench: async ({ folder }, use) => {
    const bench = await launch({ folder });
    await use(bench);
    await quit(bench);
    expect(bench.violations, 'content security policy').toEqual([]);
  },
});

/** Makes the next open dialog answer with these paths. */
export async function chooseInDialog(
  app: ElectronApplication,
  paths: readonly string[],
): Promise<void> {
  await app.evaluate(({ dialog }, filePaths) => {
    dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [...filePaths] });
  }, paths);
}

/** Makes the next save dialog answer with this path. */
export async function saveInDialog(app: ElectronApplication, filePath: string): Promise<void> {
  await app.evaluate(({ dialog }, path) => {
    dialog.showSaveDialog = async () => ({ canceled: false, filePath: path });
  }, filePath);
}

export { expect };
