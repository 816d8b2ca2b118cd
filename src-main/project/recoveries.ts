// What became of each cut: its raw, recalibrated, fine-tuned and from-scratch accuracies side by side, and the
// verdict on them.

import { isDeepStrictEqual } from 'node:util';
import { judge, mean, spread, type ControlRuns, type Runs } from '../engine/measure/verdict';
import { scoreOf } from '../engine/measure/score';
import type { ScratchBudget, ScratchStart } from '../engine/train/scratch';
import type { TrainOptions } from '../engine/train/types';
import { lineOf, uncutPart } from './lineage';
import type { Recovery, RecoveryStage, StageName, VersionId, VersionSummary } from './types';

/** By version: the options that made it, of those that were trained. */
export type TrainedOptions = ReadonlyMap<VersionId, unknown>;

type Line = readonly VersionSummary[];
/** The images that all figures of a recovery are from. */
type Terms = VersionSummary['accuracy'];

/** What a training was, but for its seed. */
interface Recipe {
  /** With seed 0, whatever it was. */
  readonly options: TrainOptions;
  readonly teacher: VersionId | null;
  readonly start: ScratchStart | null;
  /** What it was trained from; of no account where it started anew. */
  readonly parent: VersionId | null;
}

interface Known {
  readonly options: TrainedOptions;
  /** Versions that were cut. */
  readonly cutFrom: ReadonlySet<VersionId | null>;
}

interface Trained {
  readonly version: VersionSummary;
  readonly recipe: Recipe;
}

/** One entry a cut that is not in the trash, oldest first. */
export function recoveriesOf(
  versions: readonly VersionSummary[],
  options: TrainedOptions,
): readonly Recovery[] {
  const lines = versions.map(({ id }) => lineOf(versions, id));
  const known: Known = {
    options,
    cutFrom: new Set(versions.filter(isCut).map(({ parent }) => parent)),
  };
  return lines.flatMap((line): Recovery[] => {
    const cut = line.at(-1);
    if (cut === undefined || !isCut(cut)) return [];
    const family = lines.filter((other) => nearestCut(other) === cut);
    return [recoveryOf(cut, uncutPart(line).at(-1) ?? cut, family, known)];
  });
}

/** @param family the lines of the versions whose nearest cut it is, oldest version first */
function recoveryOf(
  cut: VersionSummary,
  original: VersionSummary,
  family: readonly Line[],
  known: Known,
): Recovery {
  const members = family.flatMap((line) => line.slice(-1));
  const trained = family.flatMap((line) => trainedAtEnd(line, cut, known));
  const tuned = newestRecipe(trained.filter(({ recipe }) => recipe.start === null));
  const recalibrated = members.filter(({ operation }) => operation === 'recalibrate').slice(-1);
  const controlled = (budget: ScratchBudget): readonly Trained[] =>
    newestRecipe(trained.filter(({ recipe }) => recipe.start?.budget === budget));
  const terms = tuned[0]?.version.accuracy ?? cut.accuracy;
  const stages = [
    stageOf('raw', [cut], null, terms),
    stageOf('recalibrated', recalibrated, null, terms),
    trainedStage('fine-tuned', tuned, terms),
    trainedStage('scratch-e', controlled('e'), terms),
    trainedStage('scratch-b', controlled('b'), terms),
  ].filter(({ versions }) => versions.length > 0);
  return {
    cut: cut.id,
    original: original.id,
    measuredOn: terms && {
      data: terms.data,
      split: terms.split,
      samples: terms.samples,
      task: terms.task,
    },
    stages,
    // What chance explains is known of shares of right answers.
    verdict: terms?.task === 'classes' ? verdictOf(stages, terms.samples) : null,
  };
}

/**
 * The last version of a line if it was trained to recover the cut, or as a control. What the next pass was cut from
 * was trained to lose channels, and what was trained on from a control is neither.
 */
function trainedAtEnd(line: Line, cut: VersionSummary, { options, cutFrom }: Known): Trained[] {
  const version = line.at(-1);
  const recipe = version && recipeOf(version, options.get(version.id));
  if (!version || !recipe) return [];
  if (recipe.options.gammaSparsity > 0 && cutFrom.has(version.id)) return [];
  const before = line.slice(line.indexOf(cut), -1);
  const isAfterControl = before.some(({ operation }) => operation === 'scratch');
  return recipe.start === null && isAfterControl ? [] : [{ version, recipe }];
}

/** Those of the recipe that was used last. */
function newestRecipe(trained: readonly Trained[]): readonly Trained[] {
  const last = trained.at(-1);
  return trained.filter(({ recipe }) => isDeepStrictEqual(recipe, last?.recipe));
}

function trainedStage(stage: StageName, trained: readonly Trained[], terms: Terms): RecoveryStage {
  const versions = trained.map(({ version }) => version);
  return stageOf(stage, versions, trained[0]?.recipe.options.epochs ?? null, terms);
}

function stageOf(
  stage: StageName,
  members: readonly VersionSummary[],
  epochs: number | null,
  terms: Terms,
): RecoveryStage {
  const runs = members.flatMap(({ accuracy }) =>
    accuracy && accuracy.data === terms?.data && accuracy.split === terms.split
      ? [scoreOf(accuracy)]
      : [],
  );
  return {
    stage,
    versions: members.map(({ id }) => id),
    epochs,
    runs,
    score: runs.length === 0 ? null : mean(runs),
    spread: spread(runs),
  };
}

function verdictOf(stages: readonly RecoveryStage[], samples: number): Recovery['verdict'] {
  const runs = (name: StageName): Runs | null => {
    const found = stages.find(({ stage }) => stage === name);
    if (!found || found.runs.length === 0) return null;
    return { top1: found.runs, samples, epochs: found.epochs ?? 0 };
  };
  const control = (budget: ScratchBudget): ControlRuns[] => {
    const found = runs(`scratch-${budget}`);
    return found ? [{ ...found, budget }] : [];
  };
  const fineTuned = runs('fine-tuned');
  const controls = [...control('e'), ...control('b')];
  return fineTuned === null || controls.length === 0 ? null : judge(fineTuned, controls);
}

const isCut = ({ operation }: VersionSummary): boolean => operation === 'prune';

const nearestCut = (line: Line): VersionSummary | undefined => line.filter(isCut).at(-1);

/** Requests of jobs, and what fine-tuning inside of a pruning stored before it stored a request. */
interface StoredTraining {
  readonly options: TrainOptions;
  readonly teacher?: VersionId;
  readonly init?: 'weights' | ScratchStart;
}

function recipeOf({ parent, operation }: VersionSummary, stored: unknown): Recipe | null {
  if (operation !== 'train' && operation !== 'scratch') return null;
  if (typeof stored !== 'object' || stored === null || !('options' in stored)) return null;
  const { options, teacher, init } = stored as StoredTraining;
  const start = init === undefined || init === 'weights' ? null : init;
  return {
    options: { ...options, seed: 0 },
    teacher: teacher ?? null,
    start,
    parent: start === null ? parent : null,
  };
}
