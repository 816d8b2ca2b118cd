// Stored numbers: a constant tensor, and the scale and offset of preprocessing kept inside the model.
import { channelsOf, inputAt, requireIntegers, shapeError } from './check';
import { lastAxisLabels, passLastAxis } from './labels';
import type { CutContext, OpDef } from './types';

export const constant: OpDef<'constant'> = {
  summary: 'A stored tensor',
  inputs: { min: 0, max: 0 },
  weightShapes: () => ({ value: { shape: null, optional: false } }),
  infer(node, inputs, weight) {
    const value = weight('value');
    if (value === undefined) throw shapeError(node, inputs, 'the value is missing');
    requireIntegers(node, inputs, 'sizes', value.shape);
    return [value.shape];
  },
  channels(context) {
    const shape = context.outputShapes[0]!;
    const channels = shape.at(-1);
    if (channels === undefined) {
      context.out(0, { shape: [], ids: new Int32Array(0) });
      return;
    }
    const ids = context.fresh(channels);
    if (channels > 1) context.site('value', shape.length - 1, ids, 'param');
    context.out(0, lastAxisLabels(ids));
  },
};

/** The kept entries of a list with one number a channel; a single number serves all. */
function keptEntries(values: readonly number[], cut: CutContext): readonly number[] {
  if (values.length === 1) return values;
  return Array.from(cut.keptIn(0), (position) => values[position]!);
}

export const rescale: OpDef<'rescale'> = {
  summary: 'x * scale + offset, for all channels or each',
  inputs: { min: 1, max: 1 },
  weightShapes: () => ({}),
  infer(node, inputs) {
    const { scale, offset } = node.attrs;
    const channels = channelsOf(node, inputs);
    for (const [name, values] of Object.entries({ scale, offset })) {
      if (values.length !== 1 && values.length !== channels) {
        throw shapeError(node, inputs, `${name} must be one number or ${channels}`);
      }
      if (!values.every(Number.isFinite)) throw shapeError(node, inputs, `${name} must be finite`);
    }
    return [inputAt(node, inputs, 0)];
  },
  channels: (context) => passLastAxis(context),
  recut(node, cut) {
    const { scale, offset } = node.attrs;
    return {
      op: 'rescale',
      attrs: { scale: keptEntries(scale, cut), offset: keptEntries(offset, cut) },
    };
  },
};
