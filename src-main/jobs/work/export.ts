// Exporting as a job: write, run the written files with their real runtime, and only then put them in place.

import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { AppError } from '../../engine/errors';
import { formatEntry } from '../../engine/formats/catalogue';
import { describeExport } from '../../engine/formats/export-folder';
import { needsImages, noSuchPrecision, verificationLimits } from '../../engine/formats/precisions';
import { formatWriter } from '../../engine/formats/table';
import type { WrittenFile } from '../../engine/formats/types';
import type { Model } from '../../engine/graph/types';
import type { Verification } from '../../engine/measure/types';
import { failureOf, verifyExport, type VerificationSamples } from '../../engine/measure/verify';
import type { QuantizationReport } from '../../engine/quantize/types';
import type { ExportedFile } from '../../project/types';
import { quantizeDefaults } from '../quantize-defaults';
import type { ExportRequest, JobContext, JobSpec } from '../types';
import { begin } from './context';
import { calibrationSamples, verificationSamples } from './export-samples';
import { loadModel, versionSource } from './files';
import { freeFolder, placeFolder, requireVacant, writeFiles } from './new-folder';

function checksum({ path, bytes }: WrittenFile): ExportedFile {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, bytes: bytes.byteLength, sha256 };
}

/** A name that is a valid file name everywhere, without blanks. */
function fileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '') || 'model';
}

/** Layers that are named when a quantised file is refused. */
const namedLayers = 5;

/** What one can do about a file that was refused. */
function remedy({ quantization }: Verification): string {
  if (quantization === undefined) {
    return 'Nothing was exported. Try another format or precision and report the model structure.';
  }
  const worst = quantization.layers.slice(0, namedLayers).map(({ layer }) => layer);
  return (
    'Nothing was exported. Keep the layers with most noise in float ' +
    `(--keep-float ${worst.join(',')}), or take the precision int8-dynamic.`
  );
}

function refuseFailure(verification: Verification): void {
  const why = failureOf(verification);
  if (why === null) return;
  throw new AppError('EXPORT_MISMATCH', why, remedy(verification), {
    details: { ...verification },
  });
}

/** @throws AppError INVALID_ARGUMENT */
function requirePrecision({ format, precision, data }: ExportRequest): void {
  if (!formatEntry(format).precisions.includes(precision)) throw noSuchPrecision(format, precision);
  if (precision === 'int8' && data === null) throw needsImages();
}

/** The model's files, and how integers were found for them. */
async function write(
  request: ExportRequest,
  spec: JobSpec,
  model: Model,
  name: string,
  context: JobContext,
): Promise<{ files: readonly WrittenFile[]; quantization: QuantizationReport | null }> {
  const writer = formatWriter(request.format);
  const { precision, data } = request;
  if (precision !== 'int8' || writer.quantize === undefined || data === null) {
    return { files: await writer.write(model, { precision, name }), quantization: null };
  }
  const { calibration, trial } = calibrationSamples(spec, data, model);
  const choices = request.quantize ?? quantizeDefaults;
  const options = { ...choices, name, calibration, trial };
  const { files, report } = await writer.quantize(model, options, context);
  return { files, quantization: report };
}

/** Runs the written files with their real runtime. @throws AppError EXPORT_MISMATCH, CANCELLED */
async function verified(
  request: ExportRequest,
  model: Model,
  samples: VerificationSamples,
  folder: string,
  { files, quantization }: Awaited<ReturnType<typeof write>>,
  context: JobContext,
): Promise<Verification> {
  const paths = files.map((file) => file.path);
  const runner = await formatWriter(request.format).openRunner(folder, paths);
  try {
    const limit = verificationLimits[request.precision];
    const found = await verifyExport(model, runner, samples, limit, context);
    const verification = quantization === null ? found : { ...found, quantization };
    refuseFailure(verification);
    return verification;
  } finally {
    runner.close();
  }
}

/** The folder inside the project where an export goes that names none. */
function ownFolder(spec: JobSpec, name: string, { format, precision }: ExportRequest): string {
  const suffix = precision === 'fp32' ? '' : `-${precision}`;
  return join(spec.exportsDir, `${name}-${format}${suffix}`);
}

/**
 * @throws AppError EXPORT_UNSUPPORTED, EXPORT_MISMATCH, INVALID_ARGUMENT, ALREADY_EXISTS, FILE_UNWRITABLE, DISK_FULL,
 * CANCELLED;
 * the target folder appears complete and verified, or not at all.
 */
export async function runExport(
  request: ExportRequest,
  spec: JobSpec,
  context: JobContext,
): Promise<void> {
  if (context.earlier('export') !== null) return;
  requirePrecision(request);
  const { format, precision } = request;
  const source = versionSource(spec, request.version);
  const name = fileName(source.name);
  if (request.folder !== null) await requireVacant(request.folder);
  const folder = request.folder ?? (await freeFolder(ownFolder(spec, name, request)));
  const model = await loadModel(source.file);
  const samples = verificationSamples(request, spec, model);

  const fill = async (
    staging: string,
  ): Promise<{ files: readonly ExportedFile[]; verification: Verification }> => {
    await begin(context, 'exporting', `Writing ${format}`);
    const written = await write(request, spec, model, name, context);
    const { files: modelFiles } = written;
    await writeFiles(staging, modelFiles);
    const verification = await verified(request, model, samples, staging, written, context);
    const companions = describeExport({
      model,
      name: source.name,
      format,
      precision,
      files: modelFiles,
      usage: await formatWriter(format).usage({ model, files: modelFiles }),
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
