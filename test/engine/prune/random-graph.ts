// Random small networks: any op of the pruner's tests meets any other.

import { GraphBuilder } from '../../../src-main/engine/graph/build';
import type { Rng } from '../../../src-main/engine/graph/rng';
import { createRng } from '../../../src-main/engine/graph/rng';
import type { ActivationFn, Model, Shape, Weight } from '../../../src-main/engine/graph/types';
import { modelOf, randomised } from './networks';

/** More values than this make a forward pass in plain loops slow. */
const largestTensor = 400;

const activations: readonly ActivationFn[] = ['relu', 'relu6', 'leakyRelu', 'sigmoid', 'tanh'];

/** A valid model of up to `steps` random layers, the same for the same seed. */
export function randomModel(seed: number, steps: number): Model {
  const rng = createRng(seed);
  const growth = new Growth(rng);
  for (let i = 0; i < steps; i++) growth.step();
  return modelOf(randomised(growth.finish(), rng));
}

/** A convolution that another layer can share. */
interface Convolution {
  readonly name: string;
  readonly inputs: number;
  readonly filters: number;
  readonly kernelSize: number;
  readonly bias: boolean;
}

class Growth {
  private readonly b: GraphBuilder;
  private readonly tensors: string[] = [];
  private readonly read = new Set<string>();
  private readonly convolutions: Convolution[] = [];

  constructor(private readonly rng: Rng) {
    this.b = new GraphBuilder('random', { rng });
    this.tensors.push(this.b.input('image', [4, 4, this.pick([1, 3])]));
    this.convolve();
  }

  /** Adds one layer of a random kind; kinds that do not fit what is there do nothing. */
  step(): void {
    const kinds = [
      () => this.convolve(),
      () => this.convolve(),
      () => this.shareConvolution(),
      () => this.depthwise(),
      () => this.dense(),
      () => this.normalise(),
      () => this.pointwise(),
      () => this.combine(),
      () => this.combine(),
      () => this.join(),
      () => this.takeApart(),
      () => this.takeSome(),
      () => this.surround(),
      () => this.pool(),
      () => this.shuffle(),
      () => this.reshape(),
      () => this.changeResolution(),
      () => this.mix(),
    ];
    this.pick(kinds)();
  }

  /** What nobody reads becomes an output, through a layer that leaves its channels free or, rarely, as it is. */
  finish(): ReturnType<GraphBuilder['build']> {
    const { b } = this;
    const ends = this.tensors.filter((tensor) => !this.read.has(tensor));
    for (const [i, end] of ends.slice(-3).entries()) {
      const bare = this.rng.uniform() < 0.1;
      b.output(bare ? end : b.dense(b.flatten(end), { units: 2 }), `output${i}`);
    }
    return b.build();
  }

  private convolve(): void {
    const x = this.image();
    const [, , channels] = this.shape(x) as [number, number, number];
    const groups = this.pick([1, 1, 1, 2, 3]);
    const fits = channels % groups === 0;
    const filters = (fits ? groups : 1) * (1 + this.rng.int(fits && groups > 1 ? 3 : 7));
    const kernelSize = this.pick([1, 3]);
    const bias = this.rng.uniform() < 0.7;
    const y = this.b.conv2d(x, {
      filters,
      kernelSize,
      strides: this.pick([1, 1, 2]),
      groups: fits ? groups : 1,
      bias,
    });
    if (!fits || groups === 1) {
      this.convolutions.push({ name: y, inputs: channels, filters, kernelSize, bias });
    }
    this.add(y, x);
  }

  /** The weights of an earlier convolution at a second place. */
  private shareConvolution(): void {
    if (this.convolutions.length === 0) return;
    const { name, inputs, filters, kernelSize, bias } = this.pick(this.convolutions);
    const x = this.find((shape) => shape.length === 3 && shape[2] === inputs);
    if (x === undefined) return;
    const weights = { kernel: `${name}/kernel`, bias: bias ? `${name}/bias` : null };
    this.add(this.b.conv2d(x, { filters, kernelSize, weights }), x);
  }

