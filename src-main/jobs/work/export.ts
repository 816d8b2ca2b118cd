// Exporting as a job: write, run the written files with their real runtime, and only then put them in place.

import { createHash } from 'node:crypto';
import { join } from 'node:path';

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
import { begin } from './context';
import { loadModel, versionSource } from './files';
import { freeFolder, placeFolder, requireVacant, writeFiles } from './new-folder';
import { modelInputs, pickPictures } from './pictures';
import { openFittingDataset, reportSplit } from './versions';

/** Images on which file and version are compared. */
const verificationCount = 200;
/** Largest difference of an output (float32 arithmetic in another order), see `verifyExport`. */
const tolerance = 1e-4;

/** What file and version are compared on: images of the reporting split, or random inputs without a data set. */
function verificationSamples(
  request: ExportRequest,
  spec: JobSpec,
  model: Model,
): VerificationSamples {
  if (request.data === null) return randomInputs(model);
  const dataset = openFittingDataset(spec, request.data, model);
  try {
    const split = dataset.split(reportSplit(dataset));
    const { count, pixels, labels } = pickPictures(split, verificationCount);
    return { count, inputs: modelInputs(pixels, split, model.preprocessing), labels };
  } finally {
    dataset.close();
  }
}

/** They prove numbers, not accuracy. */
function randomInputs(model: Model): VerificationSamples {
  const size = (model.graph.inputs[0]?.shape ?? []).reduce((a, b) => a * b, 1);
  const count = 32;
  const rng = createRng(1);
  const inputs = Float32Array.from({ length: count * size }, () => rng.normal());
  return { count, inputs, labels: null };
}

function checksum({ path, bytes }: WrittenFile): ExportedFile {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, bytes: bytes.byteLength, sha256 };
}

/** A name that is a valid file name everywhere, without blanks. */
function fileName(name: string): string {
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

/** Runs the written files with their real runtime. @throws AppError EXPORT_MISMATCH, CANCELLED */
async function verified(
  request: ExportRequest,
  model: Model,
  samples: VerificationSamples,
  folder: string,
  files: readonly WrittenFile[],
  context: JobContext,
): Promise<Verification> {
  const paths = files.map((file) => file.path);
  const runner = await formatWriter(request.format).openRunner(folder, paths);
  try {
    const verification = await verifyExport(model, runner, samples, tolerance, context);
    refuseMismatch(verification);
    return verification;
  } finally {
    runner.close();
  }
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
  if (context.earlier('export') !== null) return;
  const { format, precision } = request;
  const source = versionSource(spec, request.version);
  const name = fileName(source.name);
  if (request.folder !== null) await requireVacant(request.folder);
  const folder = request.folder ?? (await freeFolder(join(spec.exportsDir, `${name}-${format}`)));
  const model = await loadModel(source.file);
  const samples = verificationSamples(request, spec, model);

  const fill = async (
    staging: string,
  ): Promise<{ files: readonly ExportedFile[]; verification: Verification }> => {
    await begin(context, 'exporting', `Writing ${format}`);
    const writer = formatWriter(format);
    const modelFiles = await writer.write(model, { precision, name });
    await writeFiles(staging, modelFiles);
    const verification = await verified(request, model, samples, staging, modelFiles, context);
    const companions = describeExport({
      model,
      name: source.name,
      format,
      precision,
      files: modelFiles,
      usage: await writer.usage({ model, files: modelFiles }),
      verification,
      accuracy: source.accuracy,
      latency: source.latency,
      lineage: source.lineage,
      engineVersion: spec.engineVersion,
    });
    await writeFiles(staging, companions);
    return { files: [...modelFiles, ...companions].map(checksum), verification };
  };

  await placeFolder(folder, fill, async (made) => {
    await context.save({ type: 'export', version: source.id, format, precision, folder, ...made });
  });
}
