// The way of a network through its cuts: how accuracy fell with each, and how much of it came back.
import { scoreOf } from '../state/score';
import type { Recovery, StageName, VersionId, VersionSummary } from '../../src-main/project/types';
import type { ChartTable } from './table';

export interface TrajectoryPoint {
  readonly version: VersionId;
  readonly name: string;
  readonly stage: StageName | 'original';
  readonly macs: number;
  /** Of several labels an image the macro-F1. */
  readonly top1: number;
}

/** One cut: from where it was made, down to the raw cut, and up again stage by stage. */
export interface TrajectoryStep {
  readonly cut: VersionId;
  /** Where the cut was made; null where that has no accuracy on the same images. */
  readonly from: TrajectoryPoint | null;
  /** Raw, recalibrated, fine-tuned, as far as they were made and evaluated. */
  readonly stages: readonly TrajectoryPoint[];
  /** The controls beside them. */
  readonly controls: readonly TrajectoryPoint[];
}

const isControl = (stage: StageName): boolean => stage === 'scratch-e' || stage === 'scratch-b';

/** Steps of all cuts that were evaluated, oldest first. */
export function trajectorySteps(
  versions: readonly VersionSummary[],
  recoveries: readonly Recovery[],
): readonly TrajectoryStep[] {
  const byId = new Map(versions.map((version) => [version.id, version]));
  return recoveries.flatMap((recovery) => {
    const cut = byId.get(recovery.cut);
    // Errors of values are no accuracy.
    if (!cut || !recovery.measuredOn || recovery.measuredOn.task === 'values') return [];
    const points = recovery.stages.flatMap(({ stage, versions: members, score }) => {
      const version = byId.get(members.at(-1) ?? '');
      if (!version || score === null) return [];
      return [{ version: version.id, name: version.name, stage, macs: version.macs, top1: score }];
    });
    if (points.length === 0) return [];
    return [
      {
        cut: cut.id,
        from: originOf(cut, recovery, byId, recoveries),
        stages: points.filter(({ stage }) => !isControl(stage)),
        controls: points.filter(({ stage }) => isControl(stage)),
      },
    ];
  });
}

/** The parent of a cut as the point that it is drawn as. */
function originOf(
  cut: VersionSummary,
  { measuredOn }: Recovery,
  byId: ReadonlyMap<VersionId, VersionSummary>,
  recoveries: readonly Recovery[],
): TrajectoryPoint | null {
  const parent = byId.get(cut.parent ?? '');
  const accuracy = parent?.accuracy;
  if (!parent || !accuracy) return null;
  if (accuracy.data !== measuredOn?.data || accuracy.split !== measuredOn.split) return null;
  const stage = recoveries
    .flatMap(({ stages }) => stages)
    .find(({ versions }) => versions.includes(parent.id))?.stage;
  const { id, name, macs } = parent;
  return { version: id, name, macs, top1: scoreOf(accuracy), stage: stage ?? 'original' };
}

/** Every point once, by its step. */
export function trajectoryTable(steps: readonly TrajectoryStep[]): ChartTable {
  const rows = steps.flatMap(({ from, stages, controls }) => [
    ...(from ? [from] : []),
    ...stages,
    ...controls,
  ]);
  const once = rows.filter(
    (row, index) => rows.findIndex(({ version }) => version === row.version) === index,
  );
  return {
    columns: ['version', 'stage', 'MACs', 'top-1'],
    rows: once.map(({ name, stage, macs, top1 }) => [name, stage, macs, top1]),
  };
}