  private depthwise(): void {
    const x = this.image();
    const multiplier = this.pick([1, 1, 2]);
    if (this.size(x) * multiplier > largestTensor) return;
    this.add(this.b.depthwiseConv2d(x, { kernelSize: 3, multiplier }), x);
  }

  private dense(): void {
    const x = this.any();
    this.add(this.b.dense(x, { units: 1 + this.rng.int(6) }), x);
  }

  private normalise(): void {
    const x = this.any();
    this.add(this.b.batchNorm(x), x);
  }

  private pointwise(): void {
    const x = this.any();
    const kind = this.rng.int(4);
    if (kind === 0) this.add(this.b.prelu(x), x);
    else if (kind === 1) this.add(this.b.apply('dropout', [x], { rate: 0.5 }), x);
    else if (kind === 2) {
      const channels = this.shape(x).at(-1)!;
      const scale = Array.from({ length: this.pick([1, channels]) }, () => this.rng.normal());
      this.add(this.b.apply('rescale', [x], { scale, offset: [0.5] }), x);
    } else this.add(this.b.activation(x, this.pick(activations)), x);
  }

  /** Two tensors of one shape, or one that broadcasts against the other. */
  private combine(): void {
    const x = this.any();
    const shape = this.shape(x);
    const channels = shape.at(-1);
    const fits = (other: Shape): boolean =>
      other.join() === shape.join() ||
      (other.length <= shape.length &&
        other.every((size, i) => {
          const same = size === shape[shape.length - other.length + i];
          return same || size === 1;
        }));
    const y = this.rng.uniform() < 0.2 ? this.constant([channels!]) : (this.find(fits) ?? x);
    const op = this.pick(['add', 'add', 'sub', 'mul', 'max', 'average'] as const);
    this.add(this.b.apply(op, [x, y], {}), x, y);
  }

  private join(): void {
    const x = this.any();
    const shape = this.shape(x);
    const fits = (other: Shape): boolean =>
      other.length === shape.length && other.slice(0, -1).join() === shape.slice(0, -1).join();
    const parts = [x, this.find(fits) ?? x, ...(this.rng.uniform() < 0.3 ? [x] : [])];
    if (parts.reduce((sum, part) => sum + this.size(part), 0) > largestTensor) return;
    this.add(this.b.concat(parts), ...parts);
  }

  private takeApart(): void {
    const x = this.any();
    const channels = this.shape(x).at(-1)!;
    if (channels < 2) return;
    const first = 1 + this.rng.int(channels - 1);
    const sizes = [first, channels - first];
    for (const part of this.b.applyAll('split', [x], { axis: -1, sizes })) this.add(part, x);
  }

  private takeSome(): void {
    const x = this.any();
    const shape = this.shape(x);
    const channels = shape.at(-1)!;
    if (this.rng.uniform() < 0.5) {
      const indices = Array.from({ length: 1 + this.rng.int(5) }, () => this.rng.int(channels));
      this.add(this.b.apply('gather', [x], { indices }), x);
      return;
    }
    const begin = shape.map((size) => this.rng.int(Math.ceil(size / 2)));
    const strides = shape.map((_, axis) => (axis === shape.length - 1 ? this.pick([1, 1, 2]) : 1));
    this.add(this.b.apply('slice', [x], { begin, end: shape, strides }), x);
  }

  private surround(): void {
    const x = this.any();
    const paddings = this.shape(x).map(() => [this.rng.int(2), this.rng.int(2)] as const);
    const grown = this.shape(x).map((size, axis) => size + paddings[axis]![0] + paddings[axis]![1]);
    if (grown.reduce((n, size) => n * size, 1) > largestTensor) return;
    this.add(this.b.apply('pad', [x], { paddings, mode: 'constant', value: this.rng.int(2) }), x);
  }

