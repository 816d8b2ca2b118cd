// Compiles TypeScript into a script that a real child process can run.

import { join } from 'node:path';
import { build } from 'vite';
import { tempFolder } from './support';

/** Packages with native parts stay outside; the child finds them here. */
export const childEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  NODE_PATH: join(import.meta.dirname, '..', '..', 'node_modules'),
};

/** @returns path of the script */
export async function bundle(entry: string): Promise<string> {
  const outDir = await tempFolder();
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: entry,
      outDir,
      rolldownOptions: { output: { format: 'cjs', entryFileNames: 'script.cjs' } },
    },
  });
  return join(outDir, 'script.cjs');
}
