// Symbolic links do not survive every installer and copy: a packaged app has files only.
import { linkSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Replaces each symbolic link below a folder by a hard link to the file that it leads to.
 * @param {string} folder
 */
export function materializeLinks(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) materializeLinks(path);
    if (!entry.isSymbolicLink()) continue;
    const target = realpathSync(path);
    rmSync(path);
    linkSync(target, path);
  }
}
