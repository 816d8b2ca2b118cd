// The way of a network through its cuts: what each cost in accuracy or error, and how much of it came back.
import type { Task } from '../../src-main/engine/data/types';
import { scoreNames, scoreOf } from '../state/score';
import type { Recovery, StageName, VersionId, VersionSummary } from '../../src-main/project/types';
import type { ChartTable } from './table';

export interface TrajectoryPoint {
  readonly version: VersionId;
  readonly name: string;
  readonly stage: StageName | 'original';
  readonly macs: number;
  /** Top-1, macro-F1, or a mean absolute error. */
  readonly score: number;
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

/** What cuts were evaluated by, the newest cut first: shares and errors need a chart each. */
export function trajectoryTasks(recoveries: readonly Recovery[]): readonly Task[] {
  const measured = recoveries.filter(({ stages }) => stages.some(({ score }) => score !== null));
  return [...new Set(measured.toReversed().flatMap(({ measuredOn }) => measuredOn?.task ?? []))];
}

/** Steps of all cuts that were evaluated by this task, oldest first. */
export function trajectorySteps(
  versions: readonly VersionSummary[],
  recoveries: readonly Recovery[],
  task: Task,
): readonly TrajectoryStep[] {
  const byId = new Map(versions.map((version) => [version.id, version]));
  return recoveries.flatMap((recovery) => {
    const cut = byId.get(recovery.cut);
    if (!cut || recovery.measuredOn?.task !== task) return [];
    const points = recovery.stages.flatMap(({ stage, versions: members, score }) => {
      const version = byId.get(members.at(-1) ?? '');
      if (!version || score === null) return [];
      return [{ version: version.id, name: version.name, stage, macs: version.macs, score }];
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
  return { version: id, name, macs, score: scoreOf(accuracy), stage: stage ?? 'original' };
}

/** Every point once, by its step. */
export function trajectoryTable(steps: readonly TrajectoryStep[], task: Task): ChartTable {
  const rows = steps.flatMap(({ from, stages, controls }) => [
    ...(from ? [from] : []),
    ...stages,
    ...controls,
  ]);
  const once = rows.filter(
    (row, index) => rows.findIndex(({ version }) => version === row.version) === index,
  );
  return {
    columns: ['version', 'stage', 'MACs', scoreNames[task].toLowerCase()],
    rows: once.map(({ name, stage, macs, score }) => [name, stage, macs, score]),
  };
}
