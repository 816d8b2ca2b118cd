// One message port for both kinds of parent: Electron (utility process) and Node (child process).

import { endWithParent } from './parent-watch';

interface ElectronParentPort {
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
  postMessage(message: unknown): void;
}

export interface Port {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called when the parent is gone; a worker without a parent must end. */
  onClosed(listener: () => void): void;
}

export function openPort(): Port {
  const parentPort = (process as unknown as { parentPort?: ElectronParentPort }).parentPort;
  if (parentPort) {
    return {
      send: (message) => parentPort.postMessage(message),
      onMessage: (listener) => parentPort.on('message', (event) => listener(event.data)),
      // Chromium itself ends a utility process whose browser process is gone, even in a busy loop.
      onClosed: () => undefined,
    };
  }
  endWithParent();
  return {
    send: (message) => {
      if (process.connected) process.send?.(message);
    },
    onMessage: (listener) => {
      process.on('message', listener);
    },
    onClosed: (listener) => {
      process.on('disconnect', listener);
    },
  };
}
