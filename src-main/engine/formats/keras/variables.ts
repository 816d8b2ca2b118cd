// The variables that a model described by Keras has, layer by layer: what a file must hold, no more and no less.

import type { Weight } from '../../graph/types';
import { corrupt } from '../keras-config/errors';
import { importerOf } from '../keras-config/import/table';
import type { LayerSpec, ModelSpec } from '../keras-config/topology';
import type { WeightSource } from '../keras-config/weights';
import type { DatasetInfo } from './hdf5/file';

export interface LayerVariable {
  readonly layer: LayerSpec;
  /** As Keras calls it: "kernel". */
  readonly name: string;
  /** Whether a gradient changes it: not where the layer, or a model around it, is frozen. */
  readonly trainable: boolean;
}

/** The dataset of each variable. */
export type WeightPlan = ReadonlyMap<LayerSpec, ReadonlyMap<string, DatasetInfo>>;

/** Layers of a model that may have variables, or models with such layers. */
export function layersOf(model: ModelSpec): readonly LayerSpec[] {
  return [...model.layers.values()].filter(
    ({ className, isOperation }) => className !== 'InputLayer' && !isOperation,
  );
}

/**
 * Variables of a layer or, in the order of its layers, of a model.
 * @throws AppError MODEL_UNSUPPORTED_OP naming a layer that is not known
 */
export function variablesOf(layer: LayerSpec, trainable = true): readonly LayerVariable[] {
  const here = trainable && layer.config.flag('trainable', true);
  if (layer.model !== null) {
    return layersOf(layer.model).flatMap((inner) => variablesOf(inner, here));
  }
  return importerOf(layer)
    .variables(layer.config)
    .map((variable) => ({
      layer,
      name: variable.name,
      trainable: here && variable.trainable,
    }));
}

/** Collects the datasets of variables. */
export class PlanBuilder {
  private readonly datasets = new Map<LayerSpec, Map<string, DatasetInfo>>();

  add({ layer, name }: LayerVariable, dataset: DatasetInfo): void {
    const ofLayer = this.datasets.get(layer) ?? new Map<string, DatasetInfo>();
    this.datasets.set(layer, ofLayer.set(name, dataset));
  }

  build(): WeightPlan {
    return this.datasets;
  }
}

export function missingWeights(layer: LayerSpec, names: readonly string[]): Error {
  const list = names.map((name) => `"${name}"`).join(', ');
  return corrupt(`${layer.config.owner}: the file does not hold its ${list}`, {
    layer: layer.name,
    missing: names,
  });
}

export function surplusWeights(owner: string, layer: string, names: readonly string[]): Error {
  const list = names
    .slice(0, 4)
    .map((name) => `"${name}"`)
    .join(', ');
  const more = names.length > 4 ? ` and ${names.length - 4} more` : '';
  return corrupt(`${owner}: the file holds weights that it does not have: ${list}${more}`, {
    layer,
    surplus: names,
  });
}

/** Weights that were read, by layer. */
export class PlannedWeights implements WeightSource {
  constructor(
    private readonly plan: WeightPlan,
    private readonly weights: ReadonlyMap<string, Weight>,
  ) {}

  find(layer: LayerSpec, variable: string): Weight | undefined {
    const dataset = this.plan.get(layer)?.get(variable);
    return dataset && this.weights.get(dataset.path);
  }
}
