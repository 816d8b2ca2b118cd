// What the axes of a chart are made of.

export interface ChartMargin {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/** A mark of an axis: pixels from the left or the top edge, and what stands there. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** The ticks of a scale. */
export function ticksOf(
  values: readonly number[],
  place: (value: number) => number,
  format: (value: number) => string,
): readonly Tick[] {
  return values.map((value) => ({ at: place(value), text: format(value) }));
}

/** Ticks of a logarithmic axis: powers of ten, with steps between them where there are few. */
export function logTicks([low = 1, high = 10]: readonly number[]): readonly number[] {
  const decades = Math.log10(high / low);
  const steps = decades > 3 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    ticks.push(...steps.map((step) => step * 10 ** power));
  }
  // Powers of ten are not exact: the end of the axis is one of its ticks.
  return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}
