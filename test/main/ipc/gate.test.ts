// The gate in front of every call: forged frames, wrong arguments, thrown errors.

import { describe, expect, it } from 'vitest';

import { AppError } from '../../../src-main/engine/errors';
import { createRng } from '../../../src-main/engine/graph/rng';
import { callNames } from '../../../src-main/ipc/contract';
import { answer, isTrustedSender } from '../../../src-main/ipc/gate';
import { dropSchema, schemas } from '../../../src-main/ipc/schemas';

const isOurs = (url: string): boolean => url.startsWith('app://bundle/');

describe('isTrustedSender', () => {
  const mainFrame = { url: 'app://bundle/index.html' };

  it('takes the main frame of our page', () => {
    expect(isTrustedSender({ senderFrame: mainFrame, sender: { mainFrame } }, isOurs)).toBe(true);
  });

  it('refuses a frame that is gone, a sub-frame, and another origin', () => {
    const subFrame = { url: 'app://bundle/index.html' };
    const foreign = { url: 'https://example.com/' };
    expect(isTrustedSender({ senderFrame: null, sender: { mainFrame } }, isOurs)).toBe(false);
    expect(isTrustedSender({ senderFrame: subFrame, sender: { mainFrame } }, isOurs)).toBe(false);
    expect(isTrustedSender({ senderFrame: foreign, sender: { mainFrame: foreign } }, isOurs)).toBe(
      false,
    );
  });
});

const ignore = (): void => undefined;

/** Values that no call takes, drawn from what a broken or hostile page might send. */
function randomValue(random: () => number, depth = 0): unknown {
  const pick = Math.floor(random() * (depth > 2 ? 8 : 10));
  const text = (): string => random().toString(36).slice(2);
  switch (pick) {
    case 0:
      return undefined;
    case 1:
      return null;
    case 2:
      return (random() - 0.5) * 1e12;
    case 3:
      return NaN;
    case 4:
      return text();
    case 5:
      return random() < 0.5;
    case 6:
      return '../'.repeat(8) + text();
    case 7:
      return -0;
    case 8:
      return Array.from({ length: 3 }, () => randomValue(random, depth + 1));
    default:
      return { [text()]: randomValue(random, depth + 1), kind: text() };
  }
}

describe('schemas', () => {
  it.each([...callNames, 'drop:inspect'] as const)(
    '%s refuses 200 random values and calls no handler',
    async (name) => {
      const schema = name === 'drop:inspect' ? dropSchema : schemas[name];
      const rng = createRng(7);
      for (let i = 0; i < 200; i++) {
        const value = randomValue(() => rng.uniform());
        let handled = false;
        const reply = await answer<unknown, string>(
          schema,
          async () => {
            handled = true;
            return 'handled';
          },
          value,
          ignore,
        );
        expect(handled).toBe(false);
        expect(reply).toMatchObject({ ok: false, error: { code: 'INVALID_ARGUMENT' } });
      }
    },
  );

  it('names the field that does not fit', async () => {
    const reply = await answer(
      schemas['versions.rename'],
      async () => undefined,
      { version: 'v1', name: '' },
      ignore,
    );
    expect(reply).toMatchObject({
      ok: false,
      error: { details: { fields: { name: expect.stringContaining('empty') } } },
    });
  });

  it('takes what the page really sends', () => {
    const target = { macs: 0.5 };
    const options = {
      criterion: 'l1',
      reduction: 'mean',
      normalisation: 'mean',
      scope: 'global',
      target,
      align: 1,
      minChannels: 1,
      maxRatio: 1,
      protect: ['conv1'],
      seed: 0,
    };
    const args = { version: 'v1', options, steps: 1 };
    expect(schemas['prune.preview'].parse(args)).toEqual(args);
  });
});

describe('answer', () => {
  it('keeps code, hint and details of an AppError', async () => {
    const seen: string[] = [];
    const reply = await answer(
      schemas['app.info'],
      async () => {
        throw new AppError('DISK_FULL', 'full', 'free some', { details: { bytesNeeded: 7 } });
      },
      {},
      (error) => seen.push(error.code),
    );
    expect(reply).toEqual({
      ok: false,
      error: { code: 'DISK_FULL', message: 'full', hint: 'free some', details: { bytesNeeded: 7 } },
    });
    expect(seen).toEqual(['DISK_FULL']);
  });
});
