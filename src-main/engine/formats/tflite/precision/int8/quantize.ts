// Full int8: finds the ranges of activations on images, tries the methods for it on others and takes the best, and tells
// what noise each layer adds.

import type { EngineContext } from '../../../../context';
import { AppError } from '../../../../errors';
import type { Model } from '../../../../graph/types';
import { openLiteRt } from '../../../../measure/litert';
import { loadLiteRtRuntime } from '../../../../measure/litert-loader';
import { observe } from '../../../../quantize/observe';
import { rangeOf, unionOf } from '../../../../quantize/parameters';
import { SignalToNoise } from '../../../../quantize/signal';
import {
  calibrationMethods,
  type CalibrationMethod,
  type CalibrationSamples,
  type LayerNoise,
  type QuantizationReport,
  type Range,
} from '../../../../quantize/types';
import { runForward } from '../../../../train/executor';
import type { QuantizeOptions } from '../../../types';
import { layerOwners, lowerGraph } from '../../lower-graph';
import type { ProgramData, TensorIndex } from '../../program';
import { raiseProgram } from '../../read/raise';
import { serializeProgram } from '../../serialize';
import { toInt8, type ScaleOf } from './convert';
import { noiseProgram } from './noise';
import { planInt8, type Int8Plan } from './plan';
import { scalesOf } from './scales';

export interface QuantizedProgram {
  readonly program: ProgramData;
  readonly report: QuantizationReport;
}

/** Samples on which layers are compared: their noise hardly differs between images. */
const noiseSamples = 8;
/** Samples whose outputs are computed at once. */
const trialBatch = 16;

/** @throws AppError EXPORT_UNSUPPORTED, INVALID_ARGUMENT, RUNTIME_UNAVAILABLE, or the reason of the signal */
export async function quantizeModel(
  model: Model,
  options: QuantizeOptions,
  context: EngineContext,
): Promise<QuantizedProgram> {
  const source = lowerGraph(model.graph, 'int8');
  const plan = planInt8(source, floatLayers(model, options.keepFloat));
  const methods = options.method === 'auto' ? calibrationMethods : [options.method];
  const scales = await findScales(model, source, plan, options.calibration, methods, context);
  const trials =
    methods.length > 1 ? await tryMethods(model, source, plan, scales, options.trial, context) : [];
  const method = bestOf(trials)?.method ?? methods[0]!;
  const scaleOf = scales.get(method)!;
  return {
    program: toInt8(source, plan, scaleOf, options.io),
    report: {
      method,
      images: options.calibration.count,
      trials,
      layers: await layerNoise(source, plan, scaleOf, options.calibration, context),
      floatLayers: [...plan.floatLayers]
        .filter(([layer]) => source.operations.some((operation) => operation.layer === layer))
        .map(([layer, reason]) => ({ layer, reason })),
    },
  };
}

type Trial = QuantizationReport['trials'][number];

const isBetter = (a: Trial, b: Trial): boolean =>
  (a.decibels ?? Infinity) > (b.decibels ?? Infinity);

/** The trial with least noise, the first of several; undefined without any. */
function bestOf([first, ...others]: readonly Trial[]): Trial | undefined {
  return first && others.reduce((best, trial) => (isBetter(trial, best) ? trial : best), first);
}

/** Layers that stay float, with the reason. */
function floatLayers({ graph }: Model, keepFloat: readonly string[]): ReadonlyMap<string, string> {
  const owners = layerOwners(graph);
  const layers = new Map<string, string>();
  for (const { name, op } of graph.nodes) {
    if (op !== 'layerNorm' && op !== 'groupNorm') continue;
    layers.set(owners.get(name)!, 'its statistics need more than 8 bits');
  }
  for (const name of keepFloat) {
    const owner = owners.get(name);
    if (owner === undefined) {
      throw new AppError(
        'INVALID_ARGUMENT',
        `There is no layer "${name}" to keep in float.`,
        'Take names from the layer table of the version.',
        { details: { layer: name } },
      );
    }
    layers.set(owner, 'kept on request');
  }
  return layers;
}

/** Ranges of all groups by each method, as scales. */
async function findScales(
  model: Model,
  source: ProgramData,
  plan: Int8Plan,
  samples: CalibrationSamples,
  methods: readonly CalibrationMethod[],
  context: EngineContext,
): Promise<ReadonlyMap<CalibrationMethod, ScaleOf>> {
  const { graph, tensors } = raiseProgram(source);
  const observed = [...plan.members.values()].flat().flatMap((tensor) => {
    const id = tensors.get(tensor);
    return id === undefined ? [] : [id];
  });
  const rangeBy = await observe(graph, observed, samples, methods, context);
  const inputs = new Set(source.inputs.map(({ tensor }) => tensor));
  const rangeOfTensor = (tensor: TensorIndex, method: CalibrationMethod): Range | null => {
    const id = tensors.get(tensor);
    if (id === undefined) return null;
    const range = rangeBy(id, method);
    return inputs.has(tensor) ? unionOf([range, pixelRange(model)]) : range;
  };
  return new Map(
    methods.map((method) => {
      const scales = scalesOf(source, plan, (tensor) => rangeOfTensor(tensor, method));
      return [method, (group: number) => scales.get(group)!] as const;
    }),
  );
}

