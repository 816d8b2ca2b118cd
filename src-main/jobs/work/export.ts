// Exporting as a job: write, run the written files with their real runtime, and only then put them in place.

import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { normalise } from '../../engine/data/preprocess';
import type { Dataset } from '../../engine/data/types';
import { AppError } from '../../engine/errors';
import { describeExport } from '../../engine/formats/export-folder';
import { formatWriter } from '../../engine/formats/table';
import type { WrittenFile } from '../../engine/formats/types';
import { createRng } from '../../engine/graph/rng';
import type { Model } from '../../engine/graph/types';
import type { Verification } from '../../engine/measure/types';
import { verifyExport, type VerificationSamples } from '../../engine/measure/verify';
import type { ExportedFile } from '../../project/types';
import type { ExportRequest, JobContext, JobSpec } from '../types';
import { loadModel, versionSource } from './files';
import { openFittingDataset, reportSplit } from './versions';

/** Images on which file and version are compared. */
const verificationCount = 200;
/** Largest absolute difference of an output (float32 arithmetic in another order). */
const tolerance = 1e-4;

/** Evenly spaced images of the reporting split, preprocessed as the model wants them. */
function imagesOf(dataset: Dataset, model: Model): VerificationSamples {
  const split = dataset.split(reportSplit(dataset));
  const count = Math.min(verificationCount, split.count);
  const size = split.height * split.width * split.channels;
  const indices = Int32Array.from({ length: count }, (_, i) =>
    Math.floor((i * split.count) / count),
  );
  const pixels = new Uint8Array(count * size);
  split.read(indices, pixels);
  const inputs = new Float32Array(count * size);
  normalise(pixels, inputs, model.preprocessing, split.channels);
  return { count, inputs, labels: indices.map((i) => split.labels[i] ?? 0) };
}

/** Random inputs for versions without a data set: they prove numbers, not accuracy. */
function randomInputs(model: Model): VerificationSamples {
  const size = (model.graph.inputs[0]?.shape ?? []).reduce((a, b) => a * b, 1);
  const count = 32;
  const rng = createRng(1);
  const inputs = Float32Array.from({ length: count * size }, () => rng.normal());
  return { count, inputs, labels: null };
}

async function writeFiles(folder: string, files: readonly WrittenFile[]): Promise<void> {
  for (const file of files) {
    const path = join(folder, file.path);
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(path, 'wx');
    try {
      await handle.writeFile(file.bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

function checksum({ path, bytes }: WrittenFile): ExportedFile {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, bytes: bytes.byteLength, sha256 };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** A folder that does not exist yet: the wanted name, or the first free one with a number behind. */
async function freeFolder(wanted: string): Promise<string> {
  let folder = wanted;
  for (let n = 2; await exists(folder); n++) folder = `${wanted}-${n}`;
  return folder;
}

/** The folder the user named must be new or empty: nothing is ever overwritten. */
async function chosenFolder(folder: string): Promise<string> {
  if ((await exists(folder)) && (await readdir(folder)).length > 0) {
    throw new AppError(
      'ALREADY_EXISTS',
      `The folder ${folder} is not empty.`,
      'Choose a new or an empty folder; exports never overwrite files.',
    );
  }
  return folder;
}

/** Moves a finished folder to its place; an empty folder there gives way. */
async function moveInto(staging: string, folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  await rename(staging, folder);
}

/** A name that is a valid file name everywhere. */
export function fileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '') || 'model';
}

function refuseMismatch(verification: Verification): void {
  if (verification.passed) return;
  throw new AppError(
    'EXPORT_MISMATCH',
    `${verification.runtime} gives other results than the version: largest difference ` +
      `${verification.maxAbsDiff.toExponential(2)}, tolerance ${verification.tolerance.toExponential(0)}.`,
    'Nothing was exported. Try the other format and report the model structure.',
    { details: { ...verification } },
  );
}

/**
 * @throws AppError EXPORT_UNSUPPORTED, EXPORT_MISMATCH, ALREADY_EXISTS, FILE_UNWRITABLE, DISK_FULL, CANCELLED;
 * the target folder appears complete and verified, or not at all.
 */
export async function runExport(
  request: ExportRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  const source = versionSource(spec, request.version);
  const model = await loadModel(source.file);
  const name = fileName(source.name);
  const folder =
    request.folder === null
      ? await freeFolder(join(spec.exportsDir, `${name}-${request.format}`))
      : await chosenFolder(request.folder);
  const dataset = request.data === null ? null : openFittingDataset(spec, request.data, model);
  // Beside the target, so that the last step is one rename on the same file system.
  await mkdir(dirname(folder), { recursive: true });
  const staging = join(dirname(folder), `.${basename(folder)}.${randomUUID()}.tmp`);
  try {
    context.progress({ phase: 'exporting', label: `Writing ${request.format}`, done: 0, total: 0 });
    const writer = formatWriter(request.format);
    const modelFiles = await writer.write(model, { precision: request.precision, name });
    await mkdir(staging);
    await writeFiles(staging, modelFiles);

    const samples = dataset ? imagesOf(dataset, model) : randomInputs(model);
    const paths = modelFiles.map((file) => file.path);
    const runner = await writer.openRunner(staging, paths);
    let verification: Verification;
    try {
      verification = await verifyExport(model, runner, samples, tolerance, context);
    } finally {
      runner.close();
    }
    refuseMismatch(verification);

    const companions = describeExport({
      model,
      name: source.name,
      format: request.format,
      precision: request.precision,
      files: modelFiles,
      verification,
      accuracy: source.accuracy,
      latency: source.latency,
      lineage: source.lineage,
      engineVersion: spec.engineVersion,
    });
    await writeFiles(staging, companions);
    await moveInto(staging, folder);
    await context.save({
      type: 'export',
      version: source.id,
      format: request.format,
      precision: request.precision,
      folder,
      files: [...modelFiles, ...companions].map(checksum),
      verification,
    });
  } finally {
    dataset?.close();
    await rm(staging, { recursive: true, force: true });
  }
}
