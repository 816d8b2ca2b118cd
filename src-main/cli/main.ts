// The command line as a function: words in, an exit code out.

import { Command, CommanderError } from 'commander';

import { addDemo } from './commands/demo';
import { addCompare, addEvaluate, addMeasure } from './commands/examine';
import { addDiff } from './commands/diff';
import { addFlips } from './commands/flips';
import { addExport } from './commands/export';
import { addInspect } from './commands/inspect';
import { addJob, addResume } from './commands/job';
import { addLrFind } from './commands/lr-find';
import { addBaseline, addRename, addRestore, addTrash } from './commands/manage';
import { addCreate, addData, addImport, addList, addSample } from './commands/project';
import { addPrune } from './commands/prune';
import { addRecalibrate } from './commands/recalibrate';
import { addSensitivity } from './commands/sensitivity';
import { addTrain } from './commands/train';
import { addZoo } from './commands/zoo';
import { createOutput, type Streams } from './output';
import { createRuntime } from './runtime';
import { AppError, toAppError, type ErrorCode } from '../engine/errors';
import { engineVersion } from '../version';

const commands = [
  addInspect,
  addZoo,
  addCreate,
  addData,
  addImport,
  addSensitivity,
  addPrune,
  addRecalibrate,
  addTrain,
  addLrFind,
  addEvaluate,
  addMeasure,
  addCompare,
  addDiff,
  addFlips,
  addExport,
  addJob,
  addResume,
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

/**
 * Does what a line says. Never rejects.
 * @param words those behind the program's name
 * @param workerScript the built worker (src-main/jobs/worker/index.ts)
 * @returns the exit code
 */
export async function runCommandLine(
  words: readonly string[],
  workerScript: string,
  streams: Streams = process,
): Promise<number> {
  // --json may stand anywhere on the line; errors of the parser itself must obey it, too.
  const output = createOutput(words.includes('--json'), streams);
  const program = new Command('secateur')
    .description('Cut channels out of convolutional networks, and prove the result.')
    .version(engineVersion)
    .addHelpText('after', epilogue);
  const runtime = createRuntime(output, workerScript);
  for (const add of commands) add(program, runtime);
  for (const command of [program, ...everyCommand(program)]) {
    command
      .option('--json', 'print one JSON object on stdout')
      .exitOverride()
      .configureOutput({
        writeOut: (text) => streams.stdout.write(text),
        writeErr: (text) => streams.stderr.write(text),
        outputError: () => undefined,
      });
  }
  try {
    await program.parseAsync([...words], { from: 'user' });
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
