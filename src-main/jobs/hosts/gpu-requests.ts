// Opens a hidden window for a worker that asks for the GPU, and hands it the port.

import type { MessagePortMain, UtilityProcess } from 'electron';

import type { GpuOpened, GpuRequest } from '../gpu-protocol';

/** A hidden window, and the end of the channel to it. */
export interface GpuLink {
  readonly port: MessagePortMain;
  close(): void;
}

export type OpenGpu = () => GpuLink;

/** The windows of one worker. */
export class GpuRequests {
  readonly #child: UtilityProcess;
  readonly #open: OpenGpu;
  readonly #links = new Map<number, GpuLink>();

  constructor(child: UtilityProcess, open: OpenGpu) {
    this.#child = child;
    this.#open = open;
    child.once('exit', () => {
      for (const link of this.#links.values()) link.close();
      this.#links.clear();
    });
  }

  handle({ type, ref }: GpuRequest): void {
    if (type === 'gpu-close') {
      this.#links.get(ref)?.close();
      this.#links.delete(ref);
      return;
    }
    const link = this.#open();
    this.#links.set(ref, link);
    this.#child.postMessage({ type: 'gpu-opened', ref } satisfies GpuOpened, [link.port]);
  }
}
