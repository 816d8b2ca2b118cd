// Limits beside the slider's in the Prune wizard.
import { describe, expect, it } from 'vitest';
import {
  activeLimits,
  freeLimits,
  limitTargets,
  limitWords,
} from '../../../src-renderer/wizards/prune/limits';

describe('limits beside the slider', () => {
  const device = { bytes: 500, latency: 20 } as const;

  it('become targets in the units of the engine', () => {
    expect(limitTargets('macs', device, 'fp32')).toEqual({ bytes: 500_000, latencyMs: 20 });
    expect(limitTargets('bytes', { macs: 60, params: 40 }, 'fp32')).toEqual({
      macs: 0.6,
      params: 0.4,
    });
  });

  it('name the precision where bytes are limited, by the slider or beside it', () => {
    expect(limitTargets('macs', device, 'int8')).toMatchObject({ precision: 'int8' });
    expect(limitTargets('bytes', {}, 'fp16')).toEqual({ precision: 'fp16' });
    expect(limitTargets('macs', { latency: 20 }, 'int8')).toEqual({ latencyMs: 20 });
  });

  it('leave the kind of the slider to the slider', () => {
    expect(activeLimits('latency', device)).toEqual([['bytes', 500]]);
    expect(limitTargets('latency', device, 'fp32')).toEqual({ bytes: 500_000 });
    expect(freeLimits('latency', device)).toEqual(['macs', 'params']);
    expect(freeLimits('ratio', {})).toEqual(['bytes', 'latency', 'macs', 'params']);
  });

  it('have words', () => {
    expect(limitWords('bytes', 500)).toBe('500 kB');
    expect(limitWords('params', 40)).toBe('40 % of parameters');
  });
});
