import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src-main/engine/errors';
import {
  checkedName,
  cleanName,
  findByReference,
  newId,
  uniqueName,
} from '../../../src-main/project/names';

function thrownBy(action: () => unknown): AppError {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

describe('checkedName', () => {
  it.each(['sample', 'sample-l1-50', 'MobileNet v2 (1.0)', 'Größe', 'v3', '3'])(
    'accepts %j',
    (name) => {
      expect(checkedName(`  ${name} `)).toBe(name);
    },
  );

  it.each([
    '',
    '  ',
    'a/b',
    'a\\b',
    'a:b',
    'a\nb',
    '.hidden',
    'dot.',
    '-rf',
    '..',
    'x'.repeat(121),
  ])('refuses %j', (name) => {
    const error = thrownBy(() => checkedName(name));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.details).toEqual({ field: 'name' });
  });

  it('refuses what could be taken for an id', () => {
    expect(thrownBy(() => checkedName(newId('v'))).message).toContain('looks like an id');
  });
});

describe('cleanName', () => {
  it.each([
    ['model', 'model'],
    ['a/b: c?', 'a-b- c-'],
    ['..secret.', 'secret'],
    ['\u0000', 'version'],
    ['  ', 'version'],
    ['y'.repeat(200), 'y'.repeat(120)],
  ])('makes %j %j', (suggested, name) => {
    expect(cleanName(suggested, 'version')).toBe(name);
    expect(checkedName(name)).toBe(name);
  });
});

describe('uniqueName', () => {
  it.each([
    ['sample', [], 'sample'],
    ['sample', ['other'], 'sample'],
    ['sample', ['sample'], 'sample-2'],
    ['sample', ['sample', 'sample-2', 'sample-4'], 'sample-3'],
    // The end of the name is part of it: not "sample-l1-51".
    ['sample-l1-50', ['sample-l1-50'], 'sample-l1-50-2'],
    ['Sample', ['sample'], 'Sample-2'],
  ])('makes %j beside %j %j', (name, taken, unique) => {
    expect(uniqueName(name, taken)).toBe(unique);
  });

  it('keeps to the greatest length', () => {
    const long = 'x'.repeat(120);
    expect(checkedName(uniqueName(long, [long]))).toBe(`${'x'.repeat(118)}-2`);
  });
});

describe('findByReference', () => {
  const entries = [
    { id: 'v-000000000001', name: 'sample' },
    { id: 'v-000000000002', name: 'sample-l1-50' },
    { id: 'v-000000000003', name: 'resnet' },
  ];

  it('finds by id, by name and by name in other case', () => {
    expect(findByReference(entries, 'v-000000000002', 'version').name).toBe('sample-l1-50');
    expect(findByReference(entries, 'resnet', 'version').id).toBe('v-000000000003');
    expect(findByReference(entries, 'ResNet', 'version').id).toBe('v-000000000003');
  });

  it('names the nearest when there is none', () => {
    const error = thrownBy(() => findByReference(entries, 'smaple-l1-50', 'version'));
    expect(error.code).toBe('NOT_FOUND');
    expect(error.message).toContain('"smaple-l1-50"');
    expect(error.hint).toBe('Did you mean "sample-l1-50"?');
  });

  it('says so when there are none at all', () => {
    const error = thrownBy(() => findByReference([], 'x', 'data set'));
    expect(error.hint).toBe('The project has no data set.');
  });
});
