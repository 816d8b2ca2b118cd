// What became of a cut, as the command line tells it.

import type { ProjectState } from '../ipc/contract';
import type { Project } from '../project/project';
import type { Recovery, StageName, VersionId } from '../project/types';
import { formatError, formatScore } from '../engine/measure/score';

const stageTitles: Readonly<Record<StageName, string>> = {
  raw: 'raw',
  recalibrated: 'recalibrated',
  'fine-tuned': 'fine-tuned',
  'scratch-e': 'Scratch-E',
  'scratch-b': 'Scratch-B',
};

/** That of a cut; null for one that is gone. */
export async function recoveryOf(project: Project, cut: VersionId): Promise<Recovery | null> {
  const { recoveries } = await project.state();
  return recoveries.find((recovery) => recovery.cut === cut) ?? null;
}

/** As scripts see it, with names in the place of ids; these keys are part of the contract. */
export function recoveryJson(
  { cut, original, measuredOn, stages, verdict }: Recovery,
  { versions, datasets }: Pick<ProjectState, 'versions' | 'datasets'>,
): object {
  const nameOf = (id: VersionId): string => versions.find((one) => one.id === id)?.name ?? id;
  return {
    cut: nameOf(cut),
    original: nameOf(original),
    data: datasets.find(({ id }) => id === measuredOn?.data)?.name ?? null,
    split: measuredOn?.split ?? null,
    samples: measuredOn?.samples ?? null,
    task: measuredOn?.task ?? null,
    stages: stages.map(({ versions: members, score, ...stage }) => ({
      ...stage,
      [measuredOn === null || measuredOn.task === 'classes' ? 'top1' : 'score']: score,
      versions: members.map(nameOf),
    })),
    verdict,
  };
}

/** "slim: raw 19.80 %, fine-tuned 92.50 %, Scratch-B 91.20 %", and the verdict in words. */
export function recoveryLines(
  { cut, measuredOn, stages, verdict }: Recovery,
  { versions }: Pick<ProjectState, 'versions'>,
): readonly string[] {
  const name = versions.find(({ id }) => id === cut)?.name ?? cut;
  const task = measuredOn?.task ?? 'classes';
  const figures = stages.flatMap(({ stage, score, spread }) => {
    if (score === null) return [];
    const text = formatScore(task, score);
    if (spread === null) return [`${stageTitles[stage]} ${text}`];
    return task === 'values'
      ? [`${stageTitles[stage]} ${text} ± ${formatError(spread)}`]
      : [`${stageTitles[stage]} ${text.replace(' %', ` ± ${(spread * 100).toFixed(2)} %`)}`];
  });
  if (figures.length === 0) return [];
  return [`${name}: ${figures.join(', ')}`, ...(verdict ? [`  ${verdict.text}`] : [])];
}
