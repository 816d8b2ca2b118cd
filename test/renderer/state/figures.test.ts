import { describe, expect, it } from 'vitest';
import { comparableTriple, mainLatency, triple } from '../../../src-renderer/state/figures';
import { accuracy, latency, version } from '../records';

describe('the three figures', () => {
  it('takes LiteRT with the fewest threads for the latency', () => {
    const measured = version({
      id: 'v',
      latency: [latency(9, { runtime: 'tfjs' }), latency(2, { threads: 4 }), latency(5)],
    });
    expect(mainLatency(measured)?.medianMs).toBe(5);
    expect(triple(measured)).toMatchObject({ bytes: 4000, ms: 5, accuracy: null });
  });

  it('compares a latency with the same setting only', () => {
    const base = version({ id: 'a', latency: [latency(8), latency(3, { threads: 4 })] });
    const four = version({ id: 'b', latency: [latency(2, { threads: 4 })] });
    const other = version({ id: 'c', latency: [latency(2, { threads: 2 })] });
    expect(comparableTriple(four, base).ms).toBe(3);
    expect(comparableTriple(other, base).ms).toBeNull();
  });

  it('compares an accuracy on the same images only', () => {
    const base = version({ id: 'a', accuracy: accuracy(0.9) });
    expect(comparableTriple(version({ id: 'b', accuracy: accuracy(0.8) }), base).accuracy).toBe(
      0.9,
    );
    const onValidation = version({ id: 'c', accuracy: accuracy(0.8, { split: 'val' }) });
    expect(comparableTriple(onValidation, base).accuracy).toBeNull();
    const onOther = version({ id: 'd', accuracy: accuracy(0.8, { data: 'd2' }) });
    expect(comparableTriple(onOther, base).accuracy).toBeNull();
  });
});
