// The hidden page that trains by WebGPU, which only pages reach: it is handed one port and computes what the
// worker at its other end asks for.

import type { FromComputer, Pipe, ToComputer } from '../../src-main/engine/train/remote/protocol';
import { serveSteps } from '../../src-main/engine/train/remote/serve';
import { startWebGpu } from './webgpu';

function pipeOf(port: MessagePort): Pipe<ToComputer, FromComputer> {
  return {
    send: (message) => port.postMessage(message),
    onMessage: (listener) => {
      port.onmessage = ({ data }: MessageEvent<ToComputer>) => listener(data);
    },
    onClosed: (listener) => port.addEventListener('close', listener),
    close: () => port.close(),
  };
}

async function serve(port: MessagePort): Promise<void> {
  const pipe = pipeOf(port);
  try {
    const { backend, isSoftware, lost } = await startWebGpu();
    void lost.then((reason) => pipe.send({ type: 'lost', reason }));
    serveSteps(pipe, backend, { detail: backend.detail, isSoftware });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    pipe.send({ type: 'unavailable', reason });
  }
}

window.addEventListener(
  'message',
  ({ source, ports: [port] }) => {
    if (source === window && port) void serve(port);
  },
  { once: true },
);
