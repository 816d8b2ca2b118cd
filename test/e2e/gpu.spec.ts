// Training by WebGPU in a hidden window, on Chromium's software adapter: the results are those of the processor, and
// the window says what computes.

import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { decodeModel } from '../../src-main/engine/graph/serialize';
import { fineTuneDefaults } from '../../src-main/engine/train/defaults';
import type { EpochRecord, TrainOptions } from '../../src-main/engine/train/types';
import type { PageJobRequest, ProjectState } from '../../src-main/ipc/contract';
import type { DatasetId, VersionDetail } from '../../src-main/project/types';
import { chooseInDialog, expect, launch, quit, secateur, test, type Workbench } from './app';
import { expectJobsDone, expectJobState } from './window';

const root = resolve(__dirname, '..', '..');
const sample = join(root, 'resources', 'sample');

/** Stands in for a GPU. */
const software = [
  '--use-webgpu-adapter=swiftshader',
  '--use-vulkan=swiftshader',
  '--disable-gpu-sandbox',
];
const adapter = 'WebGPU: google swiftshader';

const options: TrainOptions = { ...fineTuneDefaults(2), batchSize: 8, samplesPerEpoch: 16 };

/** The first images of the sample: SwiftShader takes its time. */
async function writeImages(folder: string): Promise<void> {
  await mkdir(folder);
  const counts = { train: 48, t10k: 16 };
  for (const [split, count] of Object.entries(counts)) {
    for (const [name, header, bytes] of [
      ['images-idx3-ubyte', 16, 28 * 28],
      ['labels-idx1-ubyte', 8, 1],
    ] as const) {
      const file = `${split}-${name}`;
      const whole = gunzipSync(await readFile(join(sample, 'images', `${file}.gz`)));
      const part = Buffer.from(whole.subarray(0, header + count * bytes));
      part.writeUInt32BE(count, 4);
      await writeFile(join(folder, file), part);
    }
  }
}

/** The command line never asks for the GPU. */
async function newProject(folder: string): Promise<string> {
  const project = join(folder, 'gpu');
  const images = join(folder, 'images');
  await writeImages(images);
  await secateur('create', project);
  await secateur('data', 'add', project, images, '--name', 'few');
  // SwiftShader compiles a program for each kernel, on two busy cores for half a minute even with this network.
  const model = join(folder, 'lenet5');
  await secateur('zoo', 'write', 'lenet5', model);
  await secateur('import', project, model, '--name', 'original');
  return project;
}

function invoke<T>({ page }: Workbench, name: string, args: object): Promise<T> {
  return page.evaluate(
    async ([call, given]) => {
      const { secateur } = window as unknown as {
        secateur: {
          invoke(name: string, args: object): Promise<{ value: unknown; error?: unknown }>;
        };
      };
      const reply = await secateur.invoke(call, given);
      if (reply.error) throw new Error(JSON.stringify(reply.error));
      return reply.value;
    },
    [name, args] as const,
  ) as Promise<T>;
}

async function startTraining(bench: Workbench, project: string): Promise<void> {
  await chooseInDialog(bench.app, [project]);
  const { versions, datasets } = await invoke<ProjectState>(bench, 'project.open', {});
  const request: PageJobRequest = {
    kind: 'train',
    version: versions[0]!.id,
    data: datasets[0]!.id as DatasetId,
    options,
    init: 'weights',
    measure: false,
    name: 'by-gpu',
  };
  await invoke(bench, 'jobs.start', { request });
}

/** Weights of the models of a project, in the order in which they were made. */
async function weightsOf(project: string): Promise<readonly (readonly number[])[]> {
  const folder = join(project, 'blobs');
  const files = (await readdir(folder)).map((name) => join(folder, name));
  const dated = await Promise.all(
    files.map(async (file) => ({ file, at: (await stat(file)).mtimeMs })),
  );
  const models: number[][] = [];
  for (const { file } of dated.sort((a, b) => a.at - b.at)) {
    try {
      const { graph } = decodeModel(await readFile(file));
      models.push([...graph.weights.values()].flatMap(({ data }) => Array.from(data)));
    } catch {
      // The cache of the images.
    }
  }
  return models;
}

/** Trains by the GPU and looks at what the window says; the epochs of the version by the processor and by the GPU. */
async function trainInWindow(
  bench: Workbench,
  project: string,
): Promise<readonly (readonly EpochRecord[])[]> {
  const status = bench.page.getByRole('contentinfo');
  await expect(status).toContainText(adapter, { timeout: 60_000 });
  await startTraining(bench, project);
  await expect(status).toContainText(`Training on ${adapter}`, { timeout: 60_000 });
  const preferences = await bench.app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows().map(({ webContents }) => {
      const { sandbox, contextIsolation, nodeIntegration, webSecurity } = (
        webContents as unknown as { getLastWebPreferences(): Record<string, unknown> }
      ).getLastWebPreferences();
      return { sandbox, contextIsolation, nodeIntegration, webSecurity };
    }),
  );
  const safe = { sandbox: true, contextIsolation: true, nodeIntegration: false, webSecurity: true };
  expect(preferences).toEqual([safe, safe]);

  // A window that goes away fails the job with a code, and the job can be resumed.
  await bench.app.evaluate(({ BrowserWindow }) => {
    const hidden = BrowserWindow.getAllWindows().find((window) => !window.isVisible());
    hidden?.webContents.forcefullyCrashRenderer();
  });
  await expectJobState(bench.page, 'failed');
  const [lost] = (await invoke<ProjectState>(bench, 'project.current', {})).jobs.slice(-1);
  expect(lost).toMatchObject({ error: { code: 'GPU_LOST' }, resumable: true });
  await invoke(bench, 'jobs.resume', { job: lost!.id });
  await expectJobState(bench.page, 'running');
  await expectJobsDone(bench.page);
  await expect
    .poll(() => bench.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length))
    .toBe(1);

  const { versions, jobs } = await invoke<ProjectState>(bench, 'project.current', {});
  expect(jobs.at(-1)!.log.join('\n')).toContain(`Training on ${adapter}`);
  return Promise.all(
    ['by-cpu', 'by-gpu'].map(async (name) => {
      const { id } = versions.find((version) => version.name === name)!;
      return (await invoke<VersionDetail>(bench, 'versions.detail', { version: id })).history;
    }),
  );
}

test('trains by WebGPU to the weights of the processor', async ({ folder }) => {
  test.setTimeout(240_000);
  const project = await newProject(folder);
  const flags = ['--epochs', '2', '--batch', '8', '--samples', '16', '--name', 'by-cpu'];
  await secateur('train', project, 'original', '--data', 'few', ...flags);

  const bench = await launch({ folder, args: software, env: { SECATEUR_GPU: 'always' } });
  const histories = await trainInWindow(bench, project).finally(() => quit(bench));
  expect(bench.violations).toEqual([]);
  expect(bench.errors).toEqual([]);

  const [here, there] = histories;
  expect(there).toHaveLength(2);
  for (const [i, epoch] of there!.entries()) {
    const difference = Math.abs(epoch.trainLoss - here![i]!.trainLoss) / here![i]!.trainLoss;
    // Measured: 1e-7.
    expect(difference).toBeLessThan(1e-5);
  }
  const [original, cpu, gpu] = await weightsOf(project);
  const apart = (a: readonly number[], b: readonly number[]): number =>
    Math.hypot(...a.map((value, i) => value - b[i]!)) / Math.hypot(...b);
  // Measured: 1e-6 of the way that training went.
  expect(apart(gpu!, cpu!)).toBeLessThan(1e-4 * apart(cpu!, original!));
});
