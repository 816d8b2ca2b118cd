// Flags of a training from scratch: its budget, and the gammas that it starts with.

import type { Command } from 'commander';

import { AppError } from '../engine/errors';
import { scratchEpochs, type ScratchBudget, type ScratchStart } from '../engine/train/scratch';
import type { ControlsRequest } from '../jobs/types';
import type { Project } from '../project/project';
import type { VersionSummary } from '../project/types';
import { choice, list, number } from './options';

export interface ScratchFlags {
  readonly scratch?: ScratchBudget;
  readonly gamma?: number;
}

export const gammaFlag = [
  '--gamma <g>',
  'gamma of every batch norm at the start (1; 0.5 in Network Slimming)',
  number('--gamma', { above: 0, max: 100 }),
] as const;

export function addScratchFlags(command: Command): Command {
  return command
    .option(
      '--scratch <budget>',
      'start from new random weights: e takes the epochs of the original, b as many as cost the same MACs',
      choice('--scratch', ['e', 'b'] as const),
    )
    .option(...gammaFlag);
}

/** How a scratch training starts without regard to its length: what `lr-find` tries. */
export const scratchStart = ({ scratch, gamma }: ScratchFlags): ScratchStart | null =>
  scratch === undefined ? null : { budget: scratch, originalEpochs: 1, gamma: gamma ?? 1 };

/**
 * What a training starts from, and how long it takes.
 * @throws AppError INVALID_ARGUMENT when that cannot be told from the flags
 */
export async function startOf(
  project: Project,
  version: VersionSummary,
  flags: ScratchFlags & { readonly epochs?: number },
): Promise<{ readonly init: 'weights' | ScratchStart; readonly epochs: number }> {
  const start = scratchStart(flags);
  if (start === null) {
    if (flags.gamma !== undefined) {
      throw new AppError(
        'INVALID_ARGUMENT',
        '--gamma is where new weights start from, and these weights are not new.',
        'Add --scratch e or --scratch b, or leave --gamma out.',
      );
    }
    if (flags.epochs !== undefined) return { init: 'weights', epochs: flags.epochs };
    throw new AppError(
      'INVALID_ARGUMENT',
      'The number of epochs is missing.',
      'Give it with --epochs.',
    );
  }
  const originalEpochs = flags.epochs ?? (await knownEpochs(project, version));
  const original = (await project.original(version.id)).version;
  const epochs = scratchEpochs(start.budget, originalEpochs, {
    original: original.macs,
    slim: version.macs,
  });
  return { init: { ...start, originalEpochs }, epochs };
}

/** Epochs that a version's original was trained for. @throws AppError INVALID_ARGUMENT when it was trained elsewhere */
export async function knownEpochs(project: Project, { id }: VersionSummary): Promise<number> {
  const { version, epochs } = await project.original(id);
  if (epochs !== null) return epochs;
  throw new AppError(
    'INVALID_ARGUMENT',
    `For how many epochs ${version.name} was trained is not known: it was not trained here.`,
    'Give them: --epochs with train, --scratch-epochs with prune.',
  );
}

export interface ControlFlags {
  readonly scratch?: readonly ScratchBudget[];
  readonly scratchEpochs?: number;
  readonly scratchSeeds?: number;
}

/** Flags of a command that makes the slim network which the controls then train. */
export function addControlFlags(command: Command): Command {
  return command
    .option(
      '--scratch <budgets>',
      'train the same slim network from scratch, too, as a control: e, b or e,b (see train --scratch)',
      budgets,
    )
    .option(
      '--scratch-epochs <n>',
      'epochs that the original was trained for, where that is not known',
      number('--scratch-epochs', { min: 1, max: 10_000, integer: true }),
    )
    .option(
      '--scratch-seeds <n>',
      'runs of each control (default: 1)',
      number('--scratch-seeds', { min: 1, max: 20, integer: true }),
    );
}

function budgets(text: string): readonly ScratchBudget[] {
  const one = choice('--scratch', ['e', 'b'] as const);
  return [...new Set(list(text).map(one))];
}

/** @throws AppError INVALID_ARGUMENT when flags are missing */
export async function controlsOf(
  project: Project,
  version: VersionSummary,
  { scratch = [], scratchEpochs: epochs, scratchSeeds }: ControlFlags,
): Promise<ControlsRequest | undefined> {
  if (scratch.length > 0) {
    const originalEpochs = epochs ?? (await knownEpochs(project, version));
    return { budgets: scratch, originalEpochs, seeds: scratchSeeds ?? 1 };
  }
  if (epochs === undefined && scratchSeeds === undefined) return undefined;
  throw new AppError(
    'INVALID_ARGUMENT',
    '--scratch-epochs and --scratch-seeds belong to controls, and none is asked for.',
    'Add --scratch b, or leave them out.',
  );
}
