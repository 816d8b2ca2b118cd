// Requests that an older Secateur stored, with the options that it did not know: switched off, as they were then.

import { fineTuneDefaults } from '../engine/train/defaults';
import type { TrainOptions } from '../engine/train/types';
import type { JobRequest, TrainRequest } from './types';

/** The same request as it would be made today. */
export function asToday(request: JobRequest): JobRequest {
  switch (request.kind) {
    case 'train':
      return { ...request, options: complete(request.options), init: startOf(request) };
    case 'prune':
      return {
        ...request,
        fineTune: request.fineTune && complete(request.fineTune),
        ...(request.sparsify && { sparsify: complete(request.sparsify) }),
      };
    default:
      return request;
  }
}

/** The same for what is stored with a version: a request, or options of another shape. */
export function optionsToday(options: unknown): unknown {
  const isRequest = typeof options === 'object' && options !== null && 'kind' in options;
  return isRequest ? asToday(options as JobRequest) : options;
}

function complete(options: TrainOptions): TrainOptions {
  const schedule = { ...{ warmupEpochs: 0 }, ...options.schedule };
  const whole = { ...fineTuneDefaults(options.epochs), ...options, schedule };
  return { ...whole, distill: whole.distill && { ...{ hints: 0 }, ...whole.distill } };
}

/** Before there were budgets, a training from scratch took the epochs that it was given. */
function startOf({ init, options }: TrainRequest): TrainRequest['init'] {
  const stored = init as TrainRequest['init'] | 'scratch';
  return stored === 'scratch' ? { budget: 'e', originalEpochs: options.epochs, gamma: 1 } : stored;
}
