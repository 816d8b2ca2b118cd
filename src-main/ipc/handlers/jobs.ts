// Calls about jobs and exports.

import { dialog, shell } from 'electron';

import { commandFor } from '../../jobs/command-line';
import type { JobRequest } from '../../jobs/types';
import type { PathTokens } from '../../app/tokens';
import type { PageJobRequest } from '../contract';
import type { Handlers } from '../router';
import type { Services } from './services';

type JobCalls =
  | 'jobs.start'
  | 'jobs.cancel'
  | 'jobs.pause'
  | 'jobs.resume'
  | 'jobs.retry'
  | 'jobs.dismiss'
  | 'jobs.metrics'
  | 'jobs.command'
  | 'export.chooseFolder'
  | 'export.reveal';

/** A page's request with its tokens turned back into the paths that the user chose. */
export function resolveRequest(request: PageJobRequest, tokens: PathTokens): JobRequest {
  switch (request.kind) {
    case 'import':
    case 'add-data': {
      const { token, ...rest } = request;
      return { ...rest, path: tokens.path(token) } as JobRequest;
    }
    case 'export': {
      const { folderToken, ...rest } = request;
      return { ...rest, folder: folderToken === null ? null : tokens.path(folderToken) };
    }
    default:
      return request;
  }
}

export function jobHandlers(services: Services): Pick<Handlers, JobCalls> {
  const { tokens, workspace } = services;
  return {
    'jobs.start': ({ request }) => workspace.queue.start(resolveRequest(request, tokens)),
    'jobs.cancel': ({ job }) => workspace.queue.cancel(job),
    'jobs.pause': ({ job }) => workspace.queue.pause(job),
    'jobs.resume': ({ job }) => workspace.queue.resume(job),
    'jobs.retry': ({ job }) => workspace.queue.retry(job),
    'jobs.dismiss': async ({ job }) => {
      await workspace.queue.dismiss(job);
      await workspace.announce();
    },
    'jobs.metrics': ({ job }) => workspace.project.metrics(job),
    'jobs.command': async ({ request }) =>
      commandFor(resolveRequest(request, tokens), await workspace.project.state()),

    'export.chooseFolder': async () => {
      const { canceled, filePaths } = await dialog.showOpenDialog(services.window(), {
        title: 'Empty folder for the export',
        properties: ['openDirectory', 'createDirectory'],
      });
      const folder = filePaths[0];
      return canceled || folder === undefined ? null : { token: tokens.give(folder), folder };
    },
    'export.reveal': async ({ export: id }) => {
      shell.showItemInFolder((await workspace.project.exportRecord(id)).folder);
    },
  };
}
