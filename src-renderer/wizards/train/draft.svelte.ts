// What is entered in the Fine-tune wizard, and the request it makes.
import { call } from '../../api';
import type { PageJobRequest, ScratchPlan, TrainDefaults } from '../../../src-main/ipc/contract';
import type { Task } from '../../../src-main/engine/data/types';
import type { ScratchBudget } from '../../../src-main/engine/train/scratch';
import type { TrainOptions } from '../../../src-main/engine/train/types';
import type { TrainRequest } from '../../../src-main/jobs/types';
import type { VersionSummary } from '../../../src-main/project/types';
import { figure, plainNumber, plural } from '../../format';
import { triple } from '../../state/figures';
import { datasetMisfit, likelyDataset } from '../../state/fit';
import { Latest } from '../../state/latest';
import { project } from '../../state/project.svelte';
import { forTask } from '../../state/training';
import type { WizardStep } from '../../state/wizard';

export type Init = 'weights' | 'scratch';

export class TrainDraft {
  readonly version: VersionSummary;

  init = $state<Init>('weights');
  /** Of a training from scratch, whose options count the epochs of the original. */
  budget = $state<ScratchBudget>('b');
  gamma = $state(1);
  /** What the epochs of the original come to; null until the main process has said it. */
  plan = $state.raw<ScratchPlan | null>(null);
  measure = $state(true);
  name = $state('');
  /** Options of each way to start, so that changing one's mind loses nothing. */
  options = $state.raw<Readonly<Record<Init, TrainOptions>> | null>(null);
  #defaults = $state.raw<Readonly<Record<Init, TrainDefaults>> | null>(null);
  #data = $state<string | null>(null);
  teacher = $state<string | null>(null);

  #plans = new Latest<number, ScratchPlan>({
    delayMs: 60,
    run: (originalEpochs) =>
      call('train.scratchPlan', { version: this.version.id, macs: null, originalEpochs }),
    onResult: (plan) => (this.plan = plan),
    onError: () => (this.plan = null),
    onBusy: () => undefined,
  });

  constructor(version: VersionSummary) {
    this.version = version;
    this.#data = likelyDataset(project.datasets, version)?.id ?? null;
  }

  readonly training: TrainOptions | null = $derived(this.options?.[this.init] ?? null);
  readonly defaults: TrainDefaults | null = $derived(this.#defaults?.[this.init] ?? null);

  /** Epochs that will be trained; null while a budget waits for the plan. */
  readonly epochs: number | null = $derived(
    this.init === 'weights'
      ? (this.training?.epochs ?? null)
      : (this.plan?.epochs?.[this.budget] ?? null),
  );
  readonly start: TrainRequest['init'] = $derived(
    this.init === 'weights'
      ? 'weights'
      : {
          budget: this.budget,
          originalEpochs: this.training?.epochs ?? 1,
          gamma: this.gamma,
        },
  );

  readonly request: PageJobRequest | null = $derived.by(() => {
    if (this.training === null || this.data === null || this.epochs === null) return null;
    return {
      kind: 'train',
      version: this.version.id,
      data: this.data,
      options: { ...this.training, epochs: this.epochs },
      ...(this.teacher === null ? {} : { teacher: this.teacher }),
      init: this.start,
      measure: this.measure,
      name: this.name.trim() === '' ? null : this.name.trim(),
    };
  });

  get data(): string | null {
    return this.#data;
  }

  /** Other data may be of another task, whose defaults differ. */
  set data(data: string | null) {
    const from = project.task(this.#data);
    this.#data = data;
    this.#follow(from, project.task(data));
  }

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
    const { id } = this.version;
    const [weights, scratch, { original }] = await Promise.all([
      call('train.defaults', { version: id, purpose: 'fine-tune' }),
      call('train.defaults', { version: id, purpose: 'full' }),
      call('train.scratchPlan', { version: id, macs: null, originalEpochs: null }),
    ]);
    this.#defaults = { weights, scratch };
    const epochs = original.epochs ?? scratch.options.epochs;
    this.options = { weights: weights.options, scratch: { ...scratch.options, epochs } };
    this.#follow('classes', project.task(this.data));
  }

  #follow(from: Task, to: Task): void {
    if (!this.options || !this.#defaults) return;
    const [{ weights, scratch }, defaults] = [this.options, this.#defaults];
    this.options = {
      weights: forTask(weights, defaults.weights, from, to),
      scratch: forTask(scratch, defaults.scratch, from, to),
    };
  }

  /** Asks what the epochs of the original come to. */
  refreshPlan(): void {
    const originalEpochs = this.options?.scratch.epochs;
    if (originalEpochs !== undefined) this.#plans.ask(originalEpochs);
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
    problem: (draft) => (draft.epochs === null ? 'reading the defaults' : null),
    summary: (draft) =>
      draft.training &&
      `${plural(draft.epochs ?? 0, 'epoch')}, rate ${plainNumber(draft.training.optimizer.learningRate)}`,
  },
  { id: 'run', title: 'Run', problem: () => null, summary: () => null },
];

/** What the job will do, in a sentence. */
export function trainSentence(draft: TrainDraft): string {
  const dataset = project.dataset(draft.data)?.name ?? 'a data set';
  const epochs = plural(draft.epochs ?? 0, 'epoch');
  const what =
    draft.init === 'weights'
      ? `train ${draft.version.name} on for ${epochs} on ${dataset}`
      : `train the architecture of ${draft.version.name} from new random weights for ${epochs} on ${dataset}`;
  const { accuracy: score, scoreKind } = triple(draft.version);
  const accuracy = score === null ? '' : ` It starts from ${figure(scoreKind, score)}.`;
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
