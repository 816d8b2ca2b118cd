// The trainer's side: steps that another process computes, as if they were computed here.

import type { Batch } from '../../data/loader';
import { AppError } from '../../errors';
import type { Graph, WeightId } from '../../graph/types';
import type { BatchScores } from '../../measure/scorer';
import type { Compute, StepRequest, StepResult, StepState, TrainingStep } from '../compute';
import type {
  ComputerInfo,
  FromComputer,
  Pipe,
  StepCallName,
  StepCalls,
  ToComputer,
} from './protocol';

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: AppError) => void;
}

/** Steps by WebGPU, at the other end of a pipe. */
export class RemoteCompute implements Compute {
  readonly name = 'webgpu';
  readonly detail: string;
  readonly isSoftware: boolean;
  readonly fallbackReason = null;

  constructor(
    private readonly line: Line,
    { detail, isSoftware }: ComputerInfo,
  ) {
    this.detail = detail;
    this.isSoftware = isSoftware;
  }

  async begin({ model, shape, task, options, teacher, state }: StepRequest): Promise<TrainingStep> {
    const { height, width, channels } = shape;
    const { classes } = await this.line.call('begin', {
      // What is given may be more than its type says, and all of it would be copied.
      ...{ model, task, options, teacher, shape: { height, width, channels } },
      state: state && {
        optimizer: state.optimizer,
        dropout: state.dropout,
        mixup: state.mixup,
        average: state.average,
      },
    });
    return new RemoteStep(this.line, classes, this.detail);
  }

  /** Lets the other process go. */
  close(): void {
    this.line.close();
  }
}

/**
 * Waits until the other end is ready.
 * @throws AppError RUNTIME_UNAVAILABLE when it has nothing to compute with or goes away
 */
export async function connectCompute(pipe: Pipe<FromComputer, ToComputer>): Promise<RemoteCompute> {
  const line = new Line(pipe);
  return new RemoteCompute(line, await line.ready);
}

class RemoteStep implements TrainingStep {
  constructor(
    private readonly line: Line,
    readonly classes: number,
    readonly detail: string,
  ) {}

  take(batch: Batch, rate: number): Promise<StepResult> {
    return this.line.call('take', { batch, rate });
  }

  score(batch: Batch): Promise<BatchScores> {
    return this.line.call('score', { batch });
  }

  read(ids: readonly WeightId[]): Promise<readonly Float32Array[]> {
    return this.line.call('read', { ids });
  }

  result(): Promise<Graph> {
    return this.line.call('result', null);
  }

  weights(): Promise<Graph> {
    return this.line.call('weights', null);
  }

  state(): Promise<StepState> {
    return this.line.call('state', null);
  }

  async dispose(): Promise<void> {
    // Where the other process is gone, so is what it held; the error that ended the training is the one to tell.
    await this.line.call('dispose', null).catch(() => undefined);
  }
}

/** Calls under way, each settled by its answer or by the end of the line. */
class Line {
  readonly ready: Promise<ComputerInfo>;
  private readonly pending = new Map<number, Pending>();
  private lastRef = 0;
  private broken: AppError | null = null;
  private becomeReady!: (info: ComputerInfo) => void;
  private stayUnready!: (error: AppError) => void;

  constructor(private readonly pipe: Pipe<FromComputer, ToComputer>) {
    this.ready = new Promise((resolve, reject) => {
      this.becomeReady = resolve;
      this.stayUnready = reject;
    });
    pipe.onMessage((message) => this.receive(message));
    pipe.onClosed(() => this.fail(gone('the hidden window that computes has closed')));
  }

  call<C extends StepCallName>(
    name: C,
    args: StepCalls[C]['args'],
  ): Promise<StepCalls[C]['reply']> {
    if (this.broken) return Promise.reject(this.broken);
    return new Promise<unknown>((resolve, reject) => {
      const ref = ++this.lastRef;
      this.pending.set(ref, { resolve, reject });
      this.pipe.send({ ref, name, args } as ToComputer);
    }) as Promise<StepCalls[C]['reply']>;
  }

  close(): void {
    this.pipe.close();
  }

  private receive(message: FromComputer): void {
    switch (message.type) {
      case 'ready':
        this.becomeReady(message);
        return;
      case 'unavailable':
        this.fail(unavailable(message.reason));
        return;
      case 'answer':
        this.settle(message.ref, ({ resolve }) => resolve(message.value));
        return;
      case 'refusal':
        this.settle(message.ref, ({ reject }) => reject(AppError.fromInfo(message.error)));
        return;
      case 'lost':
        this.fail(gone(message.reason));
    }
  }

  private settle(ref: number, how: (pending: Pending) => void): void {
    const pending = this.pending.get(ref);
    this.pending.delete(ref);
    if (pending) how(pending);
  }

  private fail(error: AppError): void {
    this.broken ??= error;
    this.stayUnready(error);
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}

function unavailable(reason: string): AppError {
  return new AppError(
    'RUNTIME_UNAVAILABLE',
    `WebGPU cannot be used here: ${reason}.`,
    'Train on the processor: set SECATEUR_GPU=off.',
  );
}

function gone(reason: string): AppError {
  return new AppError(
    'GPU_LOST',
    `The GPU stopped computing: ${reason}.`,
    'Resume the training from its last checkpoint, or set SECATEUR_GPU=off to train on the processor.',
  );
}
