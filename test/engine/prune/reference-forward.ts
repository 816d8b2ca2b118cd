// A forward pass in plain loops and double precision, written from the definitions of the ops and sharing no
// code with the engine's executor or its shape rules: the judge of every cut. One sample, NHWC, small nets only.

import type {
  Graph,
  Node,
  NodeOf,
  Padding,
  WeightRole,
} from '../../../src-main/engine/graph/types';

/** A tensor of one sample. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

type WeightTensors = (role: WeightRole) => Tensor | undefined;

/** All outputs of a graph, in order, for one sample. */
export function referenceForward(graph: Graph, inputs: readonly Tensor[]): Tensor[] {
  const tensors = new Map(graph.inputs.map((input, i) => [input.tensor, inputs[i]!]));
  for (const node of graph.nodes) {
    const known = new Map<WeightRole, Tensor | undefined>();
    const weight: WeightTensors = (role) => {
      if (!known.has(role)) {
        const stored = graph.weights.get(node.weights[role] ?? '');
        known.set(role, stored && { shape: stored.shape, data: Float64Array.from(stored.data) });
      }
      return known.get(role);
    };
    const results = compute(
      node,
      node.inputs.map((tensor) => tensors.get(tensor)!),
      weight,
    );
    node.outputs.forEach((tensor, i) => tensors.set(tensor, results[i]!));
  }
  return graph.outputs.map(({ tensor }) => tensors.get(tensor)!);
}

