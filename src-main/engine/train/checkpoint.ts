// Where a training run stands at the end of an epoch: enough to go on as if it had never stopped.

import type { LoaderState } from '../data/loader';
import { AppError } from '../errors';
import type { RngState } from '../graph/rng';
import { decodeModel, encodeModel } from '../graph/serialize';
import type { Model } from '../graph/types';
import type { Velocities } from './optimizer';
import type { EpochRecord } from './types';

/** The best epoch so far by validation. */
export interface BestEpoch {
  readonly epoch: number;
  readonly model: Model;
}

export interface TrainCheckpoint {
  readonly model: Model;
  readonly best: BestEpoch | null;
  readonly velocities: Velocities;
  readonly loader: LoaderState;
  readonly dropout: RngState;
  readonly history: readonly EpochRecord[];
}

interface Header {
  readonly loader: LoaderState;
  readonly dropout: RngState;
  readonly history: readonly EpochRecord[];
  readonly bestEpoch: number | null;
  /** Ids and lengths of the velocities, in the order of their numbers. */
  readonly velocities: readonly (readonly [string, number])[];
  /** Bytes of the current model and of the best one. */
  readonly modelBytes: number;
  readonly bestBytes: number;
}

const magic = new TextEncoder().encode('SECATRN1');
/** The parts begin at multiples of this, so that their numbers can be read in place. */
const alignment = 64;

function alignUp(offset: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

/**
 * Writes a checkpoint: the magic, the length of a JSON header (uint32, little-endian), the header, the current
 * model, the best model, and the velocities as float32.
 */
export function encodeCheckpoint(checkpoint: TrainCheckpoint): Uint8Array {
  const { model, best, velocities, loader, dropout, history } = checkpoint;
  const modelBytes = encodeModel(model);
  const bestBytes = best ? encodeModel(best.model) : new Uint8Array(0);
  const header: Header = {
    loader,
    dropout,
    history,
    bestEpoch: best?.epoch ?? null,
    velocities: Array.from(velocities, ([id, values]) => [id, values.length]),
    modelBytes: modelBytes.length,
    bestBytes: bestBytes.length,
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const parts = [
    modelBytes,
    bestBytes,
    ...Array.from(
      velocities.values(),
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
  const lengths = [
    header.modelBytes,
    header.bestBytes,
    ...header.velocities.map(([, length]) => length * 4),
  ];
  const offsets = layOut(headerBytes, lengths);
  if (offsets.at(-1) !== whole.length) throw corrupt('its length does not fit its header');
  const part = (i: number): Uint8Array => whole.subarray(offsets[i]!, offsets[i]! + lengths[i]!);
  const { loader, dropout, history, bestEpoch } = header;
  const velocities = header.velocities.map(([id, length], i) => {
    const { buffer, byteOffset } = part(i + 2);
    return [id, new Float32Array(buffer, byteOffset, length)] as const;
  });
  return {
    model: decodeModel(part(0)),
    best: bestEpoch === null ? null : { epoch: bestEpoch, model: decodeModel(part(1)) },
    velocities: new Map(velocities),
    loader,
    dropout,
    history,
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
