// Windows that move over an image: what convolutions and pooling look at.

import type { OpAttrs, Padding, Shape } from '../../../src-main/engine/graph/types';
import type { Operands } from './call';
import { at, build, type Value } from './value';

export interface Window {
  readonly kernelSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: Padding;
}

/** A position of the image and its place in the kernel. */
interface Tap {
  readonly row: number;
  readonly column: number;
  readonly ky: number;
  readonly kx: number;
}

/** Zeros in front along an axis; see the notes on padding of tf.nn. */
function before(
  { kernelSize, strides, dilations, padding }: Window,
  axis: 0 | 1,
  size: number,
): number {
  if (padding === 'valid') return 0;
  if (padding !== 'same') return padding[axis][0];
  const span = (kernelSize[axis] - 1) * dilations[axis] + 1;
  const total = (Math.ceil(size / strides[axis]) - 1) * strides[axis] + span - size;
  return Math.floor(Math.max(total, 0) / 2);
}

/** What lies under the window of an output position, without the padding. */
export function under(window: Window, image: Shape, y: number, x: number): readonly Tap[] {
  const { kernelSize, strides, dilations } = window;
  const [height, width] = image as readonly [number, number];
  const top = y * strides[0] - before(window, 0, height);
  const left = x * strides[1] - before(window, 1, width);
  const taps: Tap[] = [];
  for (let ky = 0; ky < kernelSize[0]; ky++) {
    for (let kx = 0; kx < kernelSize[1]; kx++) {
      const [row, column] = [top + ky * dilations[0], left + kx * dilations[1]];
      const isInside = row >= 0 && row < height && column >= 0 && column < width;
      if (isInside) taps.push({ row, column, ky, kx });
    }
  }
  return taps;
}

type PoolCall = Operands & { readonly node: { readonly attrs: OpAttrs['avgPool2d'] } };

/** @param reduce of what is inside, and of how large the window is */
export function pool(reduce: (inside: readonly number[], area: number) => number) {
  return ({ node, inputs, outputs }: PoolCall): readonly Value[] => {
    const [image] = inputs as [Value];
    const { poolSize, strides, padding } = node.attrs;
    const window: Window = { kernelSize: poolSize, strides, dilations: [1, 1], padding };
    return [
      build(outputs[0]!, ([y, x, c]) => {
        const inside = under(window, image.shape, y!, x!).map(({ row, column }) =>
          at(image, [row, column, c!]),
        );
        return reduce(inside, poolSize[0] * poolSize[1]);
      }),
    ];
  };
}
