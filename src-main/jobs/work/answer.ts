// Answers to the analyst's questions: a table of plain functions.

import { silentContext } from '../../engine/context';
import { loadBackend } from '../../engine/runtime/backend';
import type { Questions, QuestionName } from '../analyst-protocol';
import { describeLayers, inspectFile, previewPrune } from './describe';
import { sampleImages } from './samples';

type Answers = {
  readonly [Q in QuestionName]: (args: Questions[Q]['args']) => Promise<Questions[Q]['reply']>;
};

export const answers: Answers = {
  inspect: ({ path }) => inspectFile(path, silentContext),
  describe: ({ file, parent, original, reports }) =>
    describeLayers(file, { parent, original }, reports),
  preview: ({ file, options, bytesBefore, sensitivity }) =>
    previewPrune(file, options, bytesBefore, sensitivity),
  samples: ({ data, split, count, versionFile }) => sampleImages(data, split, count, versionFile),
  backend: async () => {
    const { name, detail } = await loadBackend();
    return { name, detail };
  },
};
