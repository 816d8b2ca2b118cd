// What is entered in the Prune wizard, the request it makes, and the live preview of its cut.
import { asApiError, call, listen } from '../../api';
import type { ApiError } from '../../api';
import type { PageJobRequest, PrunePreview, TrainDefaults } from '../../../src-main/ipc/contract';
import type { Progress } from '../../../src-main/engine/context';
import type { GroupedMode } from '../../../src-main/engine/graph/ops/types';
import type { StoredPrecision } from '../../../src-main/engine/graph/cost';
import type { PruneSchedule } from '../../../src-main/engine/prune/schedule';
import type {
  Criterion,
  PruneOptions,
  PruneTarget,
  Scope,
  TrunkMode,
} from '../../../src-main/engine/prune/types';
import type { TrainOptions } from '../../../src-main/engine/train/types';
import type { VersionSummary } from '../../../src-main/project/types';
import { likelyDataset } from '../../state/fit';
import { Latest } from '../../state/latest';
import { project } from '../../state/project.svelte';
import { forTask } from '../../state/training';
import { ControlsDraft } from './controls.svelte';
import { isMeasured } from './criteria';
import { limitTargets } from './limits';
import type { LimitKind, Limits } from './limits';
import { SlimmingDraft } from './slimming.svelte';

export type TargetKind = 'macs' | 'params' | 'ratio' | 'bytes' | 'latency';

/** Everything that a preview depends on. */
interface PreviewQuestion {
  readonly options: PruneOptions;
  readonly steps: number;
  readonly schedule: PruneSchedule;
  /** Null where the criterion looks at no images. */
  readonly data: string | null;
}

const previewDelayMs = 60;

export class PruneDraft {
  readonly version: VersionSummary;

  criterion = $state<Criterion>('l1');
  targetKind = $state<TargetKind>('macs');
  /** Share of MACs, parameters, channels or bytes that stays, in per cent. */
  keepPercent = $state(50);
  /** Limits beside that of the slider. */
  limits = $state.raw<Limits>({});
  /** Of the export whose bytes are limited. */
  precision = $state<StoredPrecision>('fp32');
  scope = $state<Scope>('global');
  align = $state(1);
  minChannels = $state(1);
  maxCutPercent = $state(90);
  protect = $state.raw<readonly string[]>([]);
  trunk = $state<TrunkMode>('group');
  grouped = $state<GroupedMode>('slots');
  /** By layer, the largest share of its channels that may go, in per cent. */
  ceilings = $state.raw<Readonly<Record<string, number>>>({});
  steps = $state(1);
  schedule = $state<PruneSchedule>('linear');

  #data = $state<string | null>(null);
  recalibrate = $state(true);
  fineTune = $state(true);
  training = $state.raw<TrainOptions | null>(null);
  trainDefaults = $state.raw<TrainDefaults | null>(null);
  teacher = $state<string | null>(null);
  readonly slimming = new SlimmingDraft();
  readonly controls: ControlsDraft;
  measure = $state(true);
  name = $state('');

  defaults = $state.raw<PruneOptions | null>(null);
  preview = $state.raw<PrunePreview | null>(null);
  previewError = $state.raw<ApiError | null>(null);
  previewBusy = $state(false);
  /** How far the measuring of channels is that a preview waits for. */
  measuring = $state.raw<Progress | null>(null);

  /** What is being measured, or was last. */
  #measured: string | null = null;

