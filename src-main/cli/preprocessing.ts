// Options that say how images are brought to numbers before a model sees them.

import type { Command } from 'commander';

import { AppError } from '../engine/errors';
import type { Preprocessing } from '../engine/graph/types';
import { choice, list, number } from './options';

export interface PreprocessingFlags {
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly channelOrder?: Preprocessing['channelOrder'];
}

const numbers = (option: string): ((text: string) => readonly number[]) => {
  const parse = number(option);
  return (text) => list(text).map(parse);
};

export function addPreprocessingOptions(command: Command): Command {
  return command
    .option('--scale <s>', 'pixels (0 to 255) are multiplied by this first', number('--scale'))
    .option('--mean <a,b,..>', 'then subtracted, one number or one a channel', numbers('--mean'))
    .option('--std <a,b,..>', 'then divided by', numbers('--std'))
    .option(
      '--channel-order <order>',
      'rgb, bgr or gray',
      choice('--channel-order', ['rgb', 'bgr', 'gray'] as const),
    );
}

/** Null leaves it to the model file. @throws AppError INVALID_ARGUMENT when only some of the options are given */
export function preprocessingOf(flags: PreprocessingFlags): Preprocessing | null {
  const { scale, mean, std, channelOrder } = flags;
  if (scale !== undefined && mean && std && channelOrder) return { scale, mean, std, channelOrder };
  if ([scale, mean, std, channelOrder].every((value) => value === undefined)) return null;
  throw new AppError(
    'INVALID_ARGUMENT',
    'Only a part of the preprocessing is given.',
    'Give --scale, --mean, --std and --channel-order together, or none of them.',
  );
}
