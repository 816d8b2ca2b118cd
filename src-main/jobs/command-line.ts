// The command that does the same as a job of the window. Options that stand at their defaults are left out; a
// request that the flags of its command cannot express is given whole, as JSON, to the command `job`.

import { isDeepStrictEqual } from 'node:util';
import type { Task } from '../engine/data/types';
import { defaultDecodeOptions } from '../engine/data/defaults';
import { defaultPruneOptions } from '../engine/prune';
import { defaultSensitivityOptions } from '../engine/prune/sensitivity';
import { recalibrateDefaults, slimmingSparsity } from '../engine/train/defaults';
import { scratchEpochs, type ScratchStart } from '../engine/train/scratch';
import type { TrainOptions } from '../engine/train/types';
import type { ProjectState } from '../ipc/contract';
import { originalOf } from '../project/lineage';
import { quantizeDefaults } from './quantize-defaults';
import { sparsifyOptions, trainingFlags, trainingWords } from './training-flags';
import type {
  AddDataRequest,
  EvaluateRequest,
  ExportRequest,
  ImportRequest,
  JobRequest,
  MeasureRequest,
  PruneRequest,
  QuantizeChoices,
  RecalibrateRequest,
  SensitivityRequest,
  TrainRequest,
} from './types';

type Named = Pick<ProjectState, 'folder' | 'versions' | 'datasets'>;
/** The words behind the program's name, or null where flags do not suffice. */
type Words = readonly string[] | null;

/** Criteria that `sensitivity --criterion` offers. */
const criteria: ReadonlySet<string> = new Set(['l1', 'l2', 'bn', 'fpgm', 'lamp', 'random']);
const measureDefaults = { runtime: 'litert', threads: 1, runs: 50 } as const;

/** @param program how the command line is called here */
export function commandFor(request: JobRequest, project: Named, program = 'secateur'): string {
  const words = wordsFor(request, project) ?? ['job', project.folder, JSON.stringify(request)];
  return [program, ...words.map((word) => quote(word))].join(' ');
}

function wordsFor(request: JobRequest, project: Named): Words {
  switch (request.kind) {
    case 'import':
      return importWords(request, project);
    case 'prune':
      return pruneWords(request, project);
    case 'train':
      return trainWords(request, project);
    case 'recalibrate':
      return recalibrateWords(request, project);
    case 'evaluate':
      return evaluateWords(request, project);
    case 'measure':
      return measureWords(request, project);
    case 'sensitivity':
      return sensitivityWords(request, project);
    case 'export':
      return exportWords(request, project);
    case 'add-data':
      return addDataWords(request, project);
    case 'zoo':
      // `zoo write` makes a file, not a version.
      return null;
  }
}

function importWords(request: ImportRequest, project: Named): Words {
  const { path, labels, preprocessing } = request;
  if (labels !== null && !isList(labels)) return null;
  return [
    ...['import', project.folder, path],
    ...option('--name', request.name),
    ...option('--labels', labels?.join(',')),
    ...option('--scale', preprocessing?.scale),
    ...option('--mean', preprocessing?.mean.join(',')),
    ...option('--std', preprocessing?.std.join(',')),
    ...option('--channel-order', preprocessing?.channelOrder),
    ...option('--data', dataName(request.data, project)),
    ...flag('--reinsert-bn', request.reinsertBatchNorms ?? false),
    ...flag('--measure', request.measure),
  ];
}

