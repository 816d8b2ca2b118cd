// Calls about models and images: looking at files, version details, previews, the zoo.

import { stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { dialog } from 'electron';

import { AppError } from '../../engine/errors';
import { defaultDecodeOptions } from '../../engine/data/defaults';
import { catalogue, formats } from '../../engine/formats/catalogue';
import { defaultPruneOptions, isMeasured } from '../../engine/prune/options';
import { defaultSensitivityOptions } from '../../engine/prune/sensitivity';
import {
  defaultClip,
  distillDefaults,
  fineTuneDefaults,
  fullTrainingDefaults,
  optimizerDefaults,
  recalibrateDefaults,
  scheduleDefaults,
} from '../../engine/train/defaults';
import { scratchEpochs, type ScratchBudget } from '../../engine/train/scratch';
import { gammaTravel } from '../../engine/train/sparsity';
import { zooArchitectures } from '../../engine/zoo';
import { commandFor } from '../../jobs/command-line';
import type { DataPreview, DropCalls, ImportPreview } from '../contract';
import type { DropHandlers, Handlers } from '../router';
import { openProject } from './project';
import type { Services } from './services';

type ModelCalls =
  | 'import.choose'
  | 'data.choose'
  | 'data.samples'
  | 'data.decodeDefaults'
  | 'versions.detail'
  | 'versions.diff'
  | 'versions.rename'
  | 'prune.preview'
  | 'prune.stopMeasuring'
  | 'prune.defaults'
  | 'sensitivity.list'
  | 'sensitivity.defaults'
  | 'train.defaults'
  | 'train.findRate'
  | 'train.stopFinding'
  | 'train.scratchPlan'
  | 'train.speed'
  | 'train.gammaTravel'
  | 'recalibrate.defaults'
  | 'zoo.list';

/** Epochs offered first in the wizards. */
const defaultEpochs = { 'fine-tune': 3, full: 40 } as const;

/** Looks at a model file in the analyst process and gives the page a token for it. */
export async function previewModel(services: Services, path: string): Promise<ImportPreview> {
  const found = await services.analyst.ask('inspect', { path });
  return { ...found, token: services.tokens.give(path) };
}

function previewData(services: Services, path: string): DataPreview {
  return { token: services.tokens.give(path), folder: path, suggestedName: basename(path) };
}

export function modelHandlers(services: Services): Pick<Handlers, ModelCalls> {
  const { analyst, workspace } = services;
  return {
    'import.choose': async () => {
      const { canceled, filePaths } = await dialog.showOpenDialog(services.window(), {
        title: 'Import a model',
        properties: ['openFile'],
        filters: [
          {
            name: 'Models',
            extensions: formats.flatMap((format) => [...catalogue[format].extensions]),
          },
          { name: 'All files', extensions: ['*'] },
        ],
      });
      const path = filePaths[0];
      return canceled || path === undefined ? null : previewModel(services, path);
    },

    'data.choose': async () => {
      const { canceled, filePaths } = await dialog.showOpenDialog(services.window(), {
        title: 'Folder of labelled images',
        properties: ['openDirectory'],
      });
      const path = filePaths[0];
      return canceled || path === undefined ? null : previewData(services, path);
    },

    'data.samples': async ({ data, split, count, version }) =>
      analyst.ask('samples', {
        data: await workspace.project.datasetSource(data),
        split,
        count,
        versionFile:
          version === null ? null : (await workspace.project.versionSource(version)).file,
      }),

    'data.decodeDefaults': async () => defaultDecodeOptions,

    'versions.detail': async ({ version }) => {
      const { project } = workspace;
      const row = await project.versionRow(version);
      const description = await analyst.ask('describe', {
        file: row.file,
        ...(await project.ancestorFiles(version)),
        reports: row.layerReports,
      });
      return {
        ...row.summary,
        cost: row.cost,
        source: row.source,
        options: row.options,
        engineVersion: row.engineVersion,
        seed: row.seed,
        history: row.history,
        evaluations: row.evaluations,
        measurements: row.measurements,
        exports: row.exports,
        ...description,
      };
    },

    'versions.diff': async ({ a, b }) => {
      const [left, right] = await Promise.all([
        workspace.project.versionRow(a),
        workspace.project.versionRow(b),
      ]);
      return analyst.ask('diff', { a: left.file, b: right.file });
    },

    'versions.rename': async ({ version, name }) => {
      await workspace.project.rename(version, name);
      await workspace.announce();
    },

    'prune.preview': async ({ version, options, steps, schedule, data }) => {
      const { project } = workspace;
      const { file, summary } = await project.versionRow(version);
      const sensitivity =
        options.scope === 'sensitivity'
          ? (await project.sensitivityMap(version, options)).map
          : null;
      const preview = await analyst.ask(
        'preview',
        {
          file,
          options,
          bytesBefore: summary.bytes,
          sensitivity,
          data: data === null ? null : await project.datasetSource(data),
          steps,
          schedule,
        },
        (progress) => services.send('measuring', progress),
      );
      const command = commandFor(
        {
          kind: 'prune',
          version,
          options,
          steps,
          schedule,
          data: isMeasured(options.criterion) ? data : null,
          recalibrate: false,
          fineTune: null,
          measure: false,
          name: null,
        },
        await project.state(),
      );
      return { ...preview, command };
    },

    'prune.stopMeasuring': () => analyst.ask('stopMeasuring', {}),

    'prune.defaults': async () => defaultPruneOptions,

    'sensitivity.list': ({ version }) => workspace.project.sensitivity(version),

    'sensitivity.defaults': async () => defaultSensitivityOptions,

    'train.defaults': async ({ purpose }) => ({
      options:
        purpose === 'full'
          ? fullTrainingDefaults(defaultEpochs.full)
          : fineTuneDefaults(defaultEpochs['fine-tune']),
      optimizers: optimizerDefaults[purpose],
      schedules: scheduleDefaults,
      distill: distillDefaults,
      clip: defaultClip,
    }),

    'train.findRate': async ({ version, data, options, init, teacher }) => {
      const { project } = workspace;
      return analyst.ask(
        'findRate',
        {
          file: (await project.versionSource(version)).file,
          teacherFile: teacher === undefined ? null : (await project.versionSource(teacher)).file,
          data: await project.datasetSource(data),
          options,
          init,
        },
        (progress) => services.send('finding', progress),
      );
    },

    'train.stopFinding': () => analyst.ask('stopFinding', {}),

    'train.scratchPlan': async ({ version, macs, originalEpochs }) => {
      const { project } = workspace;
      const { version: original, epochs: known } = await project.original(version);
      const slim = macs ?? (await project.findVersion(version)).macs;
      const epochs = originalEpochs ?? known;
      const budget = (kind: ScratchBudget, from: number): number =>
        scratchEpochs(kind, from, { original: original.macs, slim });
      return {
        original: { id: original.id, name: original.name, epochs: known },
        epochs: epochs === null ? null : { e: budget('e', epochs), b: budget('b', epochs) },
      };
    },

    'train.speed': async ({ version, data, options }) => {
      const { project } = workspace;
      return analyst.ask('speed', {
        file: (await project.versionSource(version)).file,
        data: await project.datasetSource(data),
        options,
      });
    },

    'recalibrate.defaults': async () => recalibrateDefaults,

    'train.gammaTravel': async ({ options, images }) => gammaTravel(options, images),

    'zoo.list': async () => zooArchitectures,
  };
}

/** What a dropped file or folder is: a project, images, or a model. */
export function dropHandlers(services: Services): DropHandlers {
  return {
    inspect: async ({ path }): Promise<DropCalls['drop.inspect']['reply']> => {
      const info = await stat(path);
      if (!info.isDirectory())
        return { kind: 'model', preview: await previewModel(services, path) };
      if (existsSync(join(path, 'project.db'))) {
        return { kind: 'project', state: await openProject(services, path) };
      }
      const model = join(path, 'model.json');
      if (existsSync(model)) return { kind: 'model', preview: await previewModel(services, model) };
      if (!services.workspace.isOpen) {
        throw new AppError(
          'PROJECT_NOT_FOUND',
          `${basename(path)} is not a project folder and no project is open.`,
          'Open or create a project first, then drop a folder of images.',
        );
      }
      return { kind: 'data', preview: previewData(services, path) };
    },
  };
}
