// Models that front ends look at: decoded once, with their groups and what was measured of them. They are kept for a
// while, since a slider asks many times for the same one.

import type { Model } from '../../engine/graph/types';
import {
  analyse,
  defaultStructure,
  type Analysis,
  type ChannelStatistics,
  type Structure,
} from '../../engine/prune';
import { loadModel } from './files';

export class Examined {
  readonly model: Model;
  readonly #analyses = new Map<string, Analysis>();
  readonly #statistics = new Map<string, Promise<ChannelStatistics>>();

  constructor(model: Model) {
    this.model = model;
  }

  /** Its groups, found when they are first asked for. */
  analysis(structure: Structure = defaultStructure): Analysis {
    return remembered(this.#analyses, JSON.stringify(structure), () =>
      analyse(this.model, structure),
    );
  }

  /** What `measure` gives, which is asked once a key; a failure is forgotten. */
  statistics(key: string, measure: () => Promise<ChannelStatistics>): Promise<ChannelStatistics> {
    return remembered(this.#statistics, key, () => {
      const measuring = measure();
      measuring.catch(() => this.#statistics.delete(key));
      return measuring;
    });
  }
}

function remembered<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

/** Keeps the last few models by blob file; blobs never change. */
class ModelCache {
  readonly #entries = new Map<string, Promise<Examined>>();
  readonly #limit = 4;

  get(file: string): Promise<Examined> {
    const known = this.#entries.get(file);
    const entry = known ?? loadModel(file).then((model) => new Examined(model));
    // Put at the end: the first entry is the one used longest ago.
    this.#entries.delete(file);
    this.#entries.set(file, entry);
    if (known) return known;
    entry.catch(() => this.#entries.delete(file));
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > this.#limit && !oldest.done) this.#entries.delete(oldest.value);
    return entry;
  }
}

const cache = new ModelCache();

/** The model of a blob file. @throws AppError MODEL_CORRUPT */
export function examine(file: string): Promise<Examined> {
  return cache.get(file);
}
