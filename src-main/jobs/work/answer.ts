// Answers to the analyst's questions: a table of plain functions.

import { silentContext, type Progress } from '../../engine/context';
import type { Questions, QuestionName } from '../analyst-protocol';
import { foreseenCompute } from './compute';
import { describeLayers, diffVersions, inspectFile } from './describe';
import { findFlipped, stopComparing } from './flips';
import { previewPrune, stopMeasuring } from './preview';
import { findRate, measureSpeed, stopFinding } from './rate';
import { sampleImages } from './samples';
import { versionGammas } from './version-gammas';

type Answers = {
  readonly [Q in QuestionName]: (
    args: Questions[Q]['args'],
    onProgress?: (progress: Progress) => void,
  ) => Promise<Questions[Q]['reply']>;
};

export const answers: Answers = {
  inspect: ({ path }) => inspectFile(path, silentContext),
  describe: ({ file, parent, original, reports }) =>
    describeLayers(file, { parent, original }, reports),
  diff: ({ a, b }) => diffVersions(a, b),
  preview: previewPrune,
  stopMeasuring: async () => stopMeasuring(),
  flips: findFlipped,
  stopComparing: async () => stopComparing(),
  gammas: versionGammas,
  findRate,
  stopFinding: async () => stopFinding(),
  speed: measureSpeed,
  samples: ({ data, split, count, versionFile }) => sampleImages(data, split, count, versionFile),
  backend: foreseenCompute,
};
