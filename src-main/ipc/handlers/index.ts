// All handlers together; a call of the contract without one is a type error here.

import type { Handlers } from '../router';
import { appHandlers } from './app';
import { compareHandlers } from './compare';
import { jobHandlers } from './jobs';
import { modelHandlers } from './models';
import { projectHandlers } from './project';
import type { Services } from './services';

export function createHandlers(services: Services): Handlers {
  return {
    ...appHandlers(services),
    ...projectHandlers(services),
    ...modelHandlers(services),
    ...compareHandlers(services),
    ...jobHandlers(services),
  };
}
