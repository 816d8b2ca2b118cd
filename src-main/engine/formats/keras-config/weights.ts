// Where the weights of layers come from: each format finds them its own way.

import type { Weight } from '../../graph/types';
import type { LayerSpec } from './topology';

export interface WeightSource {
  /**
   * A variable of a layer, by the name that Keras gives it.
   * @param place its place among the layer's variables, for formats that count them
   */
  find(layer: LayerSpec, variable: string, place: number): Weight | undefined;
}
