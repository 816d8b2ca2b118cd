// Hidden windows that train by WebGPU, which Electron offers to pages only: one for each worker that asks, gone
// with it.

import { join } from 'node:path';
import { app, BrowserWindow, MessageChannelMain } from 'electron';
import log from 'electron-log/main';

import { gpuMode } from '../jobs/gpu-mode';
import type { GpuLink } from '../jobs/hosts/gpu-requests';
import { securePreferences } from '../security/guards';
import { appOrigin } from '../security/rules';

/**
 * Lets Chromium offer WebGPU where it is still behind switches: on Linux, where it needs Vulkan. Must run before the
 * app is ready.
 */
export function allowWebGpu(): void {
  if (process.platform !== 'linux' || gpuMode() === 'off') return;
  const { commandLine } = app;
  commandLine.appendSwitch('enable-unsafe-webgpu');
  const features = commandLine.getSwitchValue('enable-features').split(',').filter(Boolean);
  commandLine.appendSwitch('enable-features', [...new Set([...features, 'Vulkan'])].join(','));
}

export class GpuWindows {
  readonly #open = new Set<BrowserWindow>();
  readonly #devUrl: string | null;

  constructor(devUrl: string | null) {
    this.#devUrl = devUrl;
  }

  open(): GpuLink {
    const { port1, port2 } = new MessageChannelMain();
    const window = new BrowserWindow({
      show: false,
      title: 'Secateur: training on the GPU',
      webPreferences: {
        ...securePreferences(join(__dirname, '..', 'preload', 'gpu.cjs')),
        backgroundThrottling: false,
      },
    });
    this.#open.add(window);
    let handedOver = false;
    const close = (): void => {
      if (!window.isDestroyed()) window.destroy();
    };
    window.once('closed', () => {
      this.#open.delete(window);
      // A port that never reached the page would leave the worker waiting.
      if (!handedOver) port2.close();
    });
    window.webContents.on('render-process-gone', (_event, details) => {
      log.error('GPU window: render-process-gone', details);
      close();
    });
    window.webContents.once('did-finish-load', () => {
      handedOver = true;
      window.webContents.postMessage('gpu:port', null, [port2]);
    });
    window.loadURL(`${this.#devUrl ?? appOrigin}/gpu/index.html`).catch((error: unknown) => {
      log.error('GPU window', error);
      close();
    });
    return { port: port1, close };
  }

  /** Without them the app could not end. */
  closeAll(): void {
    for (const window of this.#open) window.destroy();
  }
}
