import { describe, expect, it } from 'vitest';
import {
  accuracyKinds,
  column,
  latencySettings,
  sortedVersions,
} from '../../../src-renderer/views/compare/columns';
import { accuracy, latency, version } from '../records';

const litert = { runtime: 'litert', threads: 1 } as const;
const terms = { ...litert, accuracy: 'top1' } as const;

describe('comparing versions', () => {
  const versions = [
    version({ id: 'big', bytes: 900, latency: [latency(9), latency(3, { threads: 4 })] }),
    version({ id: 'unmeasured', bytes: 100 }),
    version({ id: 'small', bytes: 300, latency: [latency(2)] }),
  ];
  const order = (...args: Parameters<typeof sortedVersions>): readonly string[] =>
    sortedVersions(...args).map(({ id }) => id);

  it('sorts by a figure, with those that lack it last in both directions', () => {
    expect(order(versions, { key: 'ms', descending: false }, terms)).toEqual([
      'small',
      'big',
      'unmeasured',
    ]);
    expect(order(versions, { key: 'ms', descending: true }, terms)).toEqual([
      'big',
      'small',
      'unmeasured',
    ]);
  });

  it('leaves the order alone without a sort', () => {
    expect(order(versions, null, terms)).toEqual(['big', 'unmeasured', 'small']);
  });

  it('counts right answers as one asks for, and offers top-5 only where there is one', () => {
    const few = version({ id: 'few', accuracy: accuracy(0.9, { macroF1: 0.8 }) });
    const many = version({ id: 'many', accuracy: accuracy(0.7, { top5: 0.95 }) });
    const { value } = column('accuracy');
    expect(value(few, { ...terms, accuracy: 'macroF1' })).toBe(0.8);
    expect(value(few, { ...terms, accuracy: 'top5' })).toBeNull();
    expect(value(many, { ...terms, accuracy: 'top5' })).toBe(0.95);
    const offered = (...of: Parameters<typeof accuracyKinds>): readonly string[] =>
      accuracyKinds(...of).map((kind) => kind.value);
    expect(offered([few])).toEqual(['top1', 'macroF1']);
    expect(offered([few, many])).toEqual(['top1', 'top5', 'macroF1']);
  });

  it('offers each runtime and thread count once', () => {
    expect(latencySettings(versions)).toEqual([litert, { runtime: 'litert', threads: 4 }]);
  });
});
