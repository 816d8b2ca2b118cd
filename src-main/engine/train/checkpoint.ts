// Where a training run stands, at the end of an epoch or within one: enough to go on as if it had never stopped.

import type { LoaderState } from '../data/loader';
import { AppError } from '../errors';
import { decodeModel, encodeModel } from '../graph/serialize';
import type { Model } from '../graph/types';
import type { WatchState } from './divergence';
import type { StepState } from './compute';
import type { EpochSumsState } from './epoch-sums';
import type { BackendName, EpochRecord } from './types';

/** An epoch that is kept, and the weights at its end. */
export interface BestEpoch {
  readonly epoch: number;
  readonly model: Model;
}

export interface TrainCheckpoint extends StepState {
  /** What computed up to here: another one rounds otherwise. */
  readonly backend: BackendName;
  readonly model: Model;
  readonly best: BestEpoch | null;
  /** Within an epoch where no best one is kept: the one before it. */
  readonly last: BestEpoch | null;
  /** What the epoch that has begun has seen; null between two. */
  readonly within: EpochSumsState | null;
  /** Points of the curves that were told before it. */
  readonly points: number;
  readonly watch: WatchState;
  readonly loader: LoaderState;
  readonly history: readonly EpochRecord[];
}

interface Header extends Pick<
  TrainCheckpoint,
  'backend' | 'watch' | 'loader' | 'dropout' | 'mixup' | 'history' | 'within' | 'points'
> {
  readonly bestEpoch: number | null;
  readonly lastEpoch: number | null;
  readonly averageUpdates: number | null;
  readonly steps: number;
  /** Ids and lengths of what the optimizer has accumulated of each weight, in the order of their numbers. */
  readonly slots: readonly (readonly [string, readonly number[]])[];
  /** Bytes of the current model, the best one, the last one and the averaged one; 0 for one that there is not. */
  readonly models: readonly [number, number, number, number];
}

const magic = new TextEncoder().encode('SECATRN4');
/** The parts begin at multiples of this, so that their numbers can be read in place. */
const alignment = 64;

function alignUp(offset: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

/**
 * Writes a checkpoint: the magic, the length of a JSON header (uint32, little-endian), the header, the current
 * model, the best model, the last model, the averaged model, and what the optimizer has accumulated as float32.
 */
export function encodeCheckpoint(checkpoint: TrainCheckpoint): Uint8Array {
  const { model, best, last, optimizer, average } = checkpoint;
  const { backend, watch, loader, dropout, mixup, history, within, points } = checkpoint;
  const none = new Uint8Array(0);
  const models = [
    encodeModel(model),
    best ? encodeModel(best.model) : none,
    last ? encodeModel(last.model) : none,
    average ? encodeModel({ ...model, graph: average.graph }) : none,
  ] as const;
  const header: Header = {
    ...{ backend, watch, loader, dropout, mixup, history, within, points },
    bestEpoch: best?.epoch ?? null,
    lastEpoch: last?.epoch ?? null,
    averageUpdates: average?.updates ?? null,
    steps: optimizer.steps,
    slots: Array.from(optimizer.slots, ([id, slots]) => [id, slots.map(({ length }) => length)]),
    models: [models[0].length, models[1].length, models[2].length, models[3].length],
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const slots = [...optimizer.slots.values()].flat();
  const parts = [
    ...models,
    ...slots.map(
      ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
    ),
  ];
  const offsets = layOut(
    json.length,
    parts.map(({ length }) => length),
  );
  const bytes = new Uint8Array(offsets.at(-1)!);
  bytes.set(magic);
  new DataView(bytes.buffer).setUint32(magic.length, json.length, true);
  bytes.set(json, magic.length + 4);
  parts.forEach((part, i) => bytes.set(part, offsets[i]!));
  return bytes;
}

/** @throws AppError MODEL_CORRUPT for anything but a whole checkpoint */
export function decodeCheckpoint(bytes: Uint8Array): TrainCheckpoint {
  // Numbers are read in place: they must lie in memory as they lie in the file.
  const whole = bytes.byteOffset % alignment === 0 ? bytes : bytes.slice();
  const [header, headerBytes] = readHeader(whole);
  const { backend, watch, loader, dropout, mixup, history, within, points } = header;
  const { bestEpoch, lastEpoch, averageUpdates, steps } = header;
  const slotLengths = header.slots.flatMap(([, lengths]) => lengths);
  const lengths = [...header.models, ...slotLengths.map((length) => length * 4)];
  const offsets = layOut(headerBytes, lengths);
  if (offsets.at(-1) !== whole.length) throw corrupt('its length does not fit its header');
  const part = (i: number): Uint8Array => whole.subarray(offsets[i]!, offsets[i]! + lengths[i]!);
  let next = header.models.length;
  const slots = header.slots.map(([id, ofWeight]) => {
    const arrays = ofWeight.map((length) => {
      const { buffer, byteOffset } = part(next++);
      return new Float32Array(buffer, byteOffset, length);
    });
    return [id, arrays] as const;
  });
  const kept = (epoch: number | null, i: number): BestEpoch | null =>
    epoch === null ? null : { epoch, model: decodeModel(part(i)) };
  return {
    ...{ backend, watch, loader, dropout, mixup, history, within, points },
    model: decodeModel(part(0)),
    best: kept(bestEpoch, 1),
    last: kept(lastEpoch, 2),
    average:
      averageUpdates === null
        ? null
        : { graph: decodeModel(part(3)).graph, updates: averageUpdates },
    optimizer: { steps, slots: new Map(slots) },
  };
}

/** Offset of each part, and at last the length of the whole. */
function layOut(headerBytes: number, lengths: readonly number[]): number[] {
  const offsets = [alignUp(magic.length + 4 + headerBytes)];
  for (const length of lengths) offsets.push(alignUp(offsets.at(-1)! + length));
  return offsets;
}

function readHeader(bytes: Uint8Array): readonly [Header, number] {
  const start = magic.length + 4;
  if (bytes.length < start || magic.some((byte, i) => bytes[i] !== byte)) {
    throw corrupt('it does not begin like one');
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(magic.length, true);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      bytes.subarray(start, start + length),
    );
    return [JSON.parse(text) as Header, length];
  } catch (error) {
    throw corrupt('its header is not readable', error);
  }
}

function corrupt(problem: string, cause?: unknown): AppError {
  return new AppError(
    'MODEL_CORRUPT',
    `The training checkpoint is damaged: ${problem}.`,
    'Start the training again from the version it began with.',
    { cause },
  );
}
