// Typed access to the JSON of a model: every value is checked where it is read, and errors say where that was.

import type { Pair } from '../../graph/types';
import { corrupt } from './errors';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The values of an array that Keras 3 wrote as an object; anything else as it is. */
export function unwrapArray(value: unknown): unknown {
  const isArray = isObject(value) && /^__(numpy|tensor)__$/.test(String(value['class_name']));
  return isArray && isObject(value['config']) ? value['config']['value'] : value;
}

/** The settings of a layer (or of anything with named values). Absent and null are the same. */
export class Config {
  constructor(
    private readonly values: JsonObject,
    /** How errors name the owner: `Layer "conv1" (Conv2D)`. */
    readonly owner: string,
  ) {}

  /** All settings, as they stand in the file. */
  all(): JsonObject {
    return this.values;
  }

  has(key: string): boolean {
    return this.values[key] !== undefined && this.values[key] !== null;
  }

  raw(key: string): unknown {
    return this.values[key] ?? undefined;
  }

  /** The first of several spellings that is there. */
  any(...keys: string[]): unknown {
    return this.values[keys.find((key) => this.has(key)) ?? ''] ?? undefined;
  }

  number(key: string, fallback?: number): number {
    const value = this.values[key] ?? fallback;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw this.wrong(key, 'a number');
  }

  int(key: string, fallback?: number): number {
    const value = this.number(key, fallback);
    if (Number.isInteger(value)) return value;
    throw this.wrong(key, 'a whole number');
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.values[key] ?? fallback;
    if (typeof value === 'boolean') return value;
    throw this.wrong(key, 'true or false');
  }

  text(key: string, fallback?: string): string {
    const value = this.values[key] ?? fallback;
    if (typeof value === 'string') return value;
    throw this.wrong(key, 'a text');
  }

  list(key: string): readonly unknown[] {
    const value = this.values[key];
    if (Array.isArray(value)) return value as readonly unknown[];
    throw this.wrong(key, 'a list');
  }

  numbers(key: string): readonly number[] {
    const value = unwrapArray(this.values[key]);
    const list = typeof value === 'number' ? [value] : value;
    const fits =
      Array.isArray(list) && list.every((n) => typeof n === 'number' && Number.isFinite(n));
    if (fits) return list as readonly number[];
    throw this.wrong(key, 'numbers');
  }

  object(key: string): JsonObject {
    const value = this.values[key];
    if (isObject(value)) return value;
    throw this.wrong(key, 'an object');
  }

  /** Height and width: a number for both, or two. */
  pair(key: string, fallback?: Pair): Pair {
    if (!this.has(key) && fallback !== undefined) return fallback;
    const list = this.numbers(key);
    const [height, width = height] = list;
    if (height === undefined || width === undefined || list.length > 2) {
      throw this.wrong(key, 'one or two numbers');
    }
    return [height, width];
  }

  /** [[top, bottom], [left, right]], or a number for each axis, or one for all sides. */
  borders(key: string, fallback: number): readonly [Pair, Pair] {
    const value = this.values[key] ?? fallback;
    const side = (entry: unknown): Pair => {
      if (typeof entry === 'number') return [entry, entry];
      return new Config({ [key]: entry }, this.owner).pair(key);
    };
    if (!Array.isArray(value)) return [side(value), side(value)];
    if (value.length !== 2) throw this.wrong(key, 'amounts for height and width');
    return [side(value[0]), side(value[1])];
  }

  wrong(key: string, wanted: string): Error {
    const found = this.values[key];
    const problem = found === undefined || found === null ? 'is missing' : `is not ${wanted}`;
    return corrupt(`${this.owner}: "${key}" ${problem}`, { key, owner: this.owner });
  }
}
