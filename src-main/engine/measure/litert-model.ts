// A .tflite file in LiteRT's WebAssembly, through the bindings of @litertjs/core: the classes above them refuse integers of
// 8 bits, which quantised models take and give.

import { getGlobalLiteRt } from '@litertjs/core';

type Wasm = ReturnType<typeof getGlobalLiteRt>['liteRtWasm'];
type Compiled = Awaited<ReturnType<Wasm['compileModel']>>;
type Loaded = ReturnType<Wasm['loadModel']>;
/** Memory of the runtime with the numbers of one tensor. */
export type LiteRtBuffer = ReturnType<Wasm['LiteRtTensorBuffer']['createManaged']>;

/** Numbers of inputs and outputs that are run here; values of litert::ElementType. */
const elementTypes = { float32: 1, int8: 9 } as const;
export type LiteRtType = keyof typeof elementTypes;

export interface LiteRtPort {
  readonly type: LiteRtType;
  /** Batch included. */
  readonly shape: readonly number[];
}

/** The only signature of the files that are run here. */
const signature = 0;

export class LiteRtModel {
  readonly input: LiteRtPort;
  readonly outputs: readonly LiteRtPort[];

  private constructor(
    private readonly wasm: Wasm,
    private readonly memory: number,
    private readonly loaded: Loaded,
    private readonly compiled: Compiled,
  ) {
    this.input = portOf(loaded.getInputTensorType(signature, 0));
    const description = loaded.getSignature(signature);
    const names = description.outputNames();
    this.outputs = Array.from({ length: names.size() }, (_, i) =>
      portOf(loaded.getOutputTensorType(signature, i)),
    );
    names.delete();
    description.delete();
  }

  /** Throws what LiteRT throws for a file that it refuses. The runtime is loaded before. */
  static async open(bytes: Uint8Array, threads: number): Promise<LiteRtModel> {
    const liteRt = getGlobalLiteRt();
    const wasm = liteRt.liteRtWasm;
    const { liteRtEnvironment: environment } = liteRt.getDefaultEnvironment();
    const memory = wasm._malloc(bytes.byteLength);
    wasm.HEAPU8.set(bytes, memory);
    let loaded: Loaded | null = null;
    try {
      loaded = wasm.loadModel(environment, memory, bytes.byteLength);
      const options = { accelerator: 'wasm' as const, cpuOptions: { numThreads: threads } };
      const compiled = await wasm.compileModel(environment, loaded, options);
      return new LiteRtModel(wasm, memory, loaded, compiled);
    } catch (error) {
      loaded?.delete();
      wasm._free(memory);
      throw error;
    }
  }

  /** Puts an input into the runtime's memory; delete it. */
  write(values: Float32Array | Int8Array): LiteRtBuffer {
    const { wasm } = this;
    const { liteRtEnvironment } = getGlobalLiteRt().getDefaultEnvironment();
    const type = this.loaded.getInputTensorType(signature, 0);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    if (type.bytes() !== bytes.length) {
      throw new RangeError(`The input has ${type.bytes()} bytes, not ${bytes.length}.`);
    }
    const { HOST_MEMORY } = wasm.LiteRtTensorBufferType;
    const { createManaged } = wasm.LiteRtTensorBuffer;
    const buffer = createManaged(liteRtEnvironment, HOST_MEMORY, type, bytes.length);
    type.delete();
    const at = buffer.lock(wasm.LiteRtTensorBufferLockMode.WRITE);
    wasm.HEAPU8.set(bytes, at);
    buffer.unlock();
    return buffer;
  }

  /** One inference; delete the outputs. */
  async invoke(input: LiteRtBuffer): Promise<readonly LiteRtBuffer[]> {
    return this.compiled.run(signature, [input]);
  }

  /** Copies an output out of the runtime's memory. */
  read(buffer: LiteRtBuffer, { type }: LiteRtPort): Float32Array | Int8Array {
    const { wasm } = this;
    const at = buffer.lock(wasm.LiteRtTensorBufferLockMode.READ);
    const bytes = wasm.HEAPU8.slice(at, at + buffer.packedSize());
    buffer.unlock();
    return type === 'int8' ? new Int8Array(bytes.buffer) : new Float32Array(bytes.buffer);
  }

  close(): void {
    this.compiled.delete();
    this.loaded.delete();
    this.wasm._free(this.memory);
  }
}

function portOf(type: ReturnType<Loaded['getInputTensorType']>): LiteRtPort {
  const code = type.elementType().value;
  const layout = type.layout();
  const dimensions = layout.dimensions();
  const shape = Array.from({ length: dimensions.size() }, (_, i) => Number(dimensions.get(i)));
  dimensions.delete();
  layout.delete();
  type.delete();
  for (const name of ['float32', 'int8'] as const) {
    if (elementTypes[name] === code) return { type: name, shape };
  }
  throw new TypeError(`inputs and outputs of element type ${code} are not run`);
}
