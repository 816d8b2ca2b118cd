// What is entered in the Import wizard, and the request it makes: a model file, or a built-in architecture.
import type { ImportPreview, PageJobRequest, Reply } from '../../../src-main/ipc/contract';
import type { Preprocessing } from '../../../src-main/engine/graph/types';
import { compact, plural, shape } from '../../format';
import { datasetMisfit, likelyDataset } from '../../state/fit';
import { project } from '../../state/project.svelte';
import type { WizardStep } from '../../state/wizard';

export type Architecture = Reply<'zoo.list'>[number];

export class ImportDraft {
  preview = $state.raw<ImportPreview | null>(null);
  preprocessing = $state.raw<Preprocessing | null>(null);
  /** One label a line; empty leaves them out. */
  labelText = $state('');
  data = $state<string | null>(null);
  reinsertBatchNorms = $state(false);
  measure = $state(true);

  architecture = $state.raw<Architecture | null>(null);
  classes = $state(10);
  seed = $state(1);

  name = $state('');

  readonly labels: readonly string[] | null = $derived.by(() => {
    const lines = this.labelText.split('\n').map((line) => line.trim());
    const labels = lines.filter((line) => line !== '');
    return labels.length === 0 ? null : labels;
  });

  readonly request: PageJobRequest | null = $derived.by(() => {
    const name = this.name.trim() === '' ? null : this.name.trim();
    if (this.architecture) {
      return {
        kind: 'zoo',
        architecture: this.architecture.id,
        inputShape: null,
        classes: this.classes,
        seed: this.seed,
        name,
      };
    }
    if (!this.preview) return null;
    return {
      kind: 'import',
      token: this.preview.token,
      name,
      preprocessing: this.preprocessing,
      labels: this.labels,
      data: this.data,
      ...(this.reinsertBatchNorms ? { reinsertBatchNorms: true } : {}),
      measure: this.measure,
    };
  });

  /** Takes a model file in place of whatever was chosen before. */
  take(preview: ImportPreview): void {
    this.architecture = null;
    this.preview = preview;
    this.preprocessing = preview.preprocessing;
    this.labelText = preview.labels?.join('\n') ?? '';
    this.data = likelyDataset(project.datasets, preview)?.id ?? null;
    this.name = preview.modelName;
    this.reinsertBatchNorms = false;
  }

  /** Takes a built-in architecture in place of whatever was chosen before. */
  takeArchitecture(architecture: Architecture): void {
    this.preview = null;
    this.architecture = architecture;
    this.classes = architecture.classes;
    this.name = architecture.id;
  }
}

const modelStep: WizardStep<ImportDraft> = {
  id: 'model',
  title: 'Model',
  problem: (draft) => {
    if (draft.preview?.quantized) return 'a model of integers is shown, not imported';
    return draft.request ? null : 'choose a model';
  },
  summary: (draft) => draft.preview?.fileName ?? draft.architecture?.title ?? null,
};

const runStep: WizardStep<ImportDraft> = {
  id: 'run',
  title: 'Run',
  problem: () => null,
  summary: () => null,
};

const fileSteps: readonly WizardStep<ImportDraft>[] = [
  modelStep,
  {
    id: 'found',
    title: 'What we found',
    problem: () => null,
    summary: ({ preview }) =>
      preview &&
      `${plural(preview.layers.length, 'layer')}, ${compact(preview.cost.params)} params`,
  },
  {
    id: 'preprocessing',
    title: 'Preprocessing and labels',
    problem: (draft) => preprocessingProblem(draft) ?? labelsProblem(draft),
    summary: ({ preview, labels }) =>
      preview && (labels ? plural(labels.length, 'label') : 'no labels'),
  },
  {
    id: 'evaluate',
    title: 'Evaluation',
    problem: ({ data, preview }) => {
      const dataset = project.dataset(data);
      if (!dataset || !preview) return null;
      return datasetMisfit(dataset, preview) === null ? null : 'the data set does not fit';
    },
    summary: ({ data, preview }) =>
      preview && (project.dataset(data)?.name ?? 'without a data set'),
  },
  runStep,
];

const architectureSteps: readonly WizardStep<ImportDraft>[] = [
  modelStep,
  {
    id: 'found',
    title: 'Shape',
    problem: () => null,
    summary: ({ architecture, classes }) =>
      architecture && `${shape(architecture.inputShape)}, ${plural(classes, 'class', 'classes')}`,
  },
  runStep,
];

/** A built-in architecture says itself what a file leaves open. */
export function importSteps(draft: ImportDraft): readonly WizardStep<ImportDraft>[] {
  return draft.architecture ? architectureSteps : fileSteps;
}

/** The engine checks this too; here it is said beside the fields. */
export function preprocessingProblem({ preprocessing, preview }: ImportDraft): string | null {
  if (!preprocessing || !preview) return null;
  const channels = preview.inputShape.at(-1) ?? 1;
  const fits = (values: readonly number[]): boolean =>
    values.length === 1 || values.length === channels;
  if (!fits(preprocessing.mean) || !fits(preprocessing.std)) {
    return `mean and deviation need 1 or ${channels} numbers`;
  }
  return preprocessing.std.some((value) => value === 0) ? 'the deviation must not be 0' : null;
}

export function labelsProblem({ labels, preview }: ImportDraft): string | null {
  if (!labels || !preview || labels.length === preview.classes) return null;
  return `${plural(labels.length, 'label')} for ${plural(preview.classes, 'output')}`;
}

/** What the job will do, in a sentence. */
export function importSentence(draft: ImportDraft): string {
  const { architecture, preview } = draft;
  if (architecture) {
    return (
      `Secateur will make a ${architecture.title} with ${plural(draft.classes, 'class', 'classes')} and new random ` +
      `weights from seed ${draft.seed}. Train it before you prune it.`
    );
  }
  if (!preview) return 'Choose a model first.';
  const dataset = project.dataset(draft.data);
  const after = [
    ...(draft.reinsertBatchNorms ? ['put batch norms back behind its convolutions'] : []),
    ...(dataset ? [`evaluate it on ${dataset.name}`] : []),
    ...(draft.measure ? ['measure its latency on LiteRT'] : []),
  ];
  const tail = after.length > 0 ? `, ${after.join(' and ')}` : '';
  return `Secateur will copy ${preview.fileName} into the project as a version of its own${tail}. The file stays untouched.`;
}