function compute(node: Node, inputs: readonly Tensor[], weight: WeightTensors): Tensor[] {
  const x = inputs[0]!;
  switch (node.op) {
    case 'conv2d':
      return [conv2d(node, x, weight)];
    case 'depthwiseConv2d':
      return [depthwise(node, x, weight)];
    case 'conv2dTranspose':
      return [transposed(node, x, weight)];
    case 'dense':
      return [dense(x, weight)];
    case 'batchNorm':
      return [batchNorm(node, x, weight)];
    case 'layerNorm': {
      const axes = node.attrs.axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
      const key = (at: readonly number[]): string =>
        at.filter((_, axis) => !axes.includes(axis)).join();
      const affine = (at: readonly number[]): number[] => axes.map((axis) => at[axis]!);
      return [normaliseOver(x, key, node.attrs.epsilon, weight, affine)];
    }
    case 'groupNorm': {
      const perGroup = x.shape.at(-1)! / node.attrs.groups;
      const key = (at: readonly number[]): string => String(Math.floor(at.at(-1)! / perGroup));
      return [normaliseOver(x, key, node.attrs.epsilon, weight, (at) => [at.at(-1)!])];
    }
    case 'activation':
      return [mapped(x, (v) => activate(node.attrs.fn, v, node.attrs.alpha))];
    case 'prelu':
      return [broadcast([x, weight('alpha')!], ([v, a]) => (v! >= 0 ? v! : v! * a!))];
    case 'softmax':
      return [softmax(x, node.attrs.axis < 0 ? node.attrs.axis + x.shape.length : node.attrs.axis)];
    case 'add':
      return [broadcast(inputs, (values) => values.reduce((a, b) => a + b))];
    case 'sub':
      return [broadcast(inputs, ([a, b]) => a! - b!)];
    case 'mul':
      return [broadcast(inputs, (values) => values.reduce((a, b) => a * b))];
    case 'div':
      return [broadcast(inputs, ([a, b]) => a! / b!)];
    case 'max':
      return [broadcast(inputs, (values) => Math.max(...values))];
    case 'min':
      return [broadcast(inputs, (values) => Math.min(...values))];
    case 'average':
      return [broadcast(inputs, (values) => values.reduce((a, b) => a + b) / values.length)];
    case 'concat': {
      const axis = node.attrs.axis < 0 ? node.attrs.axis + x.shape.length : node.attrs.axis;
      const size = inputs.reduce((sum, input) => sum + input.shape[axis]!, 0);
      return [
        generate(replaced(x.shape, axis, size), (at) => {
          let place = at[axis]!;
          let part = 0;
          while (place >= inputs[part]!.shape[axis]!) place -= inputs[part++]!.shape[axis]!;
          return read(inputs[part]!, replaced(at, axis, place));
        }),
      ];
    }
    case 'split': {
      const axis = node.attrs.axis < 0 ? node.attrs.axis + x.shape.length : node.attrs.axis;
      let offset = 0;
      return node.attrs.sizes.map((size) => {
        const start = offset;
        offset += size;
        return generate(replaced(x.shape, axis, size), (at) =>
          read(x, replaced(at, axis, start + at[axis]!)),
        );
      });
    }
    case 'slice': {
      const { begin, end, strides } = node.attrs;
      const shape = begin.map((first, i) => Math.ceil((end[i]! - first) / strides[i]!));
      return [
        generate(shape, (at) =>
          read(
            x,
            at.map((p, i) => begin[i]! + p * strides[i]!),
          ),
        ),
      ];
    }
    case 'gather': {
      const { indices } = node.attrs;
      const last = x.shape.length - 1;
      return [
        generate(replaced(x.shape, last, indices.length), (at) =>
          read(x, replaced(at, last, indices[at[last]!]!)),
        ),
      ];
    }
    case 'maxPool2d':
      return [pool(node, x, (values) => Math.max(...values))];
    case 'avgPool2d':
      return [pool(node, x, (values) => values.reduce((a, b) => a + b) / values.length)];
    case 'globalAvgPool':
      return [overImage(x, node.attrs.keepDims, (v) => v.reduce((a, b) => a + b) / v.length)];
    case 'globalMaxPool':
      return [overImage(x, node.attrs.keepDims, (values) => Math.max(...values))];
    case 'flatten':
      return [{ shape: [x.data.length], data: x.data }];
    case 'reshape':
      return [{ shape: node.attrs.shape, data: x.data }];
    case 'permute': {
      const { perm } = node.attrs;
      return [
        generate(
          perm.map((axis) => x.shape[axis]!),
          (at) => {
            const source = new Array<number>(at.length).fill(0);
            perm.forEach((axis, i) => (source[axis] = at[i]!));
            return read(x, source);
          },
        ),
      ];
    }
    case 'pad': {
      const { paddings, mode, value } = node.attrs;
      // 'reflect' does not repeat the border, 'symmetric' does.
      const repeat = mode === 'symmetric' ? 1 : 0;
      const mirrored = (p: number, size: number): number =>
        p < 0 ? -p - repeat : p >= size ? 2 * size - 2 - p + repeat : p;
      const shape = x.shape.map((size, i) => size + paddings[i]![0] + paddings[i]![1]);
      return [
        generate(shape, (at) => {
          const source = at.map((p, i) => p - paddings[i]![0]);
          if (mode !== 'constant')
            return read(
              x,
              source.map((p, i) => mirrored(p, x.shape[i]!)),
            );
          const inside = source.every((p, i) => p >= 0 && p < x.shape[i]!);
          return inside ? read(x, source) : value;
        }),
      ];
    }
    case 'crop': {
      const [[top, bottom], [left, right]] = node.attrs.amounts;
      const [height, width, channels] = x.shape as [number, number, number];
      return [
        generate([height - top - bottom, width - left - right, channels], ([i, j, c]) =>
          read(x, [i! + top, j! + left, c!]),
        ),
      ];
    }
    case 'resize':
      return [resize(x, node.attrs)];
    case 'depthToSpace': {
      const { block: b, order } = node.attrs;
      const channels = x.shape[2]! / b ** 2;
      return [
        generate([x.shape[0]! * b, x.shape[1]! * b, channels], ([i, j, c]) => {
          const k = (i! % b) * b + (j! % b);
          const source = order === 'dcr' ? k * channels + c! : c! * b ** 2 + k;
          return read(x, [Math.floor(i! / b), Math.floor(j! / b), source]);
        }),
      ];
    }
    case 'spaceToDepth': {
      const { block: b } = node.attrs;
      const channels = x.shape[2]!;
      return [
        generate([x.shape[0]! / b, x.shape[1]! / b, channels * b ** 2], ([i, j, c]) => {
          const k = Math.floor(c! / channels);
          return read(x, [i! * b + Math.floor(k / b), j! * b + (k % b), c! % channels]);
        }),
      ];
    }
    case 'reduce':
      return [reduced(node, x)];
    case 'matmul':
      return [matrixProduct(node, x, inputs[1]!)];
    case 'constant':
      return [weight('value')!];
    case 'dropout':
      return [x];
    case 'rescale': {
      const { scale, offset } = node.attrs;
      const entry = (list: readonly number[], c: number): number =>
        list.length === 1 ? list[0]! : list[c]!;
      return [
        generate(
          x.shape,
          (at) => read(x, at) * entry(scale, at.at(-1)!) + entry(offset, at.at(-1)!),
        ),
      ];
    }
  }
}

