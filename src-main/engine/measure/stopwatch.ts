// Elapsed time for rates and latencies. Nothing that is computed depends on it.

/** Starts a stopwatch; the result reads the seconds since then. */
export function startStopwatch(): () => number {
  const start = performance.now();
  return () => (performance.now() - start) / 1000;
}