function pruneWords(request: PruneRequest, project: Named): Words {
  const { options, fineTune, sparsify, controls } = request;
  const base = defaultPruneOptions;
  const { criterion, target, scope, reduction, normalisation, protect, seed } = options;
  const { align, minChannels, maxRatio, images, ceilings = {}, trunk, grouped } = options;
  const plain = {
    ...base,
    ...{ criterion, target, scope, reduction, align, minChannels, maxRatio, protect, seed },
    ...(normalisation === undefined ? {} : { normalisation }),
    ...(images === undefined ? {} : { images }),
    ...(options.ceilings === undefined ? {} : { ceilings }),
    ...(trunk === undefined ? {} : { trunk }),
    ...(grouped === undefined ? {} : { grouped }),
  };
  if (!isList(protect) || !isDeepStrictEqual(options, plain)) return null;
  if (!isList(Object.keys(ceilings)) || Object.keys(ceilings).some((name) => name.includes('=')))
    return null;
  if (Object.keys(target).length === 0) return null;
  // One flag stands for both ways to limit a latency.
  if (target.latency !== undefined && target.latencyMs !== undefined) return null;
  const seedWords = option('--seed', unless(seed, base.seed));
  const task = taskOf(request.data, project);
  const tuning = fineTune && trainingFlags('fine-tune', task, fineTune);
  if (fineTune !== null && tuning === null) return null;
  // One --seed stands for both.
  const trainingSeed = seedWords.length === 0 ? undefined : seed;
  if (tuning && tuning.seed !== trainingSeed) return null;
  if ((request.teacher === undefined) !== !fineTune?.distill) return null;
  if (sparsify && !isLikeTuning(task, sparsify, fineTune, trainingSeed)) return null;
  return [
    ...['prune', project.folder, versionName(request.version, project), '--method', criterion],
    ...option('--ratio', target.ratio),
    ...option('--macs', target.macs),
    ...option('--params', target.params),
    ...option('--bytes', target.bytes),
    ...option('--precision', target.precision),
    ...option('--latency', target.latency),
    ...option('--latency', target.latencyMs === undefined ? null : `${target.latencyMs}ms`),
    ...option('--images', images),
    ...option('--scope', unless(scope, base.scope)),
    ...option('--reduction', unless(reduction, base.reduction)),
    ...option('--normalisation', normalisation),
    ...option('--align', unless(align, base.align)),
    ...option('--min-channels', unless(minChannels, base.minChannels)),
    ...option('--max-ratio', unless(maxRatio, base.maxRatio)),
    ...option('--ceilings', pairs(ceilings)),
    ...option('--protect', protect.length === 0 ? null : protect.join(',')),
    ...option('--trunk', trunk),
    ...option('--grouped', grouped),
    ...option('--steps', unless(request.steps, 1)),
    ...option('--schedule', unless(request.schedule, 'linear')),
    ...option('--data', dataName(request.data, project)),
    ...option('--sparsify', sparsify?.epochs),
    ...option('--sparsity', sparsify && unless(sparsify.gammaSparsity, slimmingSparsity)),
    ...flag('--recalibrate', request.recalibrate),
    ...option('--epochs', fineTune?.epochs),
    ...(tuning ? trainingWords(tuning, '--lr-schedule') : []),
    ...option('--teacher', request.teacher && versionName(request.teacher, project)),
    ...option('--scratch', controls?.budgets.join(',')),
    ...option('--scratch-epochs', controls?.originalEpochs),
    ...option('--scratch-seeds', controls && unless(controls.seeds, 1)),
    ...flag('--measure', request.measure),
    ...seedWords,
    ...option('--name', request.name),
  ];
}

function trainWords(request: TrainRequest, project: Named): Words {
  const { options, init, teacher } = request;
  const task = taskOf(request.data, project);
  const flags = trainingFlags(init === 'weights' ? 'fine-tune' : 'full', task, options);
  if (flags === null || (teacher === undefined) !== (options.distill === null)) return null;
  const start = init === 'weights' ? null : init;
  if (start && options.epochs !== epochsOf(request.version, start, project)) return null;
  return [
    ...['train', project.folder, versionName(request.version, project)],
    ...option('--data', dataName(request.data, project)),
    ...option('--epochs', start?.originalEpochs ?? options.epochs),
    ...trainingWords(flags, '--schedule'),
    ...option('--teacher', teacher && versionName(teacher, project)),
    ...option('--scratch', start?.budget),
    ...option('--gamma', start && unless(start.gamma, 1)),
    ...option('--seed', flags.seed),
    ...flag('--measure', request.measure),
    ...option('--name', request.name),
  ];
}

/** Whether the flags of the fine-tuning make this training before a cut, too: they stand for both. */
function isLikeTuning(
  task: Task,
  sparsify: TrainOptions,
  fineTune: TrainOptions | null,
  seed: number | undefined,
): boolean {
  const flags = fineTune ? trainingFlags('fine-tune', task, fineTune) : {};
  // A penalty in the fine-tuning as well would need a flag of its own.
  if (flags === null || flags.sparsity !== undefined) return false;
  const { epochs, gammaSparsity: sparsity } = sparsify;
  return isDeepStrictEqual(sparsify, sparsifyOptions(task, epochs, { ...flags, seed, sparsity }));
}

/** The epochs that a start from scratch comes to. */
function epochsOf(
  id: string,
  { budget, originalEpochs }: ScratchStart,
  { versions }: Named,
): number {
  const original = originalOf(versions, id)?.macs ?? 1;
  const slim = versions.find((version) => version.id === id)?.macs ?? 1;
  return scratchEpochs(budget, originalEpochs, { original, slim });
}

