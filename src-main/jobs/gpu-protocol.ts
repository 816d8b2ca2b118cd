// What a worker and the main process say about the window that computes on the GPU.

/** From the worker. A window is closed with the worker at the latest. */
export interface GpuRequest {
  readonly type: 'gpu-open' | 'gpu-close';
  readonly ref: number;
}

/** To the worker, with one port to the window; with none where it cannot be opened. */
export interface GpuOpened {
  readonly type: 'gpu-opened';
  readonly ref: number;
}

export function isGpuRequest(message: unknown): message is GpuRequest {
  const { type } = (message ?? {}) as { readonly type?: unknown };
  return type === 'gpu-open' || type === 'gpu-close';
}
