// Channel numbers as runs, so that a strip of 2,048 channels is a handful of shapes.

/** Ascending numbers as [first, length]: 0, 1, 2, 7 is [0, 3], [7, 1]. */
export function channelRuns(channels: readonly number[]): readonly (readonly [number, number])[] {
  const runs: [number, number][] = [];
  for (const channel of [...channels].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && last[0] + last[1] === channel) last[1] += 1;
    else runs.push([channel, 1]);
  }
  return runs;
}
