// The controls beside a pruning: the same slim network trained from scratch.
import { call } from '../../api';
import type { ScratchBudget } from '../../../src-main/engine/train/scratch';
import type { ScratchPlan } from '../../../src-main/ipc/contract';
import type { ControlsRequest } from '../../../src-main/jobs/types';
import type { VersionId } from '../../../src-main/project/types';
import { Latest } from '../../state/latest';

export type BudgetChoice = ScratchBudget | 'both';

export class ControlsDraft {
  wanted = $state(false);
  choice = $state<BudgetChoice>('b');
  /** Null until it is known or given. */
  originalEpochs = $state<number | null>(null);
  seeds = $state(1);
  /** What the original is, and what its epochs come to; null until the main process has said it. */
  plan = $state.raw<ScratchPlan | null>(null);
  readonly #version: VersionId;

  #plans = new Latest<{ macs: number | null; originalEpochs: number | null }, ScratchPlan>({
    delayMs: 60,
    run: (question) => call('train.scratchPlan', { version: this.#version, ...question }),
    onResult: (plan) => (this.plan = plan),
    onError: () => (this.plan = null),
    onBusy: () => undefined,
  });

  constructor(version: VersionId) {
    this.#version = version;
  }

  readonly budgets: readonly ScratchBudget[] = $derived(
    this.choice === 'both' ? ['e', 'b'] : [this.choice],
  );

  readonly request: ControlsRequest | null = $derived.by(() => {
    const { wanted, originalEpochs, budgets, seeds } = this;
    return wanted && originalEpochs !== null ? { budgets, originalEpochs, seeds } : null;
  });

  /** Whether the epochs of the original are still to be given. */
  get isOpen(): boolean {
    return this.wanted && this.originalEpochs === null;
  }

  /** Takes over what is known of the original. @throws ApiError */
  async load(): Promise<void> {
    const version = this.#version;
    this.plan = await call('train.scratchPlan', { version, macs: null, originalEpochs: null });
    this.originalEpochs ??= this.plan.original.epochs;
  }

  /** Asks what the controls come to. @param macs of the slim network */
  refresh(macs: number | null): void {
    const { wanted, originalEpochs } = this;
    if (wanted) this.#plans.ask({ macs, originalEpochs });
  }
}
