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
