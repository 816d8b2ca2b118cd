// What is entered in the Export wizard, and the request it makes.
import type { PageJobRequest } from '../../../src-main/ipc/contract';
import type { WriteFormat } from '../../../src-main/engine/formats/types';
import type { VersionSummary } from '../../../src-main/project/types';
import { datasetMisfit, firstFitting } from '../../state/fit';
import { project } from '../../state/project.svelte';
import type { WizardStep } from '../../state/wizard';
import { formatWords } from '../../words';

export class ExportDraft {
  readonly version: VersionSummary;

  format = $state<WriteFormat>('tflite');
  data = $state<string | null>(null);
  /** Null goes into the project's exports folder. */
  folder = $state.raw<{ readonly token: string; readonly folder: string } | null>(null);

  constructor(version: VersionSummary) {
    this.version = version;
    this.data = firstFitting(project.datasets, version)?.id ?? null;
  }

  readonly request: PageJobRequest = $derived.by(() => ({
    kind: 'export',
    version: this.version.id,
    format: this.format,
    precision: 'fp32',
    data: this.data,
    folderToken: this.folder?.token ?? null,
  }));
}

export const exportSteps: readonly WizardStep<ExportDraft>[] = [
  {
    id: 'format',
    title: 'Format',
    problem: () => null,
    summary: (draft) => formatWords[draft.format].title,
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
  const dataset = project.dataset(draft.data);
  const inputs = dataset ? `images of ${dataset.name}` : 'random inputs';
  const where = draft.folder?.folder ?? "the project's exports folder";
  return (
    `Secateur will write ${draft.version.name} as ${formatWords[draft.format].title} in float32, run the file with ` +
    `its real runtime on ${inputs}, compare the answers with the version, and put the verified files with a README, ` +
    `labels, preprocessing and checksums into ${where}.`
  );
}

function dataProblem(draft: ExportDraft): string | null {
  const dataset = project.dataset(draft.data);
  if (!dataset) return null;
  return datasetMisfit(dataset, draft.version) === null ? null : 'the data set does not fit';
}
