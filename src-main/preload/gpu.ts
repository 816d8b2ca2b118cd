// The bridge of the hidden page that trains on the GPU: it hands the page one port, and nothing else.

import { ipcRenderer } from 'electron';

const page = globalThis as unknown as {
  readonly location: { readonly origin: string };
  postMessage(message: string, origin: string, ports: readonly unknown[]): void;
};

ipcRenderer.once('gpu:port', ({ ports }) => page.postMessage('port', page.location.origin, ports));