/** Calls `value` for every position in row-major order. */
function generate(shape: readonly number[], value: (at: readonly number[]) => number): Tensor {
  const data = new Float64Array(shape.reduce((n, size) => n * size, 1));
  const at = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < data.length; i++) {
    data[i] = value(at);
    for (let axis = shape.length - 1; axis >= 0 && ++at[axis]! === shape[axis]; axis--)
      at[axis] = 0;
  }
  return { shape, data };
}

function read({ shape, data }: Tensor, at: readonly number[]): number {
  let index = 0;
  for (let axis = 0; axis < shape.length; axis++) index = index * shape[axis]! + at[axis]!;
  return data[index]!;
}

function mapped({ shape, data }: Tensor, f: (value: number) => number): Tensor {
  return { shape, data: data.map(f) };
}

function replaced(list: readonly number[], index: number, value: number): number[] {
  return list.map((old, i) => (i === index ? value : old));
}

function broadcast(inputs: readonly Tensor[], f: (values: number[]) => number): Tensor {
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  const shape = Array.from({ length: rank }, (_, axis) =>
    Math.max(...inputs.map((input) => input.shape[axis - rank + input.shape.length] ?? 1)),
  );
  return generate(shape, (at) =>
    f(
      inputs.map((input) =>
        read(
          input,
          input.shape.map((size, i) => (size === 1 ? 0 : at[rank - input.shape.length + i]!)),
        ),
      ),
    ),
  );
}

interface Window {
  readonly kernelSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: Padding;
}

/** Output size and zeros in front, along one axis. */
function windowAlong(w: Window, axis: 0 | 1, size: number): { output: number; before: number } {
  const span = (w.kernelSize[axis] - 1) * w.dilations[axis] + 1;
  const stride = w.strides[axis];
  if (w.padding === 'valid') return { output: Math.floor((size - span) / stride) + 1, before: 0 };
  if (w.padding === 'same') {
    const output = Math.ceil(size / stride);
    return { output, before: Math.floor(Math.max((output - 1) * stride + span - size, 0) / 2) };
  }
  const [before, after] = w.padding[axis];
  return { output: Math.floor((size + before + after - span) / stride) + 1, before };
}

/** Positions of the input under a window, with their place in the kernel; padding is left out. */
function under(
  w: Window,
  shape: readonly number[],
  i: number,
  j: number,
): { y: number; x: number; ky: number; kx: number }[] {
  const found = [];
  const top = i * w.strides[0] - windowAlong(w, 0, shape[0]!).before;
  const left = j * w.strides[1] - windowAlong(w, 1, shape[1]!).before;
  for (let ky = 0; ky < w.kernelSize[0]; ky++) {
    for (let kx = 0; kx < w.kernelSize[1]; kx++) {
      const y = top + ky * w.dilations[0];
      const x = left + kx * w.dilations[1];
      if (y >= 0 && y < shape[0]! && x >= 0 && x < shape[1]!) found.push({ y, x, ky, kx });
    }
  }
  return found;
}

