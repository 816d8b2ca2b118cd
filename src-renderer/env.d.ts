// What the preload puts on the window, and file types that the bundler resolves.
/// <reference types="svelte" />
/// <reference types="vite/client" />

import type { Bridge } from '../src-main/ipc/contract';

declare global {
  interface Window {
    readonly secateur: Bridge;
  }
}
