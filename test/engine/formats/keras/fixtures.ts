// The files of test/fixtures/keras, with what Keras computes for each (make.py and make_keras2.py there).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Graph } from '../../../../src-main/engine/graph/types';

export const fixtures = join(import.meta.dirname, '../../../fixtures/keras');

interface Expected {
  readonly scale: number;
  readonly offset: number;
  readonly outputs: readonly (readonly number[])[];
}

function readExpected(name: string): Readonly<Record<string, Expected>> {
  return JSON.parse(readFileSync(join(fixtures, name), 'utf8')) as Readonly<
    Record<string, Expected>
  >;
}

export const expected = {
  ...readExpected('expected.json'),
  ...readExpected('expected-keras2.json'),
};

/** The input of common.py: sin(0.7 i + (0.1 i^2 mod 1)), scaled and moved. */
export function wave(size: number, scale = 1, offset = 0): Float32Array {
  return Float32Array.from(
    { length: size },
    (_, i) => offset + scale * Math.sin(0.7 * i + ((0.1 * i * i) % 1)),
  );
}

/** The inputs on which a file's expected outputs were computed. */
export function inputsOf(graph: Graph, name: string): readonly Float32Array[] {
  const { scale, offset } = expected[name]!;
  return graph.inputs.map(({ shape }) =>
    wave(
      shape.reduce((a, b) => a * b, 1),
      scale,
      offset,
    ),
  );
}

/** Largest difference, relative to the largest value: infinite when the lengths differ. */
export function relativeDifference(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (actual.length !== wanted.length) return Infinity;
  let [difference, largest] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const here = Math.abs(actual[i]! - wanted[i]!);
    difference = Number.isNaN(here) ? Infinity : Math.max(difference, here);
    largest = Math.max(largest, Math.abs(wanted[i]!));
  }
  return difference / Math.max(largest, 1e-9);
}
