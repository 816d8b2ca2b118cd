import { expect, it } from 'vitest';
import { defaultClip, fineTuneDefaults } from '../../../src-main/engine/train/defaults';
import { forTask } from '../../../src-renderer/state/training';

it('moves to other data what stands at its default, and keeps what was chosen', () => {
  const defaults = { clip: defaultClip };
  const options = fineTuneDefaults(3);
  const values = forTask(options, defaults, 'classes', 'values');
  expect(values).toEqual({ ...options, clipNorm: 1 });
  expect(forTask(values, defaults, 'values', 'labels')).toEqual(options);
  const chosen = { ...options, clipNorm: 5 };
  expect(forTask(chosen, defaults, 'classes', 'values')).toEqual(chosen);
});
