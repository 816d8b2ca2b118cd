// Requests that an older Secateur stored, with the options that it did not know: switched off, as they were then.

import { fineTuneDefaults } from '../engine/train/defaults';
import type { TrainOptions } from '../engine/train/types';
import type { JobRequest } from './types';

/** The same request as it would be made today. */
export function asToday(request: JobRequest): JobRequest {
  switch (request.kind) {
    case 'train':
      return { ...request, options: complete(request.options) };
    case 'prune':
      return { ...request, fineTune: request.fineTune && complete(request.fineTune) };
    default:
      return request;
  }
}

function complete(options: TrainOptions): TrainOptions {
  const schedule = { ...{ warmupEpochs: 0 }, ...options.schedule };
  return { ...fineTuneDefaults(options.epochs), ...options, schedule };
}
