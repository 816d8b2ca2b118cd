import { describe, expect, it } from 'vitest';
import {
  ago,
  bytes,
  compact,
  difference,
  duration,
  figure,
  ms,
  percent,
  plural,
  timeLeft,
  tiny,
} from '../../src-renderer/format';

/** Numbers and units are glued by a no-break space; tests are easier to read with a plain one. */
const plain = (text: string | null): string | null => text?.replaceAll('\u00a0', ' ') ?? null;

describe('figures', () => {
  it('writes bytes in SI units with three digits', () => {
    expect(
      [0, 91, 999, 999.6, 2310, 48_812, 488_212, 999_700, 1_240_000, 16.8e9].map((n) =>
        plain(bytes(n)),
      ),
    ).toEqual([
      '0 B',
      '91 B',
      '999 B',
      '1.00 kB',
      '2.31 kB',
      '48.8 kB',
      '488 kB',
      '1.00 MB',
      '1.24 MB',
      '16.8 GB',
    ]);
  });

  it('writes counts in thousands, millions and beyond', () => {
    expect([0, 999, 1500, 174_778, 40_600_000, 1.635e12].map((n) => plain(compact(n)))).toEqual([
      '0',
      '999',
      '1.50 k',
      '175 k',
      '40.6 M',
      '1.64 T',
    ]);
  });

  it('changes the unit of a latency at a second and keeps small ones apart', () => {
    expect([0.0312, 0.78, 1.324, 12.34, 123.4, 1234].map((n) => plain(ms(n)))).toEqual([
      '0.031 ms',
      '0.780 ms',
      '1.32 ms',
      '12.3 ms',
      '123 ms',
      '1.23 s',
    ]);
  });

  it('writes a dash where there is no figure', () => {
    expect(figure('ms', null)).toBe('–');
    expect(plain(figure('accuracy', 0.91349))).toBe('91.3 %');
  });

  it('writes tiny differences in powers of ten, and an exact zero as such', () => {
    expect(tiny(3.14e-7)).toBe('3.1e-7');
    expect(tiny(0)).toBe('0');
  });

  it('says one and many', () => {
    expect(plural(1, 'layer')).toBe('1 layer');
    expect(plural(1200, 'class', 'classes')).toBe('1,200 classes');
    expect(plain(percent(0.5, 0))).toBe('50 %');
  });
});

describe('differences', () => {
  const of = (...args: Parameters<typeof difference>): object => {
    const { absolute, relative, ...rest } = difference(...args);
    return { absolute: plain(absolute), relative: plain(relative), ...rest };
  };

  it('calls less size better, with a true minus sign', () => {
    expect(of('bytes', 341_000, 712_000)).toEqual({
      absolute: '−371 kB',
      relative: '−52 %',
      verdict: 'better',
      direction: 'down',
    });
  });

  it('calls more latency worse', () => {
    expect(of('ms', 1.5, 1.2)).toMatchObject({
      relative: '+25 %',
      verdict: 'worse',
      direction: 'up',
    });
  });

  it('counts accuracy in points, where more is better', () => {
    expect(of('accuracy', 0.9135, 0.9185)).toEqual({
      absolute: '−0.5 pt',
      relative: null,
      verdict: 'worse',
      direction: 'down',
    });
    expect(of('accuracy', 0.92, 0.9)).toMatchObject({ absolute: '+2.0 pt', verdict: 'better' });
  });

  it('calls what rounds to nothing the same', () => {
    expect(of('bytes', 712_001, 712_000)).toMatchObject({ verdict: 'same', direction: 'none' });
    expect(of('accuracy', 0.91001, 0.91)).toMatchObject({ absolute: '±0.0 pt', verdict: 'same' });
  });
});

describe('times', () => {
  it('writes durations as people say them', () => {
    expect([300, 4_000, 80_000, 7_380_000].map((n) => plain(duration(n)))).toEqual([
      '< 1 s',
      '4 s',
      '1 min 20 s',
      '2 h 03 min',
    ]);
    expect(plain(timeLeft(4_000))).toBe('4 s left');
    expect(timeLeft(null)).toBe('estimating…');
  });

  it('says how long ago something was', () => {
    const now = new Date(2026, 2, 3, 14, 30);
    const before = (minutes: number): string =>
      new Date(now.getTime() - minutes * 60_000).toISOString();
    expect(ago(before(0), now)).toBe('just now');
    expect(plain(ago(before(25), now))).toBe('25 min ago');
    expect(ago(before(120), now)).toBe('today 12:30');
    expect(ago(before(60 * 24 * 3), now)).toBe('28 Feb 2026');
  });
});
