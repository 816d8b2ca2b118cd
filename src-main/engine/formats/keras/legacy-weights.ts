// Where a whole model in one .h5 file keeps its weights: a group for each layer of the outermost model, which
// lists the names of its datasets in the order of the layer's variables (keras/src/legacy/saving/
// legacy_h5_format.py, and hdf5_format.py of Keras 2). A model within a model has one list for all its layers:
// those that are trained first, then the others.

import { corrupt } from '../keras-config/errors';
import type { LayerSpec, ModelSpec } from '../keras-config/topology';
import type { Hdf5File } from './hdf5/file';
import {
  type LayerVariable,
  layersOf,
  missingWeights,
  PlanBuilder,
  surplusWeights,
  variablesOf,
  type WeightPlan,
} from './variables';

export const modelWeights = '/model_weights';
/** Weights that belong to the model itself rather than to a layer; always there since Keras 2.7. */
export const ownWeights = 'top_level_model_weights';

/** A list that Keras splits over several attributes when it is too long for one. */
function listAt(file: Hdf5File, path: string, name: string): readonly string[] | null {
  const whole = file.texts(path, name);
  if (whole !== null) return whole;
  const parts: string[] = [];
  for (let i = 0; ; i++) {
    const part = file.texts(path, `${name}${i}`);
    if (part === null) return i === 0 ? null : parts;
    parts.push(...part);
  }
}

/** The last two parts of "model/conv1/kernel:0": layer and variable. */
function tailOf(stored: string): { readonly layer: string; readonly variable: string } {
  const parts = stored.replace(/:\d+$/, '').split('/');
  return { layer: parts.slice(0, -1).join('/'), variable: parts.at(-1) ?? '' };
}

function isNamed({ layer, name }: LayerVariable, stored: string, alone: boolean): boolean {
  const tail = tailOf(stored);
  if (tail.variable !== name) return false;
  return alone || tail.layer === layer.name || tail.layer.endsWith(`/${layer.name}`);
}

/**
 * Pairs variables with what is stored: by names where they tell every one apart, else in Keras's order. A
 * layer that was renamed keeps the old name in those of its weights, so that only the order is left.
 */
function pair(
  variables: readonly LayerVariable[],
  stored: readonly string[],
): readonly (readonly [LayerVariable, string])[] {
  const alone = new Set(variables.map(({ layer }) => layer)).size === 1;
  const named = variables.map((variable) =>
    stored.filter((name) => isNamed(variable, name, alone)),
  );
  const isClear =
    named.every((names) => names.length === 1) && new Set(named.flat()).size === variables.length;
  const ordered = [
    ...variables.filter(({ trainable }) => trainable),
    ...variables.filter(({ trainable }) => !trainable),
  ];
  return isClear
    ? variables.map((variable, i) => [variable, named[i]![0]!] as const)
    : ordered.map((variable, i) => [variable, stored[i]!] as const);
}

function requireEqualCounts(
  layer: LayerSpec,
  variables: readonly LayerVariable[],
  stored: readonly string[],
): void {
  if (stored.length === variables.length) return;
  const alone = layer.model === null;
  const missing = variables.filter((variable) => !stored.some((n) => isNamed(variable, n, alone)));
  const surplus = stored.filter((name) => !variables.some((v) => isNamed(v, name, alone)));
  const [first] = missing;
  if (stored.length < variables.length && first !== undefined) {
    const ofFirst = missing.filter((variable) => variable.layer === first.layer);
    throw missingWeights(
      first.layer,
      ofFirst.map(({ name }) => name),
    );
  }
  if (surplus.length > 0) throw surplusWeights(layer.config.owner, layer.name, surplus);
  throw corrupt(
    `${layer.config.owner} has ${variables.length} weights, the file holds ${stored.length} for it`,
    { layer: layer.name },
  );
}

/**
 * Finds the dataset of every variable. Called within `bounded`.
 * @throws AppError MODEL_CORRUPT naming the layer whose weights are missing or too many
 */
export function planLegacyWeights(file: Hdf5File, model: ModelSpec): WeightPlan {
  if (file.kindOf(modelWeights) !== 'group') throw corrupt('The file has no group "model_weights"');
  const plan = new PlanBuilder();
  const groups = new Set(listAt(file, modelWeights, 'layer_names') ?? file.children(modelWeights));
  groups.add(ownWeights);
  for (const layer of layersOf(model)) {
    groups.delete(layer.name);
    const variables = variablesOf(layer);
    const path = `${modelWeights}/${layer.name}`;
    const stored = file.kindOf(path) === 'group' ? storedAt(file, path) : [];
    requireEqualCounts(layer, variables, stored);
    for (const [variable, name] of pair(variables, stored)) {
      plan.add(variable, file.dataset(`${path}/${name}`));
    }
  }
  for (const name of groups) {
    const path = `${modelWeights}/${name}`;
    if (file.kindOf(path) !== 'group') continue;
    const stored = storedAt(file, path);
    if (stored.length > 0) throw surplusWeights('The model', name, stored);
  }
  return plan.build();
}

function storedAt(file: Hdf5File, path: string): readonly string[] {
  const stored = listAt(file, path, 'weight_names');
  if (stored === null) throw corrupt(`The group ${path} does not list its weights`);
  if (new Set(stored).size !== stored.length) {
    throw corrupt(`The group ${path} lists a weight twice`);
  }
  return stored;
}