/** What pixels from 0 to 255 become: no image of any camera is clipped. */
function pixelRange({ preprocessing: { scale, mean, std } }: Model): Range {
  const channels = Math.max(mean.length, std.length);
  const ends = Array.from({ length: channels }, (_, c) =>
    [0, 255].map((pixel) => (pixel * scale - (mean[c] ?? mean[0]!)) / (std[c] ?? std[0]!)),
  ).flat();
  return rangeOf(Float32Array.from(ends));
}

/** Runs a candidate of each method beside the float model. */
async function tryMethods(
  model: Model,
  source: ProgramData,
  plan: Int8Plan,
  scales: ReadonlyMap<CalibrationMethod, ScaleOf>,
  samples: CalibrationSamples,
  context: EngineContext,
): Promise<readonly Trial[]> {
  const expected = await outputsOf(model, samples);
  const trials: Trial[] = [];
  for (const [method, scaleOf] of scales) {
    const runner = await openLiteRt(serializeProgram(toInt8(source, plan, scaleOf, 'float')));
    const signal = new SignalToNoise();
    try {
      for (let i = 0; i < samples.count; i++) {
        context.progress({
          phase: 'calibrating',
          label: `Trying ${method}`,
          done: trials.length * samples.count + i,
          total: scales.size * samples.count,
        });
        context.signal.throwIfAborted();
        const outputs = await runner.run(sampleOf(samples, i));
        outputs.forEach((output, o) => signal.add(expected[i]![o]!, output));
      }
    } finally {
      runner.close();
    }
    trials.push({ method, decibels: finite(signal.decibels()) });
  }
  return trials;
}

const finite = (decibels: number): number | null => (decibels === Infinity ? null : decibels);

function sampleOf({ count, inputs }: CalibrationSamples, index: number): Float32Array {
  const size = inputs.length / count;
  return inputs.slice(index * size, (index + 1) * size);
}

/** Outputs of the float model, by sample. */
async function outputsOf(
  model: Model,
  { count, inputs }: CalibrationSamples,
): Promise<readonly (readonly Float32Array[])[]> {
  const size = inputs.length / Math.max(count, 1);
  const results: Float32Array[][] = [];
  for (let start = 0; start < count; start += trialBatch) {
    const length = Math.min(trialBatch, count - start);
    const batch = inputs.subarray(start * size, (start + length) * size);
    const outputs = await runForward(model, [batch], length);
    for (let i = 0; i < length; i++) {
      results.push(
        outputs.map((all) => {
          const width = all.length / length;
          return all.subarray(i * width, (i + 1) * width);
        }),
      );
    }
  }
  return results;
}

/** Runs every quantised operator on exact input. */
async function layerNoise(
  source: ProgramData,
  plan: Int8Plan,
  scaleOf: ScaleOf,
  samples: CalibrationSamples,
  context: EngineContext,
): Promise<readonly LayerNoise[]> {
  const total = Math.min(noiseSamples, samples.count);
  const progress = (done: number): void => {
    const label = 'Looking for noise in each layer';
    context.progress({ phase: 'calibrating', label, done, total });
  };
  progress(0);
  const { program, scales, pairs } = noiseProgram(source, plan, scaleOf, plan.operations);
  if (pairs.length === 0) return [];
  const signals = pairs.map(() => new SignalToNoise());
  const runner = await openLiteRt(serializeProgram(program), {
    threads: (await loadLiteRtRuntime()).maxThreads,
    scales: { input: null, outputs: scales },
  });
  try {
    for (let i = 0; i < total; i++) {
      context.signal.throwIfAborted();
      const outputs = await runner.run(sampleOf(samples, i));
      pairs.forEach(({ exact, quantized }, p) => {
        signals[p]!.add(outputs[exact]!, outputs[quantized]!);
      });
      progress(i + 1);
    }
  } finally {
    runner.close();
  }
  const worst = new Map<string, LayerNoise>();
  pairs.forEach(({ layer, operator }, p) => {
    const decibels = finite(signals[p]!.decibels());
    const earlier = worst.get(layer);
    if (earlier && (earlier.decibels ?? Infinity) <= (decibels ?? Infinity)) return;
    worst.set(layer, { layer, operator, decibels });
  });
  return [...worst.values()].sort((a, b) => (a.decibels ?? Infinity) - (b.decibels ?? Infinity));
}
