// Which of the backends that a machine has computes a training.

import { afterEach, describe, expect, it, vi } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import { fullTrainingDefaults } from '../../../src-main/engine/train/defaults';
import { gpuMode } from '../../../src-main/jobs/gpu-mode';
import { asksForGpu, preferred, withCompute } from '../../../src-main/jobs/work/compute';
import { toyDataset, toyModel } from '../../engine/train/toy';

const processor = { name: 'tensorflow', isCuda: false } as const;
const cuda = { name: 'tensorflow', isCuda: true } as const;
const plain = { name: 'cpu', isCuda: false } as const;
const [hardware, software] = [{ isSoftware: false }, { isSoftware: true }];

describe('the choice of what computes', () => {
  it('is CUDA where TensorFlow has it, without a look at WebGPU', () => {
    expect(asksForGpu(cuda, 'auto', null)).toBe(false);
    expect(asksForGpu(processor, 'auto', null)).toBe(true);
    expect(asksForGpu(plain, 'auto', null)).toBe(true);
  });

  it('is measured between the processor and a GPU, never a program that stands in for one', () => {
    expect(preferred(processor, hardware, 'auto', null)).toBe('faster');
    expect(preferred(processor, software, 'auto', null)).toBe('local');
  });

  it('is WebGPU of any kind before plain JavaScript', () => {
    expect(preferred(plain, hardware, 'auto', null)).toBe('gpu');
    expect(preferred(plain, software, 'auto', null)).toBe('gpu');
  });

  it('stays what a training began with', () => {
    expect(asksForGpu(processor, 'auto', 'tensorflow')).toBe(false);
    expect(asksForGpu(plain, 'always', 'cpu')).toBe(false);
    expect(asksForGpu(cuda, 'auto', 'webgpu')).toBe(true);
    expect(preferred(cuda, software, 'auto', 'webgpu')).toBe('gpu');
  });

  it('is what the environment says', () => {
    expect(asksForGpu(plain, 'off', null)).toBe(false);
    expect(asksForGpu(processor, 'off', 'webgpu')).toBe(false);
    expect(asksForGpu(cuda, 'always', null)).toBe(true);
    expect(preferred(processor, software, 'always', null)).toBe('gpu');
  });
});

describe('a process without a window', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('reads its mode, and computes by itself whatever it says', async () => {
    expect(gpuMode()).toBe('auto');
    vi.stubEnv('SECATEUR_GPU', 'always');
    expect(gpuMode()).toBe('always');
    const lines: string[] = [];
    const log = (level: string, text: string): void => void lines.push(`${level}: ${text}`);
    const name = await withCompute(
      {
        model: toyModel(),
        dataset: toyDataset({ train: 8, val: 0, test: 0 }),
        options: fullTrainingDefaults(1),
        context: { ...silentContext, log },
        begunOn: 'webgpu',
      },
      async (compute) => compute.name,
    );
    expect(name).not.toBe('webgpu');
    expect(lines).toEqual([
      expect.stringMatching(/^info: Training on /),
      expect.stringMatching(/^warn: It began on webgpu/),
    ]);
  });
});
