// Unit tests: everything that runs in Node, and the renderer's modules compiled for a browser.
import { availableParallelism } from 'node:os';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const shared = {
  // One process per test file: TensorFlow keeps one backend per process, and a crash stays in its file.
  pool: 'forks' as const,
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    // Files wait for disks, processes and each other often enough that two pay even on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: {
          ...shared,
          name: 'node',
          include: [
            'test/engine/**/*.test.ts',
            'test/main/**/*.test.ts',
            'test/setup/**/*.test.ts',
          ],
        },
      },
      {
        plugins: [svelte({ configFile: false })],
        resolve: { conditions: ['browser'] },
        test: { ...shared, name: 'renderer', include: ['test/renderer/**/*.test.ts'] },
      },
    ],
  },
});
