// A new empty folder for a test; the operating system cleans up.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function tempFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'secateur-formats-'));
}
