// Lines that a process prints, as they come.

import { createInterface } from 'node:readline';

export function onLines(
  streams: readonly (NodeJS.ReadableStream | null)[],
  listener: (line: string) => void,
): void {
  for (const input of streams) {
    if (input) createInterface({ input }).on('line', listener);
  }
}
