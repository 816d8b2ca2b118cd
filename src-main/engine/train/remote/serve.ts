// The computing side: does what a trainer asks for, one call after the other, on a backend of this process.

import { AppError, toAppError } from '../../errors';
import type { Backend } from '../../runtime/backend';
import type { TrainingStep } from '../compute';
import { TrainStep } from '../step';
import type {
  ComputerInfo,
  FromComputer,
  Pipe,
  StepCallName,
  StepCalls,
  ToComputer,
} from './protocol';

type Answers = {
  readonly [C in StepCallName]: (args: StepCalls[C]['args']) => Promise<StepCalls[C]['reply']>;
};

/** Answers calls until the other end is gone; then what they held is freed. */
export function serveSteps(
  pipe: Pipe<ToComputer, FromComputer>,
  backend: Backend,
  info: ComputerInfo,
): void {
  let current: TrainingStep | null = null;
  const training = (): TrainingStep => {
    if (current) return current;
    throw new AppError('INTERNAL', 'No training was begun.', 'Begin one before its steps.');
  };
  const dispose = async (): Promise<null> => {
    await current?.dispose();
    current = null;
    return null;
  };
  const answers: Answers = {
    begin: async (request) => {
      await dispose();
      current = new TrainStep(request, backend);
      return { classes: current.classes };
    },
    take: ({ batch, rate }) => training().take(batch, rate),
    score: ({ batch }) => training().score(batch),
    read: ({ ids }) => training().read(ids),
    result: () => training().result(),
    weights: () => training().weights(),
    state: () => training().state(),
    dispose,
  };
  const answer = async ({ ref, name, args }: ToComputer): Promise<void> => {
    try {
      const value = await (answers[name] as (args: unknown) => Promise<unknown>)(args);
      pipe.send({ type: 'answer', ref, value });
    } catch (error) {
      pipe.send({ type: 'refusal', ref, error: toAppError(error).toInfo() });
    }
  };
  let last: Promise<unknown> = Promise.resolve();
  pipe.onMessage((call) => {
    last = last.then(() => answer(call));
  });
  pipe.onClosed(() => {
    last = last.then(dispose);
  });
  pipe.send({ type: 'ready', ...info });
}
