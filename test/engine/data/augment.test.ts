// Flip and pad-crop, against a plain description by coordinates.
import { describe, expect, it } from 'vitest';
import { drawPlacement, placeImage } from '../../../src-main/engine/data/augment';
import type { Placement } from '../../../src-main/engine/data/augment';
import { createRng } from '../../../src-main/engine/graph/rng';
import { noise } from './support';

/** Pixel by pixel: flip the image, look up the shifted position, 0 outside. */
function byCoordinates(
  image: Uint8Array,
  height: number,
  width: number,
  channels: number,
  { flip, dy, dx }: Placement,
): number[] {
  const result: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const [fromY, shifted] = [y + dy, x + dx];
        const fromX = flip ? width - 1 - shifted : shifted;
        const inside = fromY >= 0 && fromY < height && fromX >= 0 && fromX < width;
        result.push(inside ? image[(fromY * width + fromX) * channels + c]! : 0);
      }
    }
  }
  return result;
}

describe('placeImage', () => {
  it.each([1, 3] as const)('equals the description for every shift, %i channels', (channels) => {
    const [height, width] = [4, 5];
    const bytes = height * width * channels;
    const source = noise(3 * bytes);
    const image = source.subarray(bytes, 2 * bytes);
    for (const flip of [false, true]) {
      for (let dy = -5; dy <= 5; dy++) {
        for (let dx = -6; dx <= 6; dx++) {
          const target = new Uint8Array(bytes + 14).fill(99);
          placeImage(source, bytes, target, 7, { height, width, channels }, { flip, dy, dx });
          const expected = byCoordinates(image, height, width, channels, { flip, dy, dx });
          expect([...target.subarray(7, 7 + bytes)]).toEqual(expected);
          expect([...target.subarray(0, 7), ...target.subarray(7 + bytes)]).toEqual(
            new Array(14).fill(99),
          );
        }
      }
    }
  });
});

describe('drawPlacement', () => {
  it('covers all shifts and flips half', () => {
    const rng = createRng(11);
    const drawn = Array.from({ length: 4000 }, () => drawPlacement(rng, true, 2));
    expect(new Set(drawn.map(({ dy }) => dy))).toEqual(new Set([-2, -1, 0, 1, 2]));
    expect(new Set(drawn.map(({ dx }) => dx))).toEqual(new Set([-2, -1, 0, 1, 2]));
    expect(drawn.filter(({ flip }) => flip).length / 4000).toBeCloseTo(0.5, 1);
  });

  it('draws nothing for what is off', () => {
    const rng = createRng(1);
    const before = rng.getState();
    expect(drawPlacement(rng, false, 0)).toEqual({ flip: false, dy: 0, dx: 0 });
    expect(rng.getState()).toEqual(before);
  });
});
