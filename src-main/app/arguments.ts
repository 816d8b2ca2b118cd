// What the program was started with: `secateur <model>` opens a model, as a double click on one does.

import { resolve } from 'node:path';

/**
 * The model file or folder among the arguments, as a whole path; null without one. Electron and whoever starts it
 * put flags anywhere, also before the app's own folder, which an unpackaged app is started with.
 * @param folder that relative paths start from
 * @param appPath null once packaged
 */
export function modelArgument(
  argv: readonly string[],
  folder: string,
  appPath: string | null,
): string | null {
  const paths = argv
    .slice(1)
    .filter((argument) => !argument.startsWith('-'))
    .map((argument) => resolve(folder, argument));
  const own = appPath === null ? -1 : paths.indexOf(resolve(appPath));
  return paths.filter((_, i) => i !== own)[0] ?? null;
}
