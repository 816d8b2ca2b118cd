// The models in test/fixtures/onnx and what ONNX Runtime made of them; see make.py there.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentContext } from '../../../../src-main/engine/context';
import { onnxReader } from '../../../../src-main/engine/formats/onnx/reader';
import type { ImportResult } from '../../../../src-main/engine/formats/types';
import type { Shape } from '../../../../src-main/engine/graph/types';

export const folder = join(import.meta.dirname, '../../../fixtures/onnx');

export const names = readdirSync(folder)
  .filter((file) => file.endsWith('.onnx'))
  .map((file) => file.slice(0, -'.onnx'.length));

export function readFixture(name: string): Promise<ImportResult> {
  return onnxReader.read(join(folder, `${name}.onnx`), silentContext);
}

/** Numbers from -1 to 1 by the generator of Park and Miller, as make.py draws them. */
function numbers(count: number): Float32Array {
  let seed = 1;
  return Float32Array.from({ length: count }, () => {
    seed = (seed * 16807) % 2147483647;
    return (seed / 2147483647) * 2 - 1;
  });
}

/** An image [C, H, W] as [H, W, C]. */
export function channelsLast(values: Float32Array, [channels, height, width]: Shape): Float32Array {
  const size = height! * width!;
  return values.map((_, i) => values[(i % channels!) * size + Math.floor(i / channels!)]!);
}

/** An image [H, W, C] as [C, H, W]. */
export function channelsFirst(
  values: Float32Array,
  [height, width, channels]: Shape,
): Float32Array {
  const size = height! * width!;
  return values.map((_, i) => values[(i % size) * channels! + Math.floor(i / size)]!);
}

/** The inputs that ONNX Runtime was given, as the graph takes them: all files but one have channels first. */
export function inputsOf(name: string, shapes: readonly Shape[]): Float32Array[] {
  return shapes.map((shape) => {
    const values = numbers(shape.reduce((a, b) => a * b, 1));
    const [height, width, channels] = shape;
    if (shape.length !== 3 || name === 'channels-last') return values;
    return channelsLast(values, [channels!, height!, width!]);
  });
}

export interface Expected {
  /** Of the file, with the batch. */
  readonly shape: Shape;
  /** As the graph has it: images with channels last. */
  readonly values: Float32Array;
}

export function expectedOf(name: string): readonly Expected[] {
  const json = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as {
    shape: number[];
    data: string;
  }[];
  return json.map(({ shape, data }) => {
    const values = new Float32Array(Uint8Array.from(Buffer.from(data, 'base64')).buffer);
    const isImage = shape.length === 4 && name !== 'channels-last';
    return { shape, values: isImage ? channelsLast(values, shape.slice(1)) : values };
  });
}

/** Largest difference of all outputs, each relative to its largest number; infinite where their number differs. */
export function difference(
  actual: readonly Float32Array[],
  expected: readonly Pick<Expected, 'values'>[],
): number {
  if (actual.length !== expected.length) return Infinity;
  return Math.max(
    ...expected.map(({ values }, n) => {
      if (actual[n]!.length !== values.length) return Infinity;
      const largest = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
      const apart = values.reduce((max, value, i) => {
        const distance = Math.abs(value - actual[n]![i]!);
        return Number.isNaN(distance) ? Infinity : Math.max(max, distance);
      }, 0);
      return apart / largest;
    }),
  );
}
