// Finds the weights of a layer by the names that the several writers of the format give them.

import type { Weight } from '../../graph/types';
import type { LayerSpec } from '../keras-config/topology';
import type { WeightSource } from '../keras-config/weights';

export class WeightStore implements WeightSource {
  private readonly aliases = new Map<string, string | null>();
  private readonly used = new Set<string>();

  constructor(private readonly weights: ReadonlyMap<string, Weight>) {
    for (const name of weights.keys()) {
      for (const alias of aliasesOf(name)) {
        // An alias of two weights says nothing.
        this.aliases.set(alias, this.aliases.has(alias) ? null : name);
      }
    }
  }

  /**
   * A layer's weight: by its name ("conv1/kernel", possibly below the names of models), else by its place
   * among the layer's weights ("conv1/0", as Keras 3 counts them).
   */
  find(layer: LayerSpec, weight: string, place: number): Weight | undefined {
    const wanted = [`${layer.name}/${weight}`, `${layer.name}/${place}`];
    for (const name of wanted) {
      const found = this.weights.has(name) ? name : this.aliases.get(name);
      if (typeof found === 'string') {
        this.used.add(found);
        return this.weights.get(found);
      }
    }
    return undefined;
  }

  /** Names of the weights that no layer asked for. */
  unused(): readonly string[] {
    return [...this.weights.keys()].filter((name) => !this.used.has(name));
  }
}

/** Parts of names that are about how a file was saved, not about the layer. */
const bookkeeping: ReadonlySet<string> = new Set([
  'vars',
  'layers',
  'layer_checkpoint_dependencies',
]);

/** Other names of a weight: layer and weight alone, without the models and scopes around or between them. */
function aliasesOf(name: string): ReadonlySet<string> {
  const parts = name
    .replace(/:0$/, '')
    .split('/')
    .map((part) => part.replace(/^_/, ''))
    .filter((part) => !bookkeeping.has(part));
  const last = parts.at(-1) ?? '';
  const aliases = parts.slice(0, -1).map((part) => `${part}/${last}`);
  // "model/conv1/kernel" is known as "conv1/kernel" and as "model/kernel"; names of layers may hold slashes.
  for (let i = 1; i < parts.length - 1; i++) aliases.push(parts.slice(i).join('/'));
  return new Set(aliases);
}