function windowOutput(w: Window, { shape }: Tensor): [number, number] {
  return [windowAlong(w, 0, shape[0]!).output, windowAlong(w, 1, shape[1]!).output];
}

function conv2d({ attrs }: NodeOf<'conv2d'>, x: Tensor, weight: WeightTensors): Tensor {
  const kernel = weight('kernel')!;
  const [, kernelWidth, perGroup, filters] = kernel.shape as readonly [
    number,
    number,
    number,
    number,
  ];
  const [, width, channels] = x.shape as readonly [number, number, number];
  const filtersPerGroup = filters / attrs.groups;
  const bias = weight('bias')?.data;
  const [rows, columns] = windowOutput(attrs, x) as readonly [number, number];
  const data = new Float64Array(rows * columns * filters);
  let next = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const places = under(attrs, x.shape, i, j);
      for (let f = 0; f < filters; f++) {
        const first = Math.floor(f / filtersPerGroup) * perGroup;
        let sum = bias?.[f] ?? 0;
        for (const p of places) {
          const pixel = (p.y * width + p.x) * channels + first;
          const taps = (p.ky * kernelWidth + p.kx) * perGroup * filters + f;
          for (let c = 0; c < perGroup; c++) {
            sum += x.data[pixel + c]! * kernel.data[taps + c * filters]!;
          }
        }
        data[next++] = sum;
      }
    }
  }
  return { shape: [rows, columns, filters], data };
}

function depthwise({ attrs }: NodeOf<'depthwiseConv2d'>, x: Tensor, weight: WeightTensors): Tensor {
  const kernel = weight('kernel')!;
  const multiplier = kernel.shape[3]!;
  return generate([...windowOutput(attrs, x), x.shape[2]! * multiplier], ([i, j, f]) => {
    const c = Math.floor(f! / multiplier);
    let sum = weight('bias')?.data[f!] ?? 0;
    for (const p of under(attrs, x.shape, i!, j!)) {
      sum += read(x, [p.y, p.x, c]) * read(kernel, [p.ky, p.kx, c, f! % multiplier]);
    }
    return sum;
  });
}

/** 'same' with stride s only: output s times as large, every input position spreads the kernel. */
function transposed(
  { attrs }: NodeOf<'conv2dTranspose'>,
  x: Tensor,
  weight: WeightTensors,
): Tensor {
  if (attrs.padding !== 'same') throw new Error('the reference has "same" only');
  const kernel = weight('kernel')!;
  const [height, width] = [x.shape[0]! * attrs.strides[0], x.shape[1]! * attrs.strides[1]];
  const filters = kernel.shape[2]!;
  const out = generate([height, width, filters], ([, , f]) => weight('bias')?.data[f!] ?? 0);
  for (let i = 0; i < x.shape[0]!; i++) {
    for (let j = 0; j < x.shape[1]!; j++) {
      for (const p of under(attrs, [height, width], i, j)) {
        for (let f = 0; f < filters; f++) {
          for (let c = 0; c < x.shape[2]!; c++) {
            out.data[(p.y * width + p.x) * filters + f]! +=
              read(x, [i, j, c]) * read(kernel, [p.ky, p.kx, f, c]);
          }
        }
      }
    }
  }
  return out;
}

function dense(x: Tensor, weight: WeightTensors): Tensor {
  const kernel = weight('kernel')!;
  const [inputs, units] = kernel.shape as readonly [number, number];
  const bias = weight('bias')?.data;
  const rows = x.data.length / inputs;
  const data = Float64Array.from({ length: rows * units }, (_, i) => {
    const [row, unit] = [Math.floor(i / units), i % units];
    let sum = bias?.[unit] ?? 0;
    for (let c = 0; c < inputs; c++) {
      sum += x.data[row * inputs + c]! * kernel.data[c * units + unit]!;
    }
    return sum;
  });
  return { shape: [...x.shape.slice(0, -1), units], data };
}

