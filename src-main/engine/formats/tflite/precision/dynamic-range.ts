// Dynamic range: filters as int8 with a scale for each output channel, everything else float32. The runtime brings its
// input to int8 as well, image by image, where it has kernels for that.

import { quantizeFilters } from '../../../quantize/filters';
import { Program, type Operation, type ProgramData } from '../program';
import { Copier, storedFloats } from './copy';
import { channelLayout, operandsOf, type FilterOperands } from './filters';

/** Smaller kernels stay float32, as in the official converter: they save nothing and cost accuracy. */
const fewest = 1024;

/** Versions of operators that compute float32 with int8 filters, a scale a channel. */
const hybridVersions: Readonly<Record<string, number>> = {
  CONV_2D: 5,
  DEPTHWISE_CONV_2D: 6,
  FULLY_CONNECTED: 12,
};

/** The program with int8 filters. */
export function toDynamicRange(source: ProgramData): Program {
  const target = new Program(source.name);
  const copier = new Copier(source, target);
  copier.inputs();
  for (const operation of source.operations) {
    const operands = operandsOf(operation.operator);
    if (operands === null || !convertFilters(copier, operation, operands)) {
      copier.operation(operation);
    }
  }
  copier.outputs();
  return target;
}

function convertFilters(copier: Copier, operation: Operation, operands: FilterOperands): boolean {
  const { source, target } = copier;
  const kernel = operation.inputs[operands.kernel]!;
  const numbers = storedFloats(source, kernel);
  if (numbers === null || numbers.length < fewest) return false;
  const { shape } = source.tensors[kernel]!;
  target.layer = operation.layer;
  const { values, scales } = quantizeFilters(numbers, channelLayout(shape, operands.axis));
  const stored = target.constant('kernel', shape, values, {
    scales,
    zeroPoints: new Int32Array(scales.length),
    axis: operands.axis,
  });
  const version = hybridVersions[operation.operator];
  const isGrouped = operation.operator === 'CONV_2D' && operation.version === 6;
  // Where no kernel takes int8 filters, they are brought to float32 once, when the model is loaded.
  const isHybrid = version !== undefined && !isGrouped;
  const used = isHybrid ? stored : target.emit('DEQUANTIZE', [stored], shape, {}, 5);
  const inputs = operation.inputs.map((tensor, place) =>
    place === operands.kernel ? used : copier.tensor(tensor),
  );
  const isDense = operation.operator === 'FULLY_CONNECTED';
  copier.operation(operation, {
    inputs,
    ...(isHybrid ? { version } : {}),
    ...(isDense ? { options: { ...operation.options, asymmetricInputs: true } } : {}),
  });
  return true;
}
