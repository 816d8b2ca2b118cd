// Headless entry: the same engine, jobs and project folders as the window, without Electron.

import { join } from 'node:path';
import { Command, CommanderError } from 'commander';

import { addDemo } from './cli/commands/demo';
import { addCompare, addEvaluate, addMeasure } from './cli/commands/examine';
import { addExport } from './cli/commands/export';
import { addInspect } from './cli/commands/inspect';
import { addJob } from './cli/commands/job';
import { addBaseline, addRename, addRestore, addTrash } from './cli/commands/manage';
import { addCreate, addData, addImport, addList, addSample } from './cli/commands/project';
import { addPrune } from './cli/commands/prune';
import { addTrain } from './cli/commands/train';
import { addZoo } from './cli/commands/zoo';
import { createOutput } from './cli/output';
import { createRuntime } from './cli/runtime';
import { AppError, toAppError, type ErrorCode } from './engine/errors';
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
  addRename,
  addBaseline,
  addTrash,
  addRestore,
  addSample,
  addDemo,
];

/** Wrong usage, as shells have it; 128 + the number of SIGINT for what was interrupted. */
const exitCodes: Partial<Record<ErrorCode, number>> = { INVALID_ARGUMENT: 2, CANCELLED: 130 };

async function main(argv: readonly string[]): Promise<number> {
  // --json may stand anywhere on the line; errors of the parser itself must obey it, too.
  const output = createOutput(argv.includes('--json'));
  const program = new Command('secateur')
    .description('Cut channels out of convolutional networks, and prove the result.')
    .version(engineVersion)
    .addHelpText('after', epilogue);
  const runtime = createRuntime(output, join(__dirname, 'worker.js'));
  for (const add of commands) add(program, runtime);
  for (const command of [program, ...everyCommand(program)]) {
    command
      .option('--json', 'print one JSON object on stdout')
      .exitOverride()
      .configureOutput({ outputError: () => undefined });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    const error = thrown instanceof CommanderError ? usageError(thrown) : toAppError(thrown);
    output.error(error);
    return exitCodes[error.code] ?? 1;
  }
}

const epilogue = `
Everything but results goes to stderr. Exit codes: 0 done, 2 wrong usage, 130 cancelled, 1 anything else, with
\`error: CODE: message\` and a hint.`;

/** "error: unknown option '--epoch'\n(Did you mean --epochs?)" */
function usageError({ code, message }: CommanderError): AppError {
  if (code === 'commander.help') {
    return new AppError('INVALID_ARGUMENT', 'There is no command.', 'See --help.');
  }
  const [what = '', suggestion] = message.replace(/^error: /, '').split('\n');
  return new AppError(
    'INVALID_ARGUMENT',
    `${what.charAt(0).toUpperCase()}${what.slice(1).replace(/\.$/, '')}.`,
    `${suggestion?.replace(/^\((.*)\)$/, '$1 ') ?? ''}See --help of the command.`,
  );
}

function everyCommand(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...everyCommand(child)]);
}

// A reader that has seen enough, such as `head`, closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
