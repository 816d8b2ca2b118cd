// Removes channels from a model: slices every weight, adapts attributes, and keeps the provenance.

import { AppError } from '../errors';
import type { Model, Weight, WeightId } from '../graph/types';
import { validateGraph } from '../graph/validate';
import { CutPreview } from './cut-preview';
import { foldConstants } from './fold';
import type { Analysis, KeptChannels } from './groups';
import { droppedClasses } from './groups';
import { sliceWeight } from './slice-weight';

/**
 * The model without the channels that `kept` leaves out. The input model is not changed; weights that lose
 * nothing are shared with it. Layers, names and edges stay and only sizes change, but for a gather before each batch
 * norm that selects channels of a trunk. Constants that cut channels passed on are folded into the layers that read
 * them.
 * @param analysis of the same model.
 * @throws AppError INTERNAL when the choice does not fit the analysis or empties a group; GRAPH_INVALID when
 *   the result is not a valid graph (a bug: channel rules and cut disagree).
 */
export function cut(model: Model, analysis: Analysis, kept: KeptChannels): Model {
  checkChoice(model, analysis, kept);
  const dropped = droppedClasses(analysis, kept);
  const preview = new CutPreview(analysis, dropped);
  const axes = preview.weightAxes();
  const weights = new Map<WeightId, Weight>();
  for (const [id, weight] of foldConstants(analysis, dropped).weights) {
    weights.set(id, sliceWeight(weight, axes.get(id) ?? new Map()));
  }
  const graph = { ...model.graph, nodes: preview.nodes(), weights };
  validateGraph(graph);
  return { ...model, graph };
}

function checkChoice(model: Model, analysis: Analysis, kept: KeptChannels): void {
  if (analysis.flow.graph !== model.graph) throw choiceError('the analysis is of another model');
  for (const [id, channels] of kept) {
    const group = analysis.channels[id];
    if (group === undefined) throw choiceError(`there is no group ${id}`);
    if (channels.length === 0) throw choiceError(`group ${id} would be empty`);
    const stays = new Uint8Array(group.count);
    for (let i = 0; i < channels.length; i++) {
      const channel = channels[i]!;
      if (channel >= group.count || channel <= (channels[i - 1] ?? -1)) {
        throw choiceError(`the channels of group ${id} are not ascending indices`);
      }
      stays[channel] = 1;
    }
    const frozen = stays.findIndex((flag, channel) => flag === 0 && group.mayGo[channel] === 0);
    if (frozen >= 0) throw choiceError(`channel ${frozen} of group ${id} may not be cut`);
  }
}

function choiceError(problem: string): AppError {
  return new AppError(
    'INTERNAL',
    `The choice of channels does not fit the model: ${problem}.`,
    'Plan the cut again for this model.',
  );
}
