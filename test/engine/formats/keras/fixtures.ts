// The files of test/fixtures/keras, with what Keras computes for each (make.py and make_keras2.py there).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Graph } from '../../../../src-main/engine/graph/types';
import { wave } from './wave';

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
