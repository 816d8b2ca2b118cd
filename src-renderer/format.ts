// Numbers and times as the window writes them. Bytes are SI (kB = 1000 bytes); MACs are multiply-accumulates.

const MINUS = '\u2212';
const NONE = '\u2013';
/** Keeps a number and its unit on one line. */
const GLUE = '\u00a0';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Three significant digits with the zeros that keep a column straight: 1.24, 12.4, 124. */
function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size < 9.995) return value.toFixed(2);
  if (size < 99.95) return value.toFixed(1);
  return grouped.format(value);
}

function scaled(value: number, steps: readonly (readonly [number, string])[]): string {
  const size = Math.abs(value);
  for (const [factor, unit] of steps) {
    // 999.6 would be written as 1000 of the smaller unit.
    if (size >= factor * 0.9995) return `${threeDigits(value / factor)}${GLUE}${unit}`;
  }
  const last = steps.at(-1)?.[1] ?? '';
  return `${threeDigits(value)}${GLUE}${last}`;
}

/** Bytes in B, kB, MB or GB of 1000. */
export function bytes(value: number): string {
  if (Math.abs(value) < 999.5) return `${grouped.format(value)}${GLUE}B`;
  return scaled(value, [
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ]);
}

/** A large count with three digits: 269 k, 40.6 M. */
export function compact(value: number): string {
  if (Math.abs(value) < 999.5) return grouped.format(value);
  return scaled(value, [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ]);
}

/** A count to the unit: 269,722. */
export function count(value: number): string {
  return grouped.format(value);
}

/** Multiply-accumulates: 40.6 M. */
export function macs(value: number): string {
  return compact(value);
}

/** A latency in milliseconds. */
export function ms(value: number): string {
  if (value >= 999.5) return `${threeDigits(value / 1000)}${GLUE}s`;
  return `${value < 0.9995 ? value.toFixed(3) : threeDigits(value)}${GLUE}ms`;
}

/** A share (0 to 1) in per cent. */
export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)}${GLUE}%`;
}

/** Signal to noise; null is none at all. */
export function decibels(value: number | null): string {
  return value === null ? 'exact' : `${value.toFixed(1)}${GLUE}dB`;
}

/** A difference between files or runs: 3.1e-7; an exact zero is 0. */
export function tiny(value: number): string {
  return value === 0 ? '0' : value.toExponential(1);
}

/** A learning rate or factor without needless zeros. */
export function plainNumber(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(1);
  return String(Number(value.toPrecision(4)));
}

/** 28 × 28 × 1 */
export function shape(value: readonly number[]): string {
  return value.length === 0 ? 'scalar' : value.join(' × ');
}

/** How long something takes: 4 s, 1 min 20 s, 2 h 03 min. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 1) return `< 1${GLUE}s`;
  if (seconds < 60) return `${seconds}${GLUE}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}${GLUE}min ${pad(seconds % 60)}${GLUE}s`;
  return `${Math.floor(minutes / 60)}${GLUE}h ${pad(minutes % 60)}${GLUE}min`;
}

/** What is left of a job; null while that cannot be told. */
export function timeLeft(milliseconds: number | null): string {
  return milliseconds === null ? 'estimating…' : `${duration(milliseconds)} left`;
}

/** A rate of units a second: 6.4/s. */
export function rate(perSecond: number): string {
  return `${threeDigits(perSecond)}/s`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** When something happened, seen from `now`: just now, 5 min ago, today 14:05, 3 Mar 2026. */
export function ago(timestamp: string, now: Date): string {
  const then = new Date(timestamp);
  const minutes = Math.floor((now.getTime() - then.getTime()) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes}${GLUE}min ago`;
  const clock = `${pad(then.getHours())}:${pad(then.getMinutes())}`;
  if (then.toDateString() === now.toDateString()) return `today ${clock}`;
  return `${dayMonthYear(then)}`;
}

/** Date and time of day: 3 Mar 2026, 14:05. */
export function dateTime(timestamp: string): string {
  const date = new Date(timestamp);
  return `${dayMonthYear(date)}, ${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

function dayMonthYear(date: Date): string {
  const month = date.toLocaleString('en-US', { month: 'short' });
  return `${date.getDate()} ${month} ${date.getFullYear()}`;
}

/** 'error': how far values are off, in their own unit. */
export type FigureKind = 'bytes' | 'ms' | 'accuracy' | 'error' | 'macs' | 'params';
export type Verdict = 'better' | 'worse' | 'same';

const writers: Readonly<Record<FigureKind, (value: number) => string>> = {
  bytes,
  ms,
  accuracy: percent,
  error: errorText,
  macs,
  params: compact,
};

/** An error in the unit of the values, to four digits. */
export function errorText(error: number): string {
  return String(Number(error.toPrecision(4)));
}

/** A figure in its unit, or a dash where there is none. */
export function figure(kind: FigureKind, value: number | null): string {
  return value === null ? NONE : writers[kind](value);
}

export interface Difference {
  /** Signed, in the figure's unit; accuracy in percentage points. */
  readonly absolute: string;
  /** Signed per cent of the base; null for accuracy, whose points say it already. */
  readonly relative: string | null;
  readonly verdict: Verdict;
  readonly direction: 'up' | 'down' | 'none';
}

/** What changed from `base` to `value`. Less is better for everything but accuracy. */
export function difference(kind: FigureKind, value: number, base: number): Difference {
  const change = value - base;
  if (kind === 'accuracy') {
    const points = Number((change * 100).toFixed(1));
    return {
      absolute: `${sign(points)}${Math.abs(points).toFixed(1)}${GLUE}pt`,
      relative: null,
      verdict: points === 0 ? 'same' : points > 0 ? 'better' : 'worse',
      direction: directionOf(points),
    };
  }
  const share = base === 0 ? 0 : (change / base) * 100;
  const rounded = Math.abs(share) < 9.95 ? Number(share.toFixed(1)) : Math.round(share);
  return {
    absolute: `${sign(change)}${writers[kind](Math.abs(change))}`,
    relative: `${sign(rounded)}${Math.abs(rounded)}${GLUE}%`,
    verdict: rounded === 0 ? 'same' : rounded < 0 ? 'better' : 'worse',
    direction: directionOf(rounded),
  };
}

function directionOf(change: number): Difference['direction'] {
  if (change === 0) return 'none';
  return change > 0 ? 'up' : 'down';
}

function sign(value: number): string {
  if (value === 0) return '±';
  return value < 0 ? MINUS : '+';
}

/** "1 layer", "3 layers". */
export function plural(amount: number, singular: string, many = `${singular}s`): string {
  return `${count(amount)} ${amount === 1 ? singular : many}`;
}
