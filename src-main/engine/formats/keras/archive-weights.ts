// Where model.weights.h5 in a .keras file keeps the weights: a group for each layer, named after its class and
// numbered ("conv2d_1"), with the variables numbered in it (keras/src/saving/saving_lib.py, _save_state and
// _save_container_state). Models within models nest.

import { corrupt } from '../keras-config/errors';
import type { LayerSpec, ModelSpec } from '../keras-config/topology';
import type { Hdf5File } from './hdf5/file';
import {
  layersOf,
  missingWeights,
  PlanBuilder,
  surplusWeights,
  variablesOf,
  type WeightPlan,
} from './variables';

/** Names of the group of a model's layers; the second is that of some versions of Keras 2. */
const containers = ['layers', '_layer_checkpoint_dependencies'] as const;

/** "BatchNormalization" as "batch_normalization", by Keras's own steps (keras/src/utils/naming.py). */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** The group's name of each layer. */
export function groupNames<T extends { readonly className: string }>(
  layers: readonly T[],
): ReadonlyMap<T, string> {
  const used = new Map<string, number>();
  return new Map(
    layers.map((layer) => {
      const base = snakeCase(layer.className);
      const count = used.get(base);
      used.set(base, (count ?? -1) + 1);
      return [layer, count === undefined ? base : `${base}_${count + 1}`] as const;
    }),
  );
}

/**
 * Finds the dataset of every variable. Called within `bounded`.
 * @throws AppError MODEL_CORRUPT naming the layer whose weights are missing, too many or of another layer
 */
export function planArchiveWeights(file: Hdf5File, model: ModelSpec): WeightPlan {
  const plan = new PlanBuilder();
  planModel(file, model, '', plan);
  return plan.build();
}

function planModel(file: Hdf5File, model: ModelSpec, path: string, plan: PlanBuilder): void {
  const container = containers.find((name) => file.kindOf(`${path}/${name}`) === 'group');
  const base = `${path}/${container ?? containers[0]}`;
  const names = groupNames(layersOf(model));
  for (const [layer, name] of names) {
    if (layer.model !== null) planModel(file, layer.model, `${base}/${name}`, plan);
    else planLayer(file, layer, `${base}/${name}/vars`, plan);
  }
  if (container === undefined) return;
  const known = new Set(names.values());
  for (const name of file.children(base)) {
    const vars = `${base}/${name}/vars`;
    if (known.has(name) || file.kindOf(vars) !== 'group') continue;
    const stored = file.children(vars);
    if (stored.length > 0) {
      throw surplusWeights(
        `The model "${model.name}"`,
        name,
        stored.map((variable) => `${name}/${variable}`),
      );
    }
  }
}

function planLayer(file: Hdf5File, layer: LayerSpec, path: string, plan: PlanBuilder): void {
  const variables = variablesOf(layer);
  const stored = file.kindOf(path) === 'group' ? file.children(path) : [];
  const missing = variables.filter((_, i) => !stored.includes(String(i)));
  if (missing.length > 0) {
    throw missingWeights(
      layer,
      missing.map(({ name }) => name),
    );
  }
  if (stored.length > variables.length) {
    const own = new Set(variables.map((_, i) => String(i)));
    throw surplusWeights(
      layer.config.owner,
      layer.name,
      stored.filter((name) => !own.has(name)),
    );
  }
  if (variables.length === 0) return;
  // Newer versions note whose variables these are: the numbering above is then proved.
  const owner = file.text(path, 'name');
  if (owner !== null && owner !== layer.name) {
    throw corrupt(
      `${layer.config.owner}: the weights in its place belong to the layer "${owner}"`,
      { layer: layer.name },
    );
  }
  variables.forEach((variable, i) => plan.add(variable, file.dataset(`${path}/${i}`)));
}