function recalibrateWords(request: RecalibrateRequest, project: Named): Words {
  const { batches, batchSize, seed } = request.options;
  const base = recalibrateDefaults;
  return [
    ...['recalibrate', project.folder, versionName(request.version, project)],
    ...option('--data', dataName(request.data, project)),
    ...option('--batches', unless<number>(batches, base.batches)),
    ...option('--batch', unless<number>(batchSize, base.batchSize)),
    ...option('--seed', unless<number>(seed, base.seed)),
    ...option('--name', request.name),
  ];
}

function evaluateWords(request: EvaluateRequest, project: Named): Words {
  const [version, ...others] = request.versions;
  if (version === undefined || others.length > 0) return null;
  return [
    ...['evaluate', project.folder, versionName(version, project)],
    ...option('--data', dataName(request.data, project)),
    ...option('--split', unless(request.split, 'test')),
  ];
}

function measureWords(request: MeasureRequest, project: Named): Words {
  return [
    ...['measure', project.folder, ...request.versions.map((id) => versionName(id, project))],
    ...option('--runtime', unless(request.runtime, measureDefaults.runtime)),
    ...option('--threads', unless(request.threads, measureDefaults.threads)),
    ...option('--runs', unless(request.runs, measureDefaults.runs)),
  ];
}

function sensitivityWords(request: SensitivityRequest, project: Named): Words {
  const { criterion, grid, samples, recalibrate, seed } = request.options;
  const base = defaultSensitivityOptions;
  if (!criteria.has(criterion)) return null;
  return [
    ...['sensitivity', project.folder, versionName(request.version, project)],
    ...option('--data', dataName(request.data, project)),
    ...option('--criterion', unless(criterion, base.criterion)),
    ...option('--grid', unless(grid.join(','), base.grid.join(','))),
    ...option('--samples', unless(samples, base.samples)),
    ...flag('--no-recalibrate', !recalibrate),
    ...option('--seed', unless(seed, base.seed)),
  ];
}

function exportWords(request: ExportRequest, project: Named): Words {
  return [
    ...['export', project.folder, versionName(request.version, project)],
    ...option('--format', request.format),
    ...option('--precision', unless(request.precision, 'fp32')),
    ...option('--data', dataName(request.data, project)),
    ...(request.precision === 'int8' ? quantizeWords(request.quantize ?? quantizeDefaults) : []),
    ...option('--out', request.folder),
  ];
}

function quantizeWords({ method, io, keepFloat }: QuantizeChoices): readonly string[] {
  const base = quantizeDefaults;
  return [
    ...option('--calibration', unless(method, base.method)),
    ...option('--io', unless(io, base.io)),
    ...option('--keep-float', keepFloat.length === 0 ? null : keepFloat.join(',')),
  ];
}

function addDataWords(request: AddDataRequest, project: Named): Words {
  const { size, channels, fit, seed, valFraction, testFraction, onUnreadable } = request.decode;
  const base = defaultDecodeOptions;
  return [
    ...['data', 'add', project.folder, request.path],
    ...option('--name', request.name),
    ...option('--size', size && `${size.height},${size.width}`),
    ...option('--channels', channels),
    ...option('--fit', unless(fit, base.fit)),
    ...option('--val', unless(valFraction, base.valFraction)),
    ...option('--test', unless(testFraction, base.testFraction)),
    ...option('--seed', unless(seed, base.seed)),
    ...flag('--skip-unreadable', onUnreadable === 'skip'),
  ];
}

const option = (name: string, value: string | number | null | undefined): string[] =>
  value === null || value === undefined ? [] : [name, String(value)];

const flag = (name: string, on: boolean): string[] => (on ? [name] : []);

/** Null for the default, which need not be said. */
const unless = <T>(value: T, standard: T): T | null => (value === standard ? null : value);

/** "a=0.5,b=0.25", or null for nothing. */
const pairs = (values: Readonly<Record<string, number>>): string | null =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(',') || null;

/** True when the entries survive being joined and split by commas. */
const isList = (entries: readonly string[]): boolean =>
  entries.every((entry) => entry !== '' && entry === entry.trim() && !entry.includes(','));

const versionName = (id: string, project: Named): string =>
  project.versions.find((version) => version.id === id)?.name ?? id;

const taskOf = (id: string | null, project: Named): Task =>
  project.datasets.find((dataset) => dataset.id === id)?.task ?? 'classes';

const dataName = (id: string | null, project: Named): string | null =>
  id === null ? null : (project.datasets.find((dataset) => dataset.id === id)?.name ?? id);

/** Quotes a word for a POSIX shell, or for the shells of Windows; plain words stay as they are. */
export function quote(word: string, platform: NodeJS.Platform = process.platform): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (platform !== 'win32') return `'${word.replaceAll("'", `'\\''`)}'`;
  return `"${word.replaceAll(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}
