// Builds the three bundles of the app: main (also the worker and the command line), preload, renderer.
import { resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'electron-vite';

const at = (path: string): string => resolve(__dirname, path);

/** Packages that ship ES modules only: they are bundled, because the main bundle is CommonJS. */
const esmOnly = ['@litertjs/core'];

export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      externalizeDeps: { exclude: esmOnly },
      rolldownOptions: {
        input: {
          index: at('src-main/index.ts'),
          worker: at('src-main/jobs/worker/index.ts'),
          cli: at('src-main/cli.ts'),
        },
        output: {
          format: 'cjs',
          entryFileNames: '[name].js',
          // Flat: every file finds the app's folders from its own `__dirname`.
          chunkFileNames: '[name]-[hash].js',
        },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      // A sandboxed preload cannot require its siblings: one CommonJS file holds everything.
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: at('src-main/preload/index.ts'), gpu: at('src-main/preload/gpu.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: at('src-renderer'),
    plugins: [svelte({ configFile: false })],
    build: {
      outDir: at('out/renderer'),
      rolldownOptions: {
        // The window, and the hidden page that trains on the GPU.
        input: { index: at('src-renderer/index.html'), gpu: at('src-renderer/gpu/index.html') },
      },
    },
  },
});
