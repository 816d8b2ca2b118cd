// Channel numbers as runs.

import { describe, expect, it } from 'vitest';
import { channelRuns } from '../../../src-renderer/charts/channel-runs';

describe('channelRuns', () => {
  it.each([
    [[], []],
    [[5], [[5, 1]]],
    [[0, 1, 2, 7], [[0, 3], [7, 1]]], // prettier-ignore
    [[3, 1, 2, 9, 8], [[1, 3], [8, 2]]], // prettier-ignore
  ])('%j', (channels, runs) => {
    expect(channelRuns(channels)).toEqual(runs);
  });
});
