// What the outputs of a model are the scores of, in words.

import type { OutputKind } from '../graph/types';

export const outputNames: Readonly<Record<OutputKind, string>> = {
  logits: 'classes',
  softmax: 'classes',
  'label-logits': 'labels',
  sigmoid: 'labels',
  values: 'values',
};
