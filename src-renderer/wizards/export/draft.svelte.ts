// What is entered in the Export wizard, and the request it makes.
import type { PageJobRequest } from '../../../src-main/ipc/contract';
import { catalogue, formatEntry } from '../../../src-main/engine/formats/catalogue';
import type { Precision, WriteFormat } from '../../../src-main/engine/formats/types';
import type { QuantizeChoices } from '../../../src-main/jobs/types';
import type { VersionSummary } from '../../../src-main/project/types';
import { datasetMisfit, likelyDataset } from '../../state/fit';
import { project } from '../../state/project.svelte';
import type { WizardStep } from '../../state/wizard';
import { calibrationWords, precisionWords } from '../../words';

export class ExportDraft {
  readonly version: VersionSummary;

  format = $state<WriteFormat>('tflite');
  /** As chosen, whether or not the format has it. */
  wanted = $state<Precision>('fp32');
  data = $state<string | null>(null);
  method = $state<QuantizeChoices['method']>('auto');
  io = $state<QuantizeChoices['io']>('float');
  /** Names of layers, separated by commas. */
  keepFloat = $state('');
  /** Null goes into the project's exports folder. */
  folder = $state.raw<{ readonly token: string; readonly folder: string } | null>(null);

  constructor(version: VersionSummary) {
    this.version = version;
    this.data = likelyDataset(project.datasets, version)?.id ?? null;
  }

  readonly precision: Precision = $derived(
    formatEntry(this.format).precisions.includes(this.wanted) ? this.wanted : 'fp32',
  );

  readonly isInt8 = $derived(this.precision === 'int8');

  readonly floatLayers: readonly string[] = $derived(
    this.keepFloat
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  );

  readonly request: PageJobRequest = $derived.by(() => ({
    kind: 'export',
    version: this.version.id,
    format: this.format,
    precision: this.precision,
    data: this.data,
    ...(this.isInt8
      ? { quantize: { method: this.method, io: this.io, keepFloat: [...this.floatLayers] } }
      : {}),
    folderToken: this.folder?.token ?? null,
  }));
}

export const exportSteps: readonly WizardStep<ExportDraft>[] = [
  {
    id: 'format',
    title: 'Format',
    problem: () => null,
    summary: ({ format, precision }) =>
      `${catalogue[format].title}, ${precisionWords[precision].title}`,
  },
  {
    id: 'options',
    title: 'Verification and folder',
    problem: dataProblem,
    summary: (draft) => `on ${project.dataset(draft.data)?.name ?? 'random inputs'}`,
  },
  { id: 'run', title: 'Run', problem: () => null, summary: () => null },
];

/** What the job will do, in a sentence. */
export function exportSentence(draft: ExportDraft): string {
  const { format, precision, version } = draft;
  const dataset = project.dataset(draft.data);
  const inputs = dataset ? `images of ${dataset.name}` : 'random inputs';
  const where = draft.folder?.folder ?? "the project's exports folder";
  return (
    `Secateur will write ${version.name} as ${catalogue[format].title} in ${precisionWords[precision].title}` +
    `${quantizing(draft)}, run the file with its real runtime on ${inputs}, compare the answers with the version, and ` +
    `put the verified files with a README, labels, preprocessing and checksums into ${where}.`
  );
}

function quantizing({ isInt8, method, floatLayers }: ExportDraft): string {
  if (!isInt8) return '';
  const how =
    method === 'auto'
      ? 'by the method that keeps the answers best'
      : `by ${calibrationWords[method]}`;
  const kept = floatLayers.length === 0 ? '' : `, with ${floatLayers.join(', ')} in float32`;
  return ` with ranges found on its training images ${how}${kept}`;
}

function dataProblem(draft: ExportDraft): string | null {
  const dataset = project.dataset(draft.data);
  if (!dataset) return draft.isInt8 ? 'full int8 needs a data set' : null;
  return datasetMisfit(dataset, draft.version) === null ? null : 'the data set does not fit';
}
