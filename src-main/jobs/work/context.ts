// What job functions do with their context: naming what begins, stopping where it was cancelled.

import { setImmediate } from 'node:timers/promises';

import type { Progress } from '../../engine/context';
import type { JobContext } from '../types';

/**
 * Tells what begins, and lets messages through before it blocks.
 * @throws the reason of the signal (AppError CANCELLED) when the job was cancelled meanwhile
 */
export async function begin(
  context: JobContext,
  phase: Progress['phase'],
  label: string,
): Promise<void> {
  context.progress({ phase, label, done: 0, total: 0 });
  await setImmediate();
  context.signal.throwIfAborted();
}

/** The context with a label of its own for all progress: the engine does not know how things are called. */
export function labelled(context: JobContext, label: string): JobContext {
  return { ...context, progress: (progress) => context.progress({ ...progress, label }) };
}
