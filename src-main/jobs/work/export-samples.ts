// The inputs that exports are made and proven on: images of a data set, or random numbers without one.

import type { Dataset, ImageSplit, SplitName } from '../../engine/data/types';
import { graphCost } from '../../engine/graph/cost';
import { createRng } from '../../engine/graph/rng';
import type { Model } from '../../engine/graph/types';
import type { VerificationSamples } from '../../engine/measure/verify';
import type { CalibrationSamples } from '../../engine/quantize/types';
import type { DatasetId } from '../../project/types';
import type { ExportRequest, JobSpec } from '../types';
import { modelInputs, pickPictures } from './pictures';
import { openFittingDataset, reportSplit } from './versions';

/** Images on which file and version are compared; more where accuracy decides and the model is quick. */
const verificationCount = 200;
const accuracyCount = 1000;
const quickMacs = 1e8;

/** Images that ranges of activations are found on, and others that methods are tried on. */
const calibrationCount = 100;
const trialCount = 50;
const seed = 1;

/** What file and version are compared on: images of the reporting split, or random inputs without a data set. */
export function verificationSamples(
  { data, precision }: ExportRequest,
  spec: JobSpec,
  model: Model,
): VerificationSamples {
  if (data === null) return randomInputs(model);
  const dataset = openFittingDataset(spec, data, model);
  try {
    const split = dataset.split(reportSplit(dataset));
    const isQuick = precision !== 'fp32' && graphCost(model.graph).macs <= quickMacs;
    const wanted = isQuick ? accuracyCount : verificationCount;
    const { count, pixels, labels } = pickPictures(split, wanted);
    const inputs = modelInputs(pixels, split, model.preprocessing);
    // Right answers are counted of classes alone.
    return { count, inputs, labels: dataset.task === 'classes' ? labels : null };
  } finally {
    dataset.close();
  }
}

/** They prove numbers, not accuracy. */
function randomInputs(model: Model): VerificationSamples {
  const size = (model.graph.inputs[0]?.shape ?? []).reduce((a, b) => a * b, 1);
  const count = 32;
  const rng = createRng(1);
  const inputs = Float32Array.from({ length: count * size }, () => rng.normal());
  return { count, inputs, labels: null };
}

/** Training images drawn by a seed, the same for every export: some to calibrate on and others to choose by. */
export function calibrationSamples(
  spec: JobSpec,
  data: DatasetId,
  model: Model,
): { readonly calibration: CalibrationSamples; readonly trial: CalibrationSamples } {
  const dataset = openFittingDataset(spec, data, model);
  try {
    const split = dataset.split(calibrationSplit(dataset));
    const order = createRng(seed).shuffle(Int32Array.from({ length: split.count }, (_, i) => i));
    // A small data set gives a third of its images to the choice between methods.
    const chosen = Math.min(trialCount, Math.floor(split.count / 3));
    const take = (start: number, wanted: number): CalibrationSamples =>
      samplesOf(split, order.subarray(start, start + wanted), model);
    return { calibration: take(chosen, calibrationCount), trial: take(0, chosen) };
  } finally {
    dataset.close();
  }
}

/** Where accuracy is not reported, as far as there is such a split. */
function calibrationSplit({ counts }: Pick<Dataset, 'counts'>): SplitName {
  if (counts.train > 0) return 'train';
  return counts.val > 0 ? 'val' : 'test';
}

function samplesOf(split: ImageSplit, indices: Int32Array, model: Model): CalibrationSamples {
  const pixels = new Uint8Array(indices.length * split.height * split.width * split.channels);
  split.read(indices, pixels);
  return { count: indices.length, inputs: modelInputs(pixels, split, model.preprocessing) };
}
