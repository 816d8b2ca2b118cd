// The numbers of preprocessing as a C++ header.

import type { UsageFacts } from './types';

/** A C++ float literal. */
const float = (value: number): string => {
  const digits = String(value);
  return `${/[.e]/.test(digits) ? digits : `${digits}.0`}f`;
};

const list = (values: readonly number[]): string => `{${values.map(float).join(', ')}}`;

/** A C++ string literal. */
const text = (value: string): string => JSON.stringify(value);

/** What preprocessing.json says, for run.cpp. */
export function preprocessingHeader({ model, files }: UsageFacts): string {
  const [height = 1, width = 1, channels = 1] = model.graph.inputs[0]?.shape ?? [];
  const { scale, mean, std, channelOrder } = model.preprocessing;
  const values = Math.max(mean.length, std.length);
  const each = (numbers: readonly number[]): string =>
    list(Array.from({ length: values }, (_, i) => numbers[i] ?? numbers[0]!));
  return [
    '// x = (pixel * kScale - kMean) / kStd, per channel, pixel from 0 to 255.',
    '#pragma once',
    '',
    `constexpr char kModelFile[] = ${text(files[0]?.path ?? '')};`,
    `constexpr int kHeight = ${height}, kWidth = ${width}, kChannels = ${channels};`,
    `constexpr bool kIsBgr = ${channelOrder === 'bgr'};`,
    `constexpr char kOutputKind[] = ${text(model.outputKind)};`,
    `constexpr float kScale = ${float(scale)};`,
    '// One value for all channels, or one a channel.',
    `constexpr int kValues = ${values};`,
    `constexpr float kMean[] = ${each(mean)};`,
    `constexpr float kStd[] = ${each(std)};`,
    '',
  ].join('\n');
}
