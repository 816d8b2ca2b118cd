// Calls about projects: recents, create, open, sample, baseline, trash.

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { dialog, shell } from 'electron';

import { createSampleProject, sampleNames } from '../../jobs/sample';
import { sampleFolder } from '../../resources';
import type { ProjectState } from '../contract';
import type { Handlers } from '../router';
import type { Services } from './services';

type ProjectCalls =
  | 'recents.list'
  | 'recents.forget'
  | 'project.create'
  | 'project.open'
  | 'project.openRecent'
  | 'project.openSample'
  | 'project.current'
  | 'project.close'
  | 'project.setBaseline'
  | 'project.showFolder'
  | 'trash.put'
  | 'trash.restore';

/** Opens a folder, remembers it, and tells the window. */
export async function openProject(services: Services, folder: string): Promise<ProjectState> {
  return remember(services, await services.workspace.open(folder));
}

async function remember(services: Services, state: ProjectState): Promise<ProjectState> {
  await services.settings.addRecent(state.name, state.folder);
  await services.workspace.announce();
  return state;
}

export function projectHandlers(services: Services): Pick<Handlers, ProjectCalls> {
  const { settings, workspace } = services;
  return {
    'recents.list': async () => settings.recents,
    'recents.forget': ({ id }) => settings.forgetRecent(id),

    'project.create': async ({ name }) => {
      await mkdir(services.projectsFolder, { recursive: true });
      const { canceled, filePath } = await dialog.showSaveDialog(services.window(), {
        title: 'Folder of the new project',
        buttonLabel: 'Create',
        defaultPath: join(services.projectsFolder, name),
      });
      if (canceled || !filePath) return null;
      await mkdir(dirname(filePath), { recursive: true });
      return remember(services, await workspace.create(filePath, name));
    },

    'project.open': async () => {
      const { canceled, filePaths } = await dialog.showOpenDialog(services.window(), {
        title: 'Open a project folder',
        properties: ['openDirectory'],
        ...(existsSync(services.projectsFolder) ? { defaultPath: services.projectsFolder } : {}),
      });
      const folder = filePaths[0];
      return canceled || folder === undefined ? null : openProject(services, folder);
    },

    'project.openRecent': ({ id }) => openProject(services, settings.recentFolder(id)),

    'project.openSample': async () => {
      const folder = join(services.projectsFolder, sampleNames.project);
      if (existsSync(join(folder, 'project.db'))) return openProject(services, folder);
      await mkdir(services.projectsFolder, { recursive: true });
      const state = await workspace.create(folder, sampleNames.project);
      await remember(services, state);
      const { queue } = workspace;
      // Goes on in the job bar while the user looks round; its failures are the jobs' own.
      void createSampleProject(sampleFolder(), async (request) =>
        queue.finished(await queue.start(request)),
      ).catch(() => undefined);
      return state;
    },

    'project.current': () => workspace.state(),
    'project.close': async () => {
      await workspace.close();
      await workspace.announce();
    },
    'project.setBaseline': async ({ version }) => {
      await workspace.project.setBaseline(version);
      await workspace.announce();
    },
    'project.showFolder': async () => {
      await shell.openPath(workspace.project.folder);
    },
    'trash.put': async ({ kind, id }) => {
      await workspace.project.trash(kind, id);
      await workspace.announce();
    },
    'trash.restore': async ({ kind, id }) => {
      await workspace.project.restore(kind, id);
      await workspace.announce();
    },
  };
}

/** The name that a folder gives a project. */
export const projectNameOf = (folder: string): string => basename(folder);
