// What the preload puts on the window, and file types that the bundler resolves.
/// <reference types="svelte" />
/// <reference types="vite/client" />

interface Window {
  readonly secateur: import('../src-main/ipc/contract').Bridge;
}
