// How the reference of an op is called.

import type { NodeOf, Op, Shape, WeightRole } from '../../../src-main/engine/graph/types';
import type { Value } from './value';

export interface Call<K extends Op> {
  readonly node: NodeOf<K>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Shape[];
  weight(role: WeightRole): Value | undefined;
}

export type Reference<K extends Op> = (call: Call<K>) => readonly Value[];

/** What ops need that have neither attributes nor weights. */
export type Operands = Pick<Call<Op>, 'inputs' | 'outputs'>;

export type References<K extends Op> = { readonly [Name in K]: Reference<Name> };
