// What is entered in the Fine-tune wizard, and the request it makes.
import { call } from '../../api';
import type { PageJobRequest, TrainDefaults } from '../../../src-main/ipc/contract';
import type { TrainOptions } from '../../../src-main/engine/train/types';
import type { VersionSummary } from '../../../src-main/project/types';
import { percent, plainNumber, plural } from '../../format';
import { datasetMisfit, firstFitting } from '../../state/fit';
import { project } from '../../state/project.svelte';
import type { WizardStep } from '../../state/wizard';

export type Init = 'weights' | 'scratch';

export class TrainDraft {
  readonly version: VersionSummary;

  init = $state<Init>('weights');
  data = $state<string | null>(null);
  measure = $state(true);
  name = $state('');
  /** Options of each way to start, so that changing one's mind loses nothing. */
  options = $state.raw<Readonly<Record<Init, TrainOptions>> | null>(null);
  #defaults = $state.raw<Readonly<Record<Init, TrainDefaults>> | null>(null);
  teacher = $state<string | null>(null);

  constructor(version: VersionSummary) {
    this.version = version;
    this.data = firstFitting(project.datasets, version)?.id ?? null;
  }

  readonly training: TrainOptions | null = $derived(this.options?.[this.init] ?? null);
  readonly defaults: TrainDefaults | null = $derived(this.#defaults?.[this.init] ?? null);

  readonly request: PageJobRequest | null = $derived.by(() => {
    if (this.training === null || this.data === null) return null;
    return {
      kind: 'train',
      version: this.version.id,
      data: this.data,
      options: this.training,
      ...(this.teacher === null ? {} : { teacher: this.teacher }),
      init: this.init,
      measure: this.measure,
      name: this.name.trim() === '' ? null : this.name.trim(),
    };
  });

  setTraining(training: TrainOptions): void {
    if (this.options) this.options = { ...this.options, [this.init]: training };
  }

  /** The teacher is the same for either way to start. */
  setTeacher(teacher: string | null): void {
    this.teacher = teacher;
    if (!this.options || !this.defaults) return;
    const { distill } = this.defaults;
    const taught = (options: TrainOptions): TrainOptions => ({
      ...options,
      distill: teacher === null ? null : (options.distill ?? distill),
    });
    this.options = { weights: taught(this.options.weights), scratch: taught(this.options.scratch) };
  }

  /** Takes the engine's defaults over, once. @throws ApiError */
  async load(): Promise<void> {
    if (this.options) return;
    const [weights, scratch] = await Promise.all([
      call('train.defaults', { version: this.version.id, purpose: 'fine-tune' }),
      call('train.defaults', { version: this.version.id, purpose: 'full' }),
    ]);
    this.#defaults = { weights, scratch };
    this.options = { weights: weights.options, scratch: scratch.options };
  }
}

export const trainSteps: readonly WizardStep<TrainDraft>[] = [
  {
    id: 'data',
    title: 'Data',
    problem: dataProblem,
    summary: (draft) => project.dataset(draft.data)?.name ?? null,
  },
  {
    id: 'options',
    title: 'Options',
    problem: (draft) => (draft.training ? null : 'reading the defaults'),
    summary: (draft) =>
      draft.training &&
      `${plural(draft.training.epochs, 'epoch')}, rate ${plainNumber(draft.training.optimizer.learningRate)}`,
  },
  { id: 'run', title: 'Run', problem: () => null, summary: () => null },
];

/** What the job will do, in a sentence. */
export function trainSentence(draft: TrainDraft): string {
  const dataset = project.dataset(draft.data)?.name ?? 'a data set';
  const epochs = plural(draft.training?.epochs ?? 0, 'epoch');
  const what =
    draft.init === 'weights'
      ? `train ${draft.version.name} on for ${epochs} on ${dataset}`
      : `train the architecture of ${draft.version.name} from new random weights for ${epochs} on ${dataset}`;
  const accuracy = draft.version.accuracy
    ? ` It starts from ${percent(draft.version.accuracy.top1)}.`
    : '';
  return (
    `Secateur will ${what}, evaluate the result${draft.measure ? ' and measure its latency' : ''}, and keep it as a ` +
    `new version. ${draft.version.name} stays as it is.${draft.init === 'weights' ? accuracy : ''}`
  );
}

function dataProblem(draft: TrainDraft): string | null {
  const dataset = project.dataset(draft.data);
  if (!dataset) return 'choose a data set';
  return datasetMisfit(dataset, draft.version) === null ? null : 'the data set does not fit';
}
