// Which of the program's arguments is the model to open.

import { describe, expect, it } from 'vitest';
import { modelArgument } from '../../../src-main/app/arguments';

describe('modelArgument', () => {
  it.each<[string, string[], string | null]>([
    ['nothing but the app', ['/electron', '/work/app'], null],
    ['the app by a relative path', ['/electron', '.'], null],
    ['flags before the app', ['/electron', '--no-sandbox', '--inspect=0', '/work/app'], null],
    ['a model', ['/electron', '/work/app', '/models/net/model.json'], '/models/net/model.json'],
    ['a model between flags', ['/electron', '--x', '.', '--y=1', 'net'], '/work/app/net'],
  ])('unpackaged: %s', (_, argv, expected) => {
    expect(modelArgument(argv, '/work/app', '/work/app')).toBe(expected);
  });

  it.each<[string, string[], string | null]>([
    ['nothing', ['/opt/secateur'], null],
    ['a flag', ['/opt/secateur', '--force-dark'], null],
    ['a model beside the shell', ['/opt/secateur', 'net/model.json'], '/home/a/net/model.json'],
  ])('packaged: %s', (_, argv, expected) => {
    expect(modelArgument(argv, '/home/a', null)).toBe(expected);
  });
});
