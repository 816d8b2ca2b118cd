// Steps computed at the other end of a channel, beside the same steps computed here.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { silentContext } from '../../../src-main/engine/context';
import type { Model } from '../../../src-main/engine/graph/types';
import { loadBackend } from '../../../src-main/engine/runtime/backend';
import type { TrainCheckpoint } from '../../../src-main/engine/train/checkpoint';
import { fullTrainingDefaults, optimizerDefaults } from '../../../src-main/engine/train/defaults';
import { connectCompute, type RemoteCompute } from '../../../src-main/engine/train/remote/connect';
import type {
  FromComputer,
  Pipe,
  ToComputer,
} from '../../../src-main/engine/train/remote/protocol';
import { serveSteps } from '../../../src-main/engine/train/remote/serve';
import { localCompute } from '../../../src-main/engine/train/step';
import { train } from '../../../src-main/engine/train/trainer';
import type { TrainOptions, TrainResult } from '../../../src-main/engine/train/types';
import { toyDataset, toyModel } from './toy';

const dataset = toyDataset({ train: 20, val: 6, test: 0 });
/** All that a step can have to remember. */
const options: TrainOptions = {
  ...fullTrainingDefaults(2),
  batchSize: 10,
  optimizer: optimizerDefaults.full.adamw,
  gammaSparsity: 1e-3,
  labelSmoothing: 0.1,
  mixup: 0.4,
  clipNorm: 0.5,
  ema: 0.9,
  distill: { temperature: 3, alpha: 0.4, hints: 5 },
};

function pipeOf<In, Out>(port: MessagePort): Pipe<In, Out> {
  return {
    send: (message) => port.postMessage(message),
    onMessage: (listener) => void port.on('message', listener),
    onClosed: (listener) => void port.on('close', listener),
    close: () => port.close(),
  };
}

async function connected(): Promise<{ compute: RemoteCompute; far: MessagePort }> {
  const { port1, port2 } = new MessageChannel();
  const compute = connectCompute(pipeOf<FromComputer, ToComputer>(port1));
  const info = { detail: 'far away', isSoftware: true };
  serveSteps(pipeOf<ToComputer, FromComputer>(port2), await loadBackend('cpu'), info);
  return { compute: await compute, far: port2 };
}

const numbersOf = ({ graph }: Model): number[] =>
  [...graph.weights.values()].flatMap(({ data }) => Array.from(data));

describe('steps at the other end of a channel', () => {
  it('are those of this end, bit for bit, checkpoints too', async () => {
    const backend = await loadBackend('cpu');
    const before = backend.tf.memory().numTensors;
    const { compute } = await connected();
    const teacher = toyModel({ seed: 8 });
    const run = async (how: typeof compute | ReturnType<typeof localCompute>) => {
      const checkpoints: TrainCheckpoint[] = [];
      const onEpoch = async (
        _record: unknown,
        checkpoint: () => Promise<TrainCheckpoint>,
      ): Promise<void> => void checkpoints.push(await checkpoint());
      const result: TrainResult = await train(
        toyModel(),
        dataset,
        options,
        silentContext,
        { onEpoch },
        { compute: how, teacher },
      );
      return { result, checkpoints };
    };
    const here = await run(localCompute(backend));
    const there = await run(compute);
    expect(there.result.backend).toBe('far away');
    expect(numbersOf(there.result.model)).toEqual(numbersOf(here.result.model));
    const timeless = ({ history }: TrainResult): unknown[] =>
      history.map((record) => ({ ...record, imagesPerSecond: 0 }));
    expect(timeless(there.result)).toEqual(timeless(here.result));
    const [ours, theirs] = [here.checkpoints[0]!, there.checkpoints[0]!];
    expect(theirs.optimizer).toEqual(ours.optimizer);
    expect(theirs.average?.updates).toBe(ours.average?.updates);
    // Half way on one side, to the end on the other.
    const rest = await train(
      toyModel(),
      dataset,
      options,
      silentContext,
      {},
      { compute, teacher, resume: ours },
    );
    expect(numbersOf(rest.model)).toEqual(numbersOf(here.result.model));
    expect(backend.tf.memory().numTensors).toBe(before);
    compute.close();
  });

  it('refuse with the errors of this end', async () => {
    const { compute } = await connected();
    const values: Model = { ...toyModel(), outputKind: 'values' };
    await expect(
      train(values, dataset, { ...options, distill: null }, silentContext, {}, { compute }),
    ).rejects.toMatchObject({ code: 'DATA_MISMATCH', hint: expect.any(String) });
    compute.close();
  });

  it('fail with a code when the other end goes away in the middle, and free what it held', async () => {
    const { tf } = await loadBackend('cpu');
    const before = tf.memory().numTensors;
    const { compute, far } = await connected();
    const { train: images } = dataset.counts;
    const broken = train(
      toyModel(),
      dataset,
      { ...options, distill: null },
      {
        ...silentContext,
        progress: ({ done, phase }) => {
          if (phase === 'training' && done === 1) far.close();
        },
      },
      {},
      { compute },
    );
    expect(images).toBeGreaterThan(options.batchSize);
    await expect(broken).rejects.toMatchObject({ code: 'GPU_LOST' });
    await expect.poll(() => tf.memory().numTensors).toBe(before);
  });
});
