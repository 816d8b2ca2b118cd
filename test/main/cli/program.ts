// Runs the command line: as a program, as a shell does, or in this process.

import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect } from 'vitest';
import { runCommandLine } from '../../../src-main/cli/main';
import type { ErrorCode, ErrorInfo } from '../../../src-main/engine/errors';
import { createRng } from '../../../src-main/engine/graph/rng';

const built = join(import.meta.dirname, '..', '..', '..', 'out', 'main');

/** A script of the build. @throws Error when there is none */
export function builtScript(name: 'cli.js' | 'worker.js'): string {
  const path = join(built, name);
  if (existsSync(path)) return path;
  throw new Error(`${path} is not built: run "npm run build" (npm test does) and try again.`);
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** What it has written to stderr so far. */
  readonly stderr: () => string;
  readonly ended: Promise<Ended>;
}

export function start(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Running {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, stderr: () => stderr, ended };
}

export const secateur = (...args: readonly string[]): Promise<Ended> =>
  start(process.execPath, [builtScript('cli.js'), ...args]).ended;

/** The same without a process of its own, which is all that parsing and refusing needs. */
export async function commandLine(...words: readonly string[]): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const code = await runCommandLine(words, builtScript('worker.js'), {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  });
  return { code, signal: null, stdout, stderr };
}

/** The one JSON object that a program has printed. */
export function onlyObject<T>(stdout: string): T {
  expect(stdout).toMatch(/^\{.*\}\n$/);
  return JSON.parse(stdout) as T;
}

/** The answer of a command that must succeed. */
export async function answer<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await commandLine(...args, '--json');
  expect(code, stderr).toBe(0);
  return onlyObject<T>(stdout);
}

/** Checks how a refusal is told: exit code, JSON, and the two lines for people. */
export function expectRefusal({ code, stdout, stderr }: Ended, expected: ErrorCode): ErrorInfo {
  const { error } = onlyObject<{ error: ErrorInfo }>(stdout);
  expect(error.code, error.message).toBe(expected);
  expect(code).toBe(expected === 'INVALID_ARGUMENT' ? 2 : expected === 'CANCELLED' ? 130 : 1);
  expect(error.message).toMatch(/^[^a-z\s].{9,}$/);
  expect(error.hint).not.toBe('');
  expect(stderr.endsWith(`error: ${expected}: ${error.message}\nhint: ${error.hint}\n`)).toBe(true);
  return error;
}

/** The error of a command that must fail. */
export async function refused(expected: ErrorCode, ...args: readonly string[]): Promise<ErrorInfo> {
  return expectRefusal(await commandLine(...args, '--json'), expected);
}

export const classes = ['dark', 'light', 'striped'] as const;
const side = 12;

/** Grey images 12 x 12 that a network tells apart after a few steps. */
function picture(label: number, seed: number): Uint8Array {
  const rng = createRng(seed);
  const base = (pixel: number): number => [10, 190, pixel % 2 === 0 ? 10 : 190][label] ?? 0;
  return Uint8Array.from({ length: side * side }, (_, pixel) => base(pixel) + rng.int(50));
}

/** A folder of images with splits of its own: 16 for training, 4 for each of the others, a class. */
export async function makeImages(folder: string): Promise<void> {
  const counts = { train: 16, val: 4, test: 4 };
  let seed = 0;
  for (const [split, count] of Object.entries(counts)) {
    for (const [label, name] of classes.entries()) {
      await mkdir(join(folder, split, name), { recursive: true });
      for (let i = 0; i < count; i++) {
        const raw = { width: side, height: side, channels: 1 } as const;
        await sharp(picture(label, ++seed), { raw })
          .toColourspace('b-w')
          .png()
          .toFile(join(folder, split, name, `${i}.png`));
      }
    }
  }
}

/** IDX files of training images of random pixels. */
export async function makeIdx(folder: string, count: number, side: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const header = (magic: number, ...sizes: number[]): Buffer => {
    const buffer = Buffer.alloc(4 + 4 * sizes.length);
    [magic, ...sizes].forEach((value, i) => buffer.writeUInt32BE(value, 4 * i));
    return buffer;
  };
  const rng = createRng(1);
  const pixels = Uint8Array.from({ length: count * side * side }, () => rng.int(256));
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 4);
  const write = (name: string, ...parts: Uint8Array[]): Promise<void> =>
    writeFile(join(folder, name), Buffer.concat(parts));
  await write('train-images-idx3-ubyte', header(0x803, count, side, side), pixels);
  await write('train-labels-idx1-ubyte', header(0x801, count), labels);
}
