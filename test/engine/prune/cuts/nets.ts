// What the small networks of these tests are built of.

import type { GraphBuilder } from '../../../../src-main/engine/graph/build';

export type Net = (b: GraphBuilder) => void;

/** A classifier behind every net, so that the output is frozen away from what is tested. */
export function head(b: GraphBuilder, x: string): void {
  b.output(b.dense(b.globalAvgPool(x), { units: 3, name: 'head' }));
}

export const conv = (
  b: GraphBuilder,
  x: string,
  name: string,
  filters: number,
  kernelSize = 3,
): string => b.conv2d(x, { name, filters, kernelSize });
