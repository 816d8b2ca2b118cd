// Runs a judge that is written in Python, where its library is installed. SECATEUR_PYTHON names virtual
// environments to look into (several are separated as in PATH); then the python3 of the PATH is asked.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

function interpreters(): readonly string[] {
  const environments = (process.env['SECATEUR_PYTHON'] ?? '').split(delimiter).filter(Boolean);
  const files = environments.flatMap((folder) => [
    join(folder, 'bin', 'python'),
    join(folder, 'Scripts', 'python.exe'),
  ]);
  return [...files.filter((file) => existsSync(file)), 'python3'];
}

async function has(python: string, libraries: readonly string[]): Promise<boolean> {
  const missing = libraries.map((library) => `u.find_spec('${library}') is None`).join(' or ');
  const find = `import importlib.util as u, sys; sys.exit(${missing})`;
  return execute(python, ['-c', find]).then(
    () => true,
    () => false,
  );
}

/** The judge's answer, or why there is none. The script takes JSON and prints one JSON object as its last line. */
export async function askPython<Answer extends object>(
  libraries: readonly string[],
  script: string,
  task: object,
): Promise<Answer | { readonly why: string }> {
  for (const python of interpreters()) {
    if (!(await has(python, libraries))) continue;
    const file = resolve('test', 'bench', 'judges', script);
    const { stdout } = await execute(python, [file, JSON.stringify(task)]);
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as Answer;
  }
  return { why: `no Python here has ${libraries.join(' and ')}; name one in SECATEUR_PYTHON` };
}