  private pool(): void {
    const x = this.image();
    const kind = this.rng.int(4);
    if (kind < 2) {
      const keepDims = this.rng.uniform() < 0.5;
      this.add(this.b.globalAvgPool(x, { keepDims }), x);
      return;
    }
    const options = { poolSize: 2, padding: 'same' } as const;
    this.add(kind === 2 ? this.b.maxPool2d(x, options) : this.b.avgPool2d(x, options), x);
  }

  private shuffle(): void {
    const x = this.image();
    const [height, width, channels] = this.shape(x) as [number, number, number];
    const groups = this.pick([2, 3]);
    if (channels % groups !== 0) return;
    const apart = [height, width, groups, channels / groups];
    const grouped = this.b.apply('reshape', [x], { shape: apart });
    const turned = this.b.apply('permute', [grouped], { perm: [0, 1, 3, 2] });
    this.add(this.b.apply('reshape', [turned], { shape: [height, width, channels] }), x);
  }

  private reshape(): void {
    const x = this.image();
    const [height, width, channels] = this.shape(x) as [number, number, number];
    const kind = this.rng.int(3);
    if (kind === 0) this.add(this.b.flatten(x), x);
    else if (kind === 1) this.add(this.b.apply('permute', [x], { perm: [2, 0, 1] }), x);
    else this.add(this.b.apply('reshape', [x], { shape: [height * width, channels] }), x);
  }

  private changeResolution(): void {
    const x = this.image();
    const [height, width, channels] = this.shape(x) as [number, number, number];
    if (channels % 4 === 0 && this.rng.uniform() < 0.5) {
      const order = this.pick(['dcr', 'crd'] as const);
      this.add(this.b.apply('depthToSpace', [x], { block: 2, order }), x);
    } else if (height % 2 === 0 && width % 2 === 0) {
      this.add(this.b.apply('spaceToDepth', [x], { block: 2 }), x);
    } else if (this.size(x) * 4 <= largestTensor) {
      this.add(this.b.conv2dTranspose(x, { filters: 3, kernelSize: 3, strides: 2 }), x);
    }
  }

  /** Ops through which channels cannot be cut. */
  private mix(): void {
    if (this.rng.uniform() < 0.6) return;
    const x = this.any();
    const kind = this.rng.int(3);
    if (kind === 0) this.add(this.b.apply('softmax', [x], { axis: -1 }), x);
    else if (kind === 1) {
      this.add(this.b.apply('layerNorm', [x], { epsilon: 0.01, axes: [-1] }), x);
    } else {
      this.add(this.b.apply('reduce', [x], { fn: 'mean', axes: [-1], keepDims: true }), x);
    }
  }

  private constant(shape: Shape): string {
    const size = shape.reduce((n, length) => n * length, 1);
    const value: Weight = { shape, dtype: 'float32', data: new Float32Array(size) };
    return this.b.constant(value);
  }

  private add(tensor: string, ...inputs: string[]): void {
    for (const input of inputs) this.read.add(input);
    this.tensors.push(tensor);
  }

  private shape(tensor: string): Shape {
    return this.b.shapeOf(tensor);
  }

  private size(tensor: string): number {
    return this.shape(tensor).reduce((n, length) => n * length, 1);
  }

  /** A recent tensor more often than an old one, so that networks become deep. */
  private any(): string {
    return this.find((shape) => shape.length > 0)!;
  }

  private image(): string {
    return this.find((shape) => shape.length === 3)!;
  }

  private find(fits: (shape: Shape) => boolean): string | undefined {
    const fitting = this.tensors.filter((tensor) => fits(this.shape(tensor)));
    const recent = this.rng.uniform() < 0.6 ? fitting.slice(-2) : fitting;
    return recent.length === 0 ? undefined : this.pick(recent);
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.rng.int(list.length)]!;
  }
}
