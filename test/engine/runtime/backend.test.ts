// Choice of the tensor backend, also on a machine where TensorFlow's library does not load.

import { afterEach, describe, expect, it, vi } from 'vitest';
import type * as backendModule from '../../../src-main/engine/runtime/backend';

async function freshModule(): Promise<typeof backendModule> {
  vi.resetModules();
  return import('../../../src-main/engine/runtime/backend');
}

describe('loadBackend', () => {
  afterEach(() => {
    vi.doUnmock('@tensorflow/tfjs-node');
  });

  it('takes TensorFlow when it may choose, and names its version and device', async () => {
    const { loadBackend } = await freshModule();
    const backend = await loadBackend();
    expect(backend.name).toBe('tensorflow');
    expect(backend.isNative).toBe(true);
    expect(backend.detail).toMatch(/^TensorFlow \d+\.\d+\.\d+, (CPU|GPU)$/);
    expect(backend.fallbackReason).toBeNull();
    expect(backend.tf.getBackend()).toBe('tensorflow');
  });

  it('gives the same backend again, and puts the one asked for in charge', async () => {
    const { loadBackend } = await freshModule();
    const native = await loadBackend('tensorflow');
    const plain = await loadBackend('cpu');
    expect(plain.isNative).toBe(false);
    expect(plain.tf.getBackend()).toBe('cpu');
    expect(await loadBackend('tensorflow')).toBe(native);
    expect(native.tf.getBackend()).toBe('tensorflow');
  });

  it('says why TensorFlow is unavailable', async () => {
    vi.doMock('@tensorflow/tfjs-node', () => {
      throw new Error('libtensorflow.so.2: cannot open shared object file\nand more');
    });
    const { loadBackend } = await freshModule();
    await expect(loadBackend('tensorflow')).rejects.toMatchObject({
      code: 'RUNTIME_UNAVAILABLE',
      hint: expect.stringContaining('npm run setup'),
    });
  });

  it('falls back to plain JavaScript with the reason', async () => {
    vi.doMock('@tensorflow/tfjs-node', () => {
      throw new Error('libtensorflow.so.2: cannot open shared object file\nand more');
    });
    const { loadBackend } = await freshModule();
    const backend = await loadBackend('auto');
    expect(backend.name).toBe('cpu');
    expect(backend.fallbackReason).toContain("TensorFlow's native library does not load");
  });
});
