// WebGPU as a backend of the engine. tfjs chooses the adapter; it is asked for here, too, to tell what it is.

import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

import type { Backend } from '../../src-main/engine/runtime/backend';
import { PlainPrimitives } from '../../src-main/engine/runtime/plain';

/** What newer browsers tell of an adapter; the library of types is older. */
interface Adapter {
  readonly isFallbackAdapter?: boolean;
  readonly info: GPUAdapterInfo & { readonly isFallbackAdapter?: boolean };
}

interface StartedGpu {
  readonly backend: Backend;
  /** A program stands in for a GPU. */
  readonly isSoftware: boolean;
  /** Resolves with the reason when the GPU is gone. */
  readonly lost: Promise<string>;
}

/** @throws Error with the reason when there is no adapter */
export async function startWebGpu(): Promise<StartedGpu> {
  // As tfjs asks for it.
  const found = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!found) throw new Error('there is no graphics adapter for it');
  const adapter = found as unknown as Adapter;
  await import('@tensorflow/tfjs-backend-webgpu');
  tf.enableProdMode();
  if (!(await tf.setBackend('webgpu'))) throw new Error('its adapter does not start');
  await tf.ready();
  const { device } = tf.backend() as WebGPUBackend;
  return {
    backend: {
      name: 'webgpu',
      detail: `WebGPU: ${adapterName(adapter.info)}`,
      tf,
      isNative: false,
      isCuda: false,
      primitives: new PlainPrimitives(tf),
      fallbackReason: null,
    },
    // The flag has moved from the adapter to its info.
    isSoftware: adapter.isFallbackAdapter === true || adapter.info.isFallbackAdapter === true,
    lost: device.lost.then(({ message, reason }) => message || reason || 'the device was lost'),
  };
}

/** The driver's words where it gives any, else maker and family, which browsers tell of every adapter. */
function adapterName({ description, vendor, architecture }: GPUAdapterInfo): string {
  return description || [vendor, architecture].filter((word) => word !== '').join(' ') || 'GPU';
}
