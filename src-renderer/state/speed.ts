// How fast a training will go on this machine, measured once for each network, data set and batch size.
import { call } from '../api';
import type { Args } from '../../src-main/ipc/contract';
import { resource } from './resource.svelte';
import type { Resource } from './resource.svelte';

export type SpeedQuestion = Args<'train.speed'>;

const measured = new Map<string, Promise<number>>();

const keyOf = ({ version, data, options }: SpeedQuestion): string =>
  `${version} ${data} ${options.batchSize}`;

/** A failure is forgotten: it is measured again when it is asked for again. */
function ask(question: SpeedQuestion): Promise<number> {
  const key = keyOf(question);
  const known = measured.get(key);
  if (known) return known;
  const measuring = call('train.speed', question);
  measured.set(key, measuring);
  measuring.catch(() => measured.delete(key));
  return measuring;
}

/** Images a second of a training, followed while a component lives; null asks for nothing. */
export function trainingSpeed(question: () => SpeedQuestion | null): Resource<number> {
  return resource<number>(
    () => {
      const asked = question();
      return asked && keyOf(asked);
    },
    async () => {
      const asked = question();
      return asked ? ask(asked) : 0;
    },
  );
}

/** Milliseconds that a training takes. */
export function trainingTime(epochs: number, imagesPerEpoch: number, speed: number): number {
  return (1000 * epochs * imagesPerEpoch) / speed;
}
