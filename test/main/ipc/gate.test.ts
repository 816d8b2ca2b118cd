// The gate in front of every call: forged frames, wrong arguments, thrown errors.

import { describe, expect, it } from 'vitest';

import { AppError } from '../../../src-main/engine/errors';
import { createRng } from '../../../src-main/engine/graph/rng';
import { defaultDecodeOptions } from '../../../src-main/engine/data/defaults';
import { defaultPruneOptions } from '../../../src-main/engine/prune';
import { defaultSensitivityOptions } from '../../../src-main/engine/prune/sensitivity';
import { fineTuneDefaults, fullTrainingDefaults } from '../../../src-main/engine/train/defaults';
import { callNames, type PageJobRequest } from '../../../src-main/ipc/contract';
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
    const args = { version: 'v1', options, steps: 1, schedule: 'linear', data: null };
    expect(schemas['prune.preview'].parse(args)).toEqual(args);
  });
});

describe('the schema of a job', () => {
  const requests: Record<PageJobRequest['kind'], PageJobRequest> = {
    import: {
      kind: 'import',
      token: 't',
      name: 'net',
      preprocessing: { scale: 1, mean: [0], std: [1], channelOrder: 'rgb' },
      labels: ['a', 'b'],
      data: 'd-1',
      measure: true,
    },
    zoo: {
      kind: 'zoo',
      architecture: 'lenet5',
      inputShape: [28, 28, 1],
      classes: 10,
      seed: 1,
      name: 'net',
    },
    prune: {
      kind: 'prune',
      version: 'v-1',
      options: defaultPruneOptions,
      steps: 2,
      data: 'd-1',
      recalibrate: true,
      fineTune: fineTuneDefaults(3),
      measure: true,
      name: 'slim',
    },
    train: {
      kind: 'train',
      version: 'v-1',
      data: 'd-1',
      options: fullTrainingDefaults(20),
      init: { budget: 'b', originalEpochs: 20, gamma: 0.5 },
      measure: false,
      name: null,
    },
    recalibrate: {
      kind: 'recalibrate',
      version: 'v-1',
      data: 'd-1',
      options: { batches: 20, batchSize: 128, seed: 0 },
      name: null,
    },
    sensitivity: {
      kind: 'sensitivity',
      version: 'v-1',
      data: 'd-1',
      options: defaultSensitivityOptions,
    },
    evaluate: { kind: 'evaluate', versions: ['v-1'], data: 'd-1', split: 'val' },
    measure: { kind: 'measure', versions: ['v-1'], runtime: 'tfjs', threads: 2, runs: 10 },
    export: {
      kind: 'export',
      version: 'v-1',
      format: 'tflite',
      precision: 'fp32',
      data: null,
      folderToken: null,
    },
    'add-data': { kind: 'add-data', token: 't', name: 'data', decode: defaultDecodeOptions },
  };

  /** Copies of a value with one thing wrong, at every depth. */
  function* nearlyRight(value: unknown): Generator<unknown> {
    yield { toString: 'no' };
    yield NaN;
    if (Array.isArray(value)) {
      for (const [i, entry] of value.entries()) {
        for (const wrong of nearlyRight(entry))
          yield [...value.slice(0, i), wrong, ...value.slice(i + 1)];
      }
    } else if (typeof value === 'object' && value !== null) {
      yield { ...value, path: '/etc/passwd' };
      for (const [key, entry] of Object.entries(value)) {
        for (const wrong of nearlyRight(entry)) yield { ...value, [key]: wrong };
        // Criteria that have a default of their own, and parts of a target, may be missing.
        if (key !== 'macs' && key !== 'normalisation') {
          yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== key));
        }
      }
    }
  }

  it.each(Object.values(requests))(
    'takes a request to $kind, and none that is nearly one',
    (request) => {
      const schema = schemas['jobs.start'];
      expect(schema.parse({ request })).toEqual({ request });
      for (const wrong of nearlyRight(request)) {
        expect(schema.safeParse({ request: wrong }).success, JSON.stringify(wrong)).toBe(false);
      }
    },
  );
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
