// TensorFlow's StridedSlice: which part of which axis it takes (tensorflow/core/util/strided_slice_op.cc).

import type { Attrs } from '../graph-def';

export interface AxisSlice {
  readonly begin: number;
  /** Exclusive. */
  readonly end: number;
  readonly stride: number;
  /** Whether all of the axis is taken as it is: known even for an axis of unknown size. */
  readonly whole: boolean;
}

export interface SliceSpec {
  /** For each axis of the input. */
  readonly axes: readonly AxisSlice[];
  /** Axes of the result in order: an axis of the input, or 'new' for one of size 1. */
  readonly result: readonly (number | 'new')[];
}

/**
 * @param shape sizes of the input, NaN where unknown
 * @returns null where the lists do not fit the shape or a stride is 0
 */
export function sliceSpec(
  attrs: Attrs,
  shape: readonly number[],
  begin: readonly number[],
  end: readonly number[],
  strides: readonly number[],
): SliceSpec | null {
  const count = begin.length;
  if (end.length !== count || strides.length !== count || count > 32) return null;
  const mask = (name: string): ((i: number) => boolean) => {
    const bits = attrs.int(name, 0);
    return (i) => (bits & (1 << i)) !== 0;
  };
  const isNew = mask('new_axis_mask');
  const isEllipsis = mask('ellipsis_mask');
  const [openBegin, openEnd, shrinks] = [
    mask('begin_mask'),
    mask('end_mask'),
    mask('shrink_axis_mask'),
  ];
  const named = begin.filter((_, i) => !isNew(i) && !isEllipsis(i)).length;
  const axes: AxisSlice[] = [];
  const result: (number | 'new')[] = [];
  const takeWhole = (until: number): void => {
    while (axes.length < until) {
      result.push(axes.length);
      axes.push({ begin: 0, end: shape[axes.length]!, stride: 1, whole: true });
    }
  };
  let left = named;
  for (let i = 0; i < count; i++) {
    if (isEllipsis(i)) takeWhole(shape.length - left);
    else if (isNew(i)) result.push('new');
    else {
      const size = shape[axes.length];
      const slice =
        size === undefined
          ? null
          : axisSlice(size, begin[i]!, end[i]!, strides[i]!, {
              openBegin: openBegin(i),
              openEnd: openEnd(i),
              shrinks: shrinks(i),
            });
      if (slice === null) return null;
      if (!shrinks(i)) result.push(axes.length);
      axes.push(slice);
      left--;
    }
  }
  takeWhole(shape.length);
  return { axes, result };
}

function axisSlice(
  size: number,
  begin: number,
  end: number,
  stride: number,
  is: { readonly openBegin: boolean; readonly openEnd: boolean; readonly shrinks: boolean },
): AxisSlice | null {
  if (stride === 0 || !Number.isInteger(stride)) return null;
  const fromEnd = (value: number): number => (value < 0 ? value + size : value);
  if (is.shrinks) {
    const at = fromEnd(begin);
    // Of an axis of unknown size, a place counted from the front is known nevertheless.
    const inside = at >= 0 && (Number.isNaN(size) || at < size);
    return inside ? { begin: at, end: at + 1, stride: 1, whole: false } : null;
  }
  const forward = stride > 0;
  const clamp = (value: number): number =>
    Math.min(Math.max(fromEnd(value), forward ? 0 : -1), forward ? size : size - 1);
  const from = is.openBegin ? (forward ? 0 : size - 1) : clamp(begin);
  const to = is.openEnd ? (forward ? size : -1) : clamp(end);
  const startsFirst = is.openBegin || begin === 0;
  const endsLast = is.openEnd || to === size || Number.isNaN(end);
  return { begin: from, end: to, stride, whole: stride === 1 && startsFirst && endsLast };
}