function batchNorm({ attrs }: NodeOf<'batchNorm'>, x: Tensor, weight: WeightTensors): Tensor {
  return generate(x.shape, (at) => {
    const c = at.at(-1)!;
    const deviation = Math.sqrt(weight('variance')!.data[c]! + attrs.epsilon);
    const normal = (read(x, at) - weight('mean')!.data[c]!) / deviation;
    return normal * (weight('gamma')?.data[c] ?? 1) + (weight('beta')?.data[c] ?? 0);
  });
}

function normaliseOver(
  x: Tensor,
  key: (at: readonly number[]) => string,
  epsilon: number,
  weight: WeightTensors,
  affine: (at: readonly number[]) => number[],
): Tensor {
  const sets = new Map<string, number[]>();
  generate(x.shape, (at) => {
    const set = sets.get(key(at)) ?? [];
    sets.set(key(at), set);
    return set.push(read(x, at));
  });
  return generate(x.shape, (at) => {
    const set = sets.get(key(at))!;
    const mean = set.reduce((a, b) => a + b) / set.length;
    const variance = set.reduce((sum, v) => sum + (v - mean) ** 2, 0) / set.length;
    const gamma = weight('gamma');
    const beta = weight('beta');
    return (
      ((read(x, at) - mean) / Math.sqrt(variance + epsilon)) *
        (gamma ? read(gamma, affine(at)) : 1) +
      (beta ? read(beta, affine(at)) : 0)
    );
  });
}

function activate(fn: string, v: number, alpha = 0.2): number {
  const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
  switch (fn) {
    case 'relu':
      return Math.max(v, 0);
    case 'relu6':
      return Math.min(Math.max(v, 0), 6);
    case 'leakyRelu':
      return v >= 0 ? v : alpha * v;
    case 'sigmoid':
      return sigmoid(v);
    case 'hardSigmoid':
      return Math.min(Math.max(v * alpha + 0.5, 0), 1);
    case 'hardSwish':
      return v * Math.min(Math.max(v / 6 + 0.5, 0), 1);
    case 'swish':
      return v * sigmoid(v);
    case 'tanh':
      return Math.tanh(v);
    case 'elu':
      return v >= 0 ? v : Math.expm1(v);
    case 'selu':
      return 1.0507009873554805 * (v >= 0 ? v : 1.6732632423543772 * Math.expm1(v));
    case 'softplus':
      return Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
    case 'softsign':
      return v / (1 + Math.abs(v));
    case 'mish':
      return v * Math.tanh(activate('softplus', v));
    case 'gelu':
      return 0.5 * v * (1 + errorFunction(v / Math.SQRT2));
    case 'geluTanh':
      return 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
    case 'abs':
      return Math.abs(v);
    case 'sqrt':
      return Math.sqrt(v);
    case 'neg':
      return -v;
    case 'exp':
      return Math.exp(v);
    case 'log':
      return Math.log(v);
    case 'linear':
      return v;
    default:
      throw new Error(`the reference has no activation "${fn}"`);
  }
}

