import { describe, expect, it } from 'vitest';
import { latencySettings, sortedVersions } from '../../../src-renderer/views/compare/columns';
import { latency, version } from '../records';

const litert = { runtime: 'litert', threads: 1 } as const;

describe('comparing versions', () => {
  const versions = [
    version({ id: 'big', bytes: 900, latency: [latency(9), latency(3, { threads: 4 })] }),
    version({ id: 'unmeasured', bytes: 100 }),
    version({ id: 'small', bytes: 300, latency: [latency(2)] }),
  ];
  const order = (...args: Parameters<typeof sortedVersions>): readonly string[] =>
    sortedVersions(...args).map(({ id }) => id);

  it('sorts by a figure, with those that lack it last in both directions', () => {
    expect(order(versions, { key: 'ms', descending: false }, litert)).toEqual([
      'small',
      'big',
      'unmeasured',
    ]);
    expect(order(versions, { key: 'ms', descending: true }, litert)).toEqual([
      'big',
      'small',
      'unmeasured',
    ]);
  });

  it('leaves the order alone without a sort', () => {
    expect(order(versions, null, litert)).toEqual(['big', 'unmeasured', 'small']);
  });

  it('offers each runtime and thread count once', () => {
    expect(latencySettings(versions)).toEqual([litert, { runtime: 'litert', threads: 4 }]);
  });
});
