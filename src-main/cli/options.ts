// Reading options of the command line: every number is checked here, so that commands see typed values.

import { AppError } from '../engine/errors';

function refuse(option: string, value: string, expected: string): never {
  throw new AppError(
    'INVALID_ARGUMENT',
    `${option} is '${value}', expected ${expected}.`,
    'See --help of the command.',
  );
}

/** A parser for commander: a finite number within bounds. */
export function number(
  option: string,
  bounds: {
    readonly min?: number;
    /** Like `min`, without the bound itself. */
    readonly above?: number;
    readonly max?: number;
    readonly integer?: boolean;
  } = {},
): (text: string) => number {
  const { above = -Infinity, min = -Infinity, max = Infinity, integer = false } = bounds;
  const upTo = max === Infinity ? '' : `, up to ${max}`;
  const range =
    above !== -Infinity
      ? ` above ${above}${upTo}`
      : max === Infinity
        ? min === -Infinity
          ? ''
          : ` of at least ${min}`
        : ` from ${min} to ${max}`;
  return (text) => {
    const value = Number(text);
    const valid =
      text.trim() !== '' && Number.isFinite(value) && value >= min && value > above && value <= max;
    if (!valid || (integer && !Number.isInteger(value))) {
      refuse(option, text, `a ${integer ? 'whole number' : 'number'}${range}`);
    }
    return value;
  };
}

/** A share above 0 and up to 1. */
export function share(option: string): (text: string) => number {
  const parse = number(option, { min: 0, max: 1 });
  return (text) => {
    const value = parse(text);
    if (value === 0) refuse(option, text, 'a share above 0, up to 1');
    return value;
  };
}

/** A comma-separated list of shares above 0 and below 1. */
export function shares(option: string): (text: string) => readonly number[] {
  const parse = number(option, { min: 0, max: 1 });
  return (text) => {
    const values = list(text).map(parse);
    const inside = values.every((value) => value > 0 && value < 1);
    if (values.length === 0 || !inside) refuse(option, text, 'shares between 0 and 1: 0.75,0.5');
    return values;
  };
}

const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
};

/** Bytes, with an optional SI unit: 500000, 500k, 0.5MB. */
export function bytes(option: string): (text: string) => number {
  return (text) => {
    const match = /^([0-9.]+)\s*([a-z]*)$/i.exec(text.trim());
    const unit = byteUnits[match?.[2]?.toLowerCase() ?? ''];
    const value = Number(match?.[1]) * (unit ?? NaN);
    if (!Number.isFinite(value) || value <= 0) refuse(option, text, 'bytes such as 500000 or 500k');
    return Math.floor(value);
  };
}

/** A latency: a share of the original's, or milliseconds such as 1.5ms. */
export function latency(
  option: string,
): (text: string) => { readonly latency: number } | { readonly latencyMs: number } {
  return (text) => {
    const [, digits, unit] = /^([0-9.]+)\s*(ms)?$/i.exec(text.trim()) ?? [];
    const value = Number(digits);
    const isMs = unit !== undefined;
    if (!(value > 0 && (isMs || value <= 1))) {
      refuse(option, text, 'a share up to 1 such as 0.6, or milliseconds such as 1.5ms');
    }
    return isMs ? { latencyMs: value } : { latency: value };
  };
}

/** Shares by name: conv1=0.5,conv2=0.25. */
export function layerShares(option: string): (text: string) => Readonly<Record<string, number>> {
  return (text) =>
    Object.fromEntries(
      list(text).map((entry) => {
        const [, name, value] = /^(.+)=([0-9.]+)$/.exec(entry) ?? [];
        const parsed = Number(value);
        if (name === undefined || !(parsed >= 0 && parsed <= 1)) {
          refuse(option, entry, 'a layer and a share from 0 to 1 such as conv1=0.5');
        }
        return [name, parsed];
      }),
    );
}

/** One of a closed list. */
export function choice<T extends string>(
  option: string,
  choices: readonly T[],
): (text: string) => T {
  return (text) => {
    const found = choices.find((candidate) => candidate === text);
    return found ?? refuse(option, text, `one of ${choices.join(', ')}`);
  };
}

/** A comma-separated list without empty entries. */
export function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
