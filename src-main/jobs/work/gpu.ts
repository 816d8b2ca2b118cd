// A worker's way to the GPU: the main process opens a hidden window, whose page computes at the other end of a port.

import { connectCompute, type RemoteCompute } from '../../engine/train/remote/connect';
import type { FromComputer, Pipe, ToComputer } from '../../engine/train/remote/protocol';
import type { GpuOpened, GpuRequest } from '../gpu-protocol';

/** Electron's port in a utility process. */
interface ElectronPort {
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
  on(event: 'close', listener: () => void): void;
  postMessage(message: unknown): void;
  start(): void;
  close(): void;
}

interface ElectronParent {
  on(
    event: 'message',
    listener: (event: { data: unknown; ports: readonly ElectronPort[] }) => void,
  ): void;
  off(event: 'message', listener: unknown): void;
  postMessage(message: GpuRequest): void;
}

/** What the page can take to start, on a machine that is busy. */
const patienceMs = 30_000;

let lastRef = 0;

/**
 * Null where no window can be opened: on the command line.
 * @throws AppError RUNTIME_UNAVAILABLE when there is no adapter
 */
export async function openGpu(): Promise<RemoteCompute | null> {
  const { parentPort: parent } = process as unknown as { readonly parentPort?: ElectronParent };
  if (!parent) return null;
  const ref = ++lastRef;
  const opened = new Promise<ElectronPort>((resolve) => {
    const listener = ({ data, ports }: { data: unknown; ports: readonly ElectronPort[] }): void => {
      const message = data as GpuOpened;
      if (message.type !== 'gpu-opened' || message.ref !== ref || !ports[0]) return;
      parent.off('message', listener);
      resolve(ports[0]);
    };
    parent.on('message', listener);
  });
  parent.postMessage({ type: 'gpu-open', ref });
  const port = await opened;
  const close = (): void => {
    port.close();
    parent.postMessage({ type: 'gpu-close', ref });
  };
  // A page that does not come up is closed, and its port with it: the connection fails then.
  const timer = setTimeout(() => parent.postMessage({ type: 'gpu-close', ref }), patienceMs);
  try {
    return await connectCompute(pipeOf(port, close));
  } catch (error) {
    close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function pipeOf(port: ElectronPort, close: () => void): Pipe<FromComputer, ToComputer> {
  return {
    send: (message) => port.postMessage(message),
    onMessage: (listener) => {
      port.on('message', ({ data }) => listener(data as FromComputer));
      port.start();
    },
    onClosed: (listener) => port.on('close', listener),
    close,
  };
}
