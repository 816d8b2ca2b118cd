// Headless entry: the same engine, jobs and project folders as the window, without Electron.

import { Command, CommanderError } from 'commander';

import { addDemo } from './cli/commands/demo';
import { addCompare, addEvaluate, addMeasure } from './cli/commands/examine';
import { addExport } from './cli/commands/export';
import { addInspect } from './cli/commands/inspect';
import { addJob } from './cli/commands/job';
import { addCreate, addData, addImport, addList, addSample } from './cli/commands/project';
import { addPrune } from './cli/commands/prune';
import { addTrain } from './cli/commands/train';
import { addZoo } from './cli/commands/zoo';
import { createOutput } from './cli/output';
import { createRuntime } from './cli/runtime';
import { AppError, toAppError } from './engine/errors';
import { engineVersion } from './version';

const commands = [
  addInspect,
  addZoo,
  addCreate,
  addData,
  addImport,
  addPrune,
  addTrain,
  addEvaluate,
  addMeasure,
  addCompare,
  addExport,
  addJob,
  addList,
  addSample,
  addDemo,
];

/** Wrong usage: commander has printed what is wrong unless the answer is to be JSON. */
const usageError = 2;

async function main(argv: readonly string[]): Promise<number> {
  // --json may stand anywhere on the line; errors of the parser itself must obey it too.
  const json = argv.includes('--json');
  const output = createOutput(json);
  const program = new Command('secateur')
    .description('Cut channels out of convolutional networks, and prove the result.')
    .version(engineVersion)
    .showHelpAfterError('(--help shows the options)')
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(json ? '' : text) });
  for (const add of commands) add(program, createRuntime(output));
  for (const command of everyCommand(program)) {
    command.option('--json', 'print one JSON object on stdout').exitOverride();
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      if (json) output.error(new AppError('INVALID_ARGUMENT', error.message, 'See --help.'));
      return usageError;
    }
    const appError = toAppError(error);
    output.error(appError);
    if (appError.code === 'INTERNAL') console.error(error);
    return 1;
  }
}

function everyCommand(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...everyCommand(child)]);
}

main(process.argv.slice(2)).then(
  (code) => {
    // Native worker pools would keep the process alive.
    process.exit(code);
  },
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
