// What is entered in the Prune wizard, the request it makes, and the live preview of its cut.
import { asApiError, call } from '../../api';
import type { ApiError } from '../../api';
import type { PageJobRequest, PrunePreview } from '../../../src-main/ipc/contract';
import type { PruneOptions, PruneTarget, Scope } from '../../../src-main/engine/prune/types';
import type { TrainOptions } from '../../../src-main/engine/train/types';
import type { VersionSummary } from '../../../src-main/project/types';
import { bytes as bytesText, percent, plural } from '../../format';
import { datasetMisfit, firstFitting } from '../../state/fit';
import { Latest } from '../../state/latest';
import { project } from '../../state/project.svelte';
import type { WizardStep } from '../../state/wizard';
import { criteria } from './criteria';
import type { OfferedCriterion } from './criteria';

export type TargetKind = 'macs' | 'params' | 'ratio' | 'bytes';

const previewDelayMs = 60;

export class PruneDraft {
  readonly version: VersionSummary;

  criterion = $state<OfferedCriterion>('l1');
  targetKind = $state<TargetKind>('macs');
  /** Share of MACs, parameters, channels or bytes that stays, in per cent. */
  keepPercent = $state(50);
  scope = $state<Scope>('global');
  align = $state(1);
  minChannels = $state(1);
  maxCutPercent = $state(90);
  protect = $state.raw<readonly string[]>([]);
  steps = $state(1);

  data = $state<string | null>(null);
  recalibrate = $state(true);
  fineTune = $state(true);
  training = $state.raw<TrainOptions | null>(null);
  measure = $state(true);
  name = $state('');

  defaults = $state.raw<PruneOptions | null>(null);
  preview = $state.raw<PrunePreview | null>(null);
  previewError = $state.raw<ApiError | null>(null);
  previewBusy = $state(false);

  #latest = new Latest<PruneOptions, PrunePreview>({
    delayMs: previewDelayMs,
    run: (options) =>
      call('prune.preview', { version: this.version.id, options, steps: this.steps }),
    onResult: (preview) => {
      this.preview = preview;
      this.previewError = null;
    },
    onError: (error) => (this.previewError = asApiError(error)),
    onBusy: (busy) => (this.previewBusy = busy),
  });

  constructor(version: VersionSummary) {
    this.version = version;
    this.data = firstFitting(project.datasets, version)?.id ?? null;
  }

  readonly options: PruneOptions | null = $derived.by(() => {
    if (!this.defaults) return null;
    return {
      ...this.defaults,
      criterion: this.criterion,
      scope: this.scope,
      target: this.target,
      align: this.align,
      minChannels: this.minChannels,
      maxRatio: this.maxCutPercent / 100,
      protect: this.protect,
    };
  });

  /** Bytes of the weights that a target in bytes asks for. */
  readonly targetBytes: number = $derived.by(() => {
    const now = this.preview?.before.weightBytes ?? this.version.bytes;
    return Math.max(1, Math.round((now * this.keepPercent) / 100));
  });

  readonly request: PageJobRequest | null = $derived.by(() => {
    if (!this.options) return null;
    const withData = this.data !== null;
    return {
      kind: 'prune',
      version: this.version.id,
      options: this.options,
      steps: this.steps,
      data: this.data,
      recalibrate: withData && this.recalibrate,
      fineTune: withData && this.fineTune ? this.training : null,
      measure: this.measure,
      name: this.name.trim() === '' ? null : this.name.trim(),
    };
  });

  get target(): PruneTarget {
    const keep = this.keepPercent / 100;
    switch (this.targetKind) {
      case 'macs':
        return { macs: keep };
      case 'params':
        return { params: keep };
      case 'ratio':
        return { ratio: 1 - keep };
      case 'bytes':
        return { bytes: this.targetBytes };
    }
  }

  /** Takes the engine's defaults over, once. @throws ApiError */
  async load(): Promise<void> {
    if (this.defaults) return;
    const [defaults, training] = await Promise.all([
      call('prune.defaults'),
      call('train.defaults', { version: this.version.id, purpose: 'fine-tune' }),
    ]);
    this.scope = defaults.scope;
    this.align = defaults.align;
    this.minChannels = defaults.minChannels;
    this.maxCutPercent = Math.round(defaults.maxRatio * 100);
    this.training = training;
    this.defaults = defaults;
  }

  /** Asks for the preview of the options as they are now. */
  refresh(): void {
    if (this.options) this.#latest.ask(this.options);
  }

  toggleProtected(layer: string): void {
    this.protect = this.protect.includes(layer)
      ? this.protect.filter((name) => name !== layer)
      : [...this.protect, layer];
  }
}

/** "half the MACs" for the sentence and the step list. */
export function targetWords(draft: PruneDraft): string {
  if (draft.targetKind === 'bytes') return `${bytesText(draft.targetBytes)} of weights`;
  const what = { macs: 'of MACs', params: 'of parameters', ratio: 'of channels' };
  return `${percent(draft.keepPercent / 100, 0)} ${what[draft.targetKind]}`;
}

export const pruneSteps: readonly WizardStep<PruneDraft>[] = [
  {
    id: 'method',
    title: 'Method',
    problem: () => null,
    summary: (draft) => criteria[draft.criterion].title,
  },
  {
    id: 'target',
    title: 'Target',
    problem: (draft) => (draft.previewError ? 'cannot be reached' : null),
    summary: (draft) => `at most ${targetWords(draft)}`,
  },
  {
    id: 'recovery',
    title: 'Recovery',
    problem: dataProblem,
    summary: recoverySummary,
  },
  {
    id: 'run',
    title: 'Run',
    problem: (draft) => (draft.options ? null : 'reading the defaults'),
    summary: () => null,
  },
];

function recoverySummary(draft: PruneDraft): string {
  if (draft.data === null) return 'none, cut only';
  const parts = [
    ...(draft.recalibrate ? ['recalibrate'] : []),
    ...(draft.fineTune && draft.training ? [plural(draft.training.epochs, 'epoch')] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : 'evaluate only';
}

/** What the job will do, in a sentence. */
export function pruneSentence(draft: PruneDraft): string {
  const { preview } = draft;
  const cut = preview ? `${preview.layersCut} of ${preview.layersPrunable} layers` : 'its layers';
  const dataset = project.dataset(draft.data);
  const after = [
    ...(dataset && draft.recalibrate ? ['recalibrate batch norm'] : []),
    ...(dataset && draft.fineTune && draft.training
      ? [`fine-tune for ${plural(draft.training.epochs, 'epoch')}`]
      : []),
    ...(dataset ? [`evaluate on ${dataset.name}`] : []),
    ...(draft.measure ? ['measure latency on LiteRT'] : []),
  ];
  const steps = draft.steps === 1 ? '' : ` in ${draft.steps} steps`;
  const tail = after.length > 0 ? `, then ${inWords(after)}` : '';
  return (
    `Secateur will cut ${cut} of ${draft.version.name} by ${criteria[draft.criterion].title}${steps} ` +
    `to at most ${targetWords(draft)}, check the cut against the masked original${tail}. ` +
    `${draft.version.name} stays as it is.`
  );
}

function inWords(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join('');
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function dataProblem(draft: PruneDraft): string | null {
  const dataset = project.dataset(draft.data);
  if (!dataset) return null;
  return datasetMisfit(dataset, draft.version) === null ? null : 'the data set does not fit';
}
