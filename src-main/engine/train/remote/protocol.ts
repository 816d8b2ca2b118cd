// What is said between a trainer and a process that computes its steps for it. Everything is plain data that
// structured clone copies: Electron's ports between processes do not hand memory over.

import type { Batch } from '../../data/loader';
import type { ErrorInfo } from '../../errors';
import type { Graph, WeightId } from '../../graph/types';
import type { BatchScores } from '../../measure/scorer';
import type { StepRequest, StepResult, StepState } from '../compute';

/** Calls on the training that `begin` opened; there is one at a time. */
export interface StepCalls {
  begin: { args: StepRequest; reply: { readonly classes: number } };
  take: { args: { readonly batch: Batch; readonly rate: number }; reply: StepResult };
  score: { args: { readonly batch: Batch }; reply: BatchScores };
  read: { args: { readonly ids: readonly WeightId[] }; reply: readonly Float32Array[] };
  result: { args: null; reply: Graph };
  weights: { args: null; reply: Graph };
  state: { args: null; reply: StepState };
  dispose: { args: null; reply: null };
}

export type StepCallName = keyof StepCalls;

export type ToComputer = {
  [C in StepCallName]: {
    readonly ref: number;
    readonly name: C;
    readonly args: StepCalls[C]['args'];
  };
}[StepCallName];

/** What a process computes with. */
export interface ComputerInfo {
  readonly detail: string;
  /** A program that stands in for a GPU: it computes, slowly. */
  readonly isSoftware: boolean;
}

/** First `ready` or `unavailable`; then an answer to each call. After `unavailable` or `lost` nothing follows. */
export type FromComputer =
  | ({ readonly type: 'ready' } & ComputerInfo)
  | { readonly type: 'unavailable'; readonly reason: string }
  | { readonly type: 'answer'; readonly ref: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly ref: number; readonly error: ErrorInfo }
  | { readonly type: 'lost'; readonly reason: string };

/** An end of a channel, whatever kind of port it is. */
export interface Pipe<In, Out> {
  send(message: Out): void;
  onMessage(listener: (message: In) => void): void;
  /** Called when the other end is gone. */
  onClosed(listener: () => void): void;
  close(): void;
}
