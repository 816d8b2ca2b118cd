// Jobs that another one asks for: the controls of a pruning, which wait until the slim network is there.

import { controlTraining, scratchEpochs } from '../engine/train/scratch';
import { originalOf } from '../project/lineage';
import type { JobRecord, VersionSummary } from '../project/types';
import type { JobRequest, TrainRequest } from './types';

/** What is to be started once a job has ended well. @param versions of the project, with those that the job made */
export function followUpsOf(
  { request, versions: made }: Pick<JobRecord, 'request' | 'versions'>,
  versions: readonly VersionSummary[],
): readonly JobRequest[] {
  if (request.kind !== 'prune' || !request.controls || request.data === null) return [];
  const { data, fineTune } = request;
  const slim = versions.filter((version) => made.includes(version.id) && isCut(version)).at(-1);
  const original = slim && originalOf(versions, slim.id);
  // Either may be in the trash by now.
  if (slim === undefined || original === undefined) return [];
  const { budgets, originalEpochs, seeds } = request.controls;
  const firstSeed = fineTune?.seed ?? 1;
  return budgets.flatMap((budget) => {
    const epochs = scratchEpochs(budget, originalEpochs, {
      original: original.macs,
      slim: slim.macs,
    });
    return Array.from({ length: seeds }, (_, run): TrainRequest => {
      const seed = firstSeed + run;
      const name = `${slim.name}-scratch-${budget}`;
      return {
        kind: 'train',
        version: slim.id,
        data,
        options: controlTraining(epochs, seed, fineTune),
        init: { budget, originalEpochs, gamma: 1 },
        measure: false,
        name: seeds === 1 ? name : `${name}-seed${seed}`,
      };
    });
  });
}

const isCut = ({ operation }: VersionSummary): boolean => operation === 'prune';