/** Abramowitz and Stegun 1964, formula 7.1.6: a series that converges everywhere. */
function errorFunction(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Where TensorFlow reads for a place of the larger image: its corners, its pixels' centres, or their corners. */
function sourceOf(
  place: number,
  [from, to]: readonly [number, number],
  { alignCorners, halfPixel }: { readonly alignCorners: boolean; readonly halfPixel: boolean },
): number {
  if (alignCorners && to > 1) return (place * (from - 1)) / (to - 1);
  return halfPixel ? Math.max(((place + 0.5) * from) / to - 0.5, 0) : (place * from) / to;
}

function resize(x: Tensor, attrs: NodeOf<'resize'>['attrs']): Tensor {
  const [height, width] = attrs.size;
  const [rows, columns, channels] = x.shape as [number, number, number];
  return generate([height, width, channels], ([i, j, c]) => {
    const [y, z] = [sourceOf(i!, [rows, height], attrs), sourceOf(j!, [columns, width], attrs)];
    const at = (row: number, column: number): number =>
      read(x, [Math.min(row, rows - 1), Math.min(column, columns - 1), c!]);
    const [top, left] = [Math.floor(y), Math.floor(z)];
    if (attrs.mode === 'nearest') return at(top, left);
    const along = (row: number): number =>
      at(row, left) + (at(row, left + 1) - at(row, left)) * (z - left);
    return along(top) + (along(top + 1) - along(top)) * (y - top);
  });
}

function softmax(x: Tensor, axis: number): Tensor {
  return generate(x.shape, (at) => {
    const line = Array.from({ length: x.shape[axis]! }, (_, k) => read(x, replaced(at, axis, k)));
    const largest = Math.max(...line);
    const sum = line.reduce((total, value) => total + Math.exp(value - largest), 0);
    return Math.exp(read(x, at) - largest) / sum;
  });
}

function pool(
  { attrs }: NodeOf<'maxPool2d'> | NodeOf<'avgPool2d'>,
  x: Tensor,
  summarise: (values: number[]) => number,
): Tensor {
  const window: Window = { ...attrs, kernelSize: attrs.poolSize, dilations: [1, 1] };
  return generate([...windowOutput(window, x), x.shape[2]!], ([i, j, c]) =>
    summarise(under(window, x.shape, i!, j!).map((p) => read(x, [p.y, p.x, c!]))),
  );
}

function overImage(x: Tensor, keepDims: boolean, summarise: (values: number[]) => number): Tensor {
  const [height, width, channels] = x.shape as [number, number, number];
  return generate(keepDims ? [1, 1, channels] : [channels], (at) => {
    const values: number[] = [];
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) values.push(read(x, [i, j, at.at(-1)!]));
    }
    return summarise(values);
  });
}

function reduced({ attrs }: NodeOf<'reduce'>, x: Tensor): Tensor {
  const axes = new Set(attrs.axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)));
  const kept = x.shape.map((size, axis) => (axes.has(axis) ? 1 : size));
  const result = generate(kept, (target) => {
    const values: number[] = [];
    generate(x.shape, (at) => {
      const value = read(x, at);
      if (at.every((place, axis) => axes.has(axis) || place === target[axis])) values.push(value);
      return value;
    });
    return summary(attrs.fn, values);
  });
  return attrs.keepDims
    ? result
    : { shape: x.shape.filter((_, axis) => !axes.has(axis)), data: result.data };
}

function summary(fn: NodeOf<'reduce'>['attrs']['fn'], values: number[]): number {
  switch (fn) {
    case 'mean':
      return values.reduce((a, b) => a + b) / values.length;
    case 'sum':
      return values.reduce((a, b) => a + b);
    case 'max':
      return Math.max(...values);
    case 'min':
      return Math.min(...values);
    case 'prod':
      return values.reduce((a, b) => a * b);
  }
}

/** Leading axes must agree. */
function matrixProduct({ attrs }: NodeOf<'matmul'>, a: Tensor, b: Tensor): Tensor {
  const at = (t: Tensor, lead: readonly number[], i: number, j: number, turned: boolean): number =>
    read(t, turned ? [...lead, j, i] : [...lead, i, j]);
  const rows = a.shape.at(attrs.transposeA ? -1 : -2)!;
  const inner = a.shape.at(attrs.transposeA ? -2 : -1)!;
  const columns = b.shape.at(attrs.transposeB ? -2 : -1)!;
  return generate([...a.shape.slice(0, -2), rows, columns], (place) => {
    const lead = place.slice(0, -2);
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum +=
        at(a, lead, place.at(-2)!, k, attrs.transposeA) *
        at(b, lead, k, place.at(-1)!, attrs.transposeB);
    }
    return sum;
  });
}