  #latest = new Latest<PreviewQuestion, PrunePreview>({
    delayMs: previewDelayMs,
    run: (question) => call('prune.preview', { version: this.version.id, ...question }),
    onResult: (preview) => {
      this.preview = preview;
      this.previewError = null;
    },
    onError: (error) => (this.previewError = asApiError(error)),
    onBusy: (busy) => {
      this.previewBusy = busy;
      if (!busy) this.measuring = null;
    },
  });

  constructor(version: VersionSummary) {
    this.version = version;
    this.controls = new ControlsDraft(version.id);
    this.#data = likelyDataset(project.datasets, version)?.id ?? null;
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
      ...(Object.keys(this.ceilings).length === 0
        ? {}
        : {
            ceilings: Object.fromEntries(
              Object.entries(this.ceilings).map(([layer, percent]) => [layer, percent / 100]),
            ),
          }),
      protect: this.protect,
      ...(this.trunk === 'group' ? {} : { trunk: this.trunk }),
      ...(this.grouped === 'slots' ? {} : { grouped: this.grouped }),
    };
  });

  /** Bytes of the weights that a target in bytes asks for. */
  readonly targetBytes: number = $derived.by(() => {
    const now = this.preview?.weightBytes[this.precision] ?? this.version.bytes;
    return Math.max(1, Math.round((now * this.keepPercent) / 100));
  });

  readonly request: PageJobRequest | null = $derived.by(() => {
    if (!this.options) return null;
    const withData = this.data !== null;
    const { training } = this;
    const sparsify = this.slims && training ? this.slimming.options(training) : null;
    const controls = this.controls.request;
    return {
      kind: 'prune',
      version: this.version.id,
      options: this.options,
      steps: this.steps,
      ...(this.steps > 1 ? { schedule: this.schedule } : {}),
      ...(withData && sparsify ? { sparsify } : {}),
      data: this.data,
      recalibrate: withData && this.recalibrate,
      fineTune: withData && this.fineTune ? this.training : null,
      ...(withData && this.fineTune && this.teacher !== null ? { teacher: this.teacher } : {}),
      ...(withData && controls ? { controls } : {}),
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
    const { training, trainDefaults } = this;
    if (!training || !trainDefaults) return;
    this.training = forTask(training, trainDefaults, from, project.task(data));
  }

  /** Whether gammas are trained to be cut: with the criterion that ranks by them. */
  get slims(): boolean {
    return this.slimming.wanted && this.criterion === 'bn';
  }

  get target(): PruneTarget {
    const others = limitTargets(this.targetKind, this.limits, this.precision);
    return { ...this.sliderTarget, ...others };
  }

  private get sliderTarget(): PruneTarget {
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
      case 'latency':
        return { latency: keep };
    }
  }

  /** Network Slimming ranks all gammas in one list and is told the share of channels that goes. */
  setSlimming(wanted: boolean): void {
    this.slimming.wanted = wanted;
    if (!wanted) return;
    this.criterion = 'bn';
    this.scope = 'global';
    this.targetKind = 'ratio';
  }

  setTeacher(teacher: string | null): void {
    this.teacher = teacher;
    if (!this.training || !this.trainDefaults) return;
    const distill = teacher === null ? null : (this.training.distill ?? this.trainDefaults.distill);
    this.training = { ...this.training, distill };
  }

  /** Takes the engine's defaults over, once. @throws ApiError */
  async load(): Promise<void> {
    if (this.defaults) return;
    const [defaults, training] = await Promise.all([
      call('prune.defaults'),
      call('train.defaults', { version: this.version.id, purpose: 'fine-tune' }),
      this.controls.load(),
    ]);
    this.scope = defaults.scope;
    this.align = defaults.align;
    this.minChannels = defaults.minChannels;
    this.maxCutPercent = Math.round(defaults.maxRatio * 100);
    this.trainDefaults = training;
    this.training = forTask(training.options, training, 'classes', project.task(this.data));
    this.defaults = defaults;
  }

  /** Asks for the preview of the options as they are now. */
  refresh(): void {
    const { options } = this;
    if (!options) return;
    const { steps, schedule } = this;
    const data = isMeasured(this.criterion) ? this.data : null;
    const measured = data === null ? null : `${this.criterion} ${data}`;
    // The answer to an older question would only keep the next one waiting.
    if (measured !== this.#measured) this.stopMeasuring();
    this.#measured = measured;
    this.#latest.ask({ options, steps, schedule, data });
  }

  /** Follows the measuring for previews until the returned function is called, which gives it up. */
  watchMeasuring(): () => void {
    const stop = listen('measuring', (progress) => (this.measuring = progress));
    return () => {
      stop();
      this.stopMeasuring();
    };
  }

  stopMeasuring(): void {
    if (this.measuring === null) return;
    this.measuring = null;
    void call('prune.stopMeasuring').catch(() => undefined);
  }

  /** @param value null takes the limit away */
  setLimit(kind: LimitKind, value: number | null): void {
    const others = Object.entries(this.limits).filter(([other]) => other !== kind);
    this.limits = Object.fromEntries(value === null ? others : [...others, [kind, value]]);
  }

  /** @param percent null takes the ceiling away */
  setCeiling(layer: string, percent: number | null): void {
    const others = Object.entries(this.ceilings).filter(([name]) => name !== layer);
    this.ceilings = Object.fromEntries(percent === null ? others : [...others, [layer, percent]]);
  }

  toggleProtected(layer: string): void {
    this.protect = this.protect.includes(layer)
      ? this.protect.filter((name) => name !== layer)
      : [...this.protect, layer];
  }
}
