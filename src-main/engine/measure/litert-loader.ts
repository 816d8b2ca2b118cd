// Loads the WebAssembly build of LiteRT (@litertjs/core) into plain Node or an Electron utility process.
// The package is written for web pages; what it expects of a page is lent to it only while it loads.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { compileFunction } from 'node:vm';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { loadLiteRt } from '@litertjs/core';
import { AppError } from '../errors';

/** The builds that the package ships and this loader uses, fastest first. */
export type LiteRtBuild = 'relaxed SIMD, threaded' | 'relaxed SIMD' | 'SIMD';

export interface LiteRtRuntime {
  /** Version of @litertjs/core. */
  readonly version: string;
  readonly build: LiteRtBuild;
  /** Largest number of threads that a model can be run with. */
  readonly maxThreads: number;
}

/** Declared here because the type definitions of Node leave it to those of browsers. */
declare const WebAssembly: { validate(bytes: Uint8Array): boolean };

type ModuleFactory = (module: object) => Promise<object>;
type PageGlobals = Readonly<Record<'self' | 'importScripts' | 'navigator' | 'Worker', unknown>>;

/** More workers than this cost memory and bring single-image inference nothing. */
const WORKER_LIMIT = 8;

/** A module with one relaxed-SIMD instruction (i8x16.relaxed_swizzle, 0xfd 0x100). */
const RELAXED_SIMD_MODULE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11],
);

let loading: Promise<LiteRtRuntime> | undefined;

/**
 * Loads LiteRT once per process; later calls give the same runtime.
 * @throws AppError RUNTIME_UNAVAILABLE when the package's files cannot be loaded.
 */
export function loadLiteRtRuntime(): Promise<LiteRtRuntime> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw new AppError(
      'RUNTIME_UNAVAILABLE',
      `LiteRT could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
      'Install Secateur again: files of the package @litertjs/core are missing or damaged.',
      { cause: error },
    );
  });
  return loading;
}

async function load(): Promise<LiteRtRuntime> {
  const packageJson = createRequire(import.meta.url).resolve('@litertjs/core/package.json');
  const { version } = JSON.parse(readFileSync(packageJson, 'utf8')) as { version: string };
  const threaded = enableRelaxedSimd();
  const workers = threaded ? Math.min(Math.max(2, availableParallelism()), WORKER_LIMIT) : 1;

  let factory: ModuleFactory | undefined;
  const page: PageGlobals = {
    get self() {
      return { ModuleFactory: factory };
    },
    importScripts: (script: string) => {
      factory = instantiateGlue(script, workers);
    },
    navigator: { gpu: noGpu },
    // The script sets this one itself; listed here, it is taken away again.
    Worker,
  };
  const build: LiteRtBuild = threaded ? 'relaxed SIMD, threaded' : 'SIMD';
  await withGlobals(page, () =>
    loadLiteRt(join(dirname(packageJson), 'wasm'), { threads: threaded }),
  );
  return { version, build, maxThreads: workers };
}

/**
 * The threaded build needs relaxed SIMD, which V8 has behind a flag in Node 20 and always from Node 21 on.
 * The flag only lets more modules compile, so setting it in a running process is safe.
 */
function enableRelaxedSimd(): boolean {
  if (WebAssembly.validate(RELAXED_SIMD_MODULE)) return true;
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  return WebAssembly.validate(RELAXED_SIMD_MODULE);
}

/**
 * Runs the Emscripten script of a build as the CommonJS module that it is (its package claims ES modules) and
 * gives its factory. Worker threads get the same script; LiteRT's log lines are dropped.
 */
function instantiateGlue(script: string, workers: number): ModuleFactory {
  const source = readFileSync(script, 'utf8');
  class GlueWorker extends Worker {
    constructor(_script: string, options: WorkerOptions) {
      super(source, { ...options, eval: true, name: basename(script) });
    }
  }
  const module: { exports: unknown } = { exports: {} };
  const parameters = {
    require: createRequire(script),
    module,
    exports: module.exports,
    __filename: script,
    __dirname: dirname(script),
    navigator: { hardwareConcurrency: workers },
    Worker: GlueWorker,
  };
  const run = compileFunction(source, Object.keys(parameters), { filename: script });
  run(...Object.values(parameters));
  const factory = module.exports as ModuleFactory;
  const silent = (): void => undefined;
  return (options) => factory({ ...options, print: silent, printErr: silent });
}

/** Answers the package's search for a graphics processor: there is none, and that is no cause for a warning. */
const noGpu = {
  requestAdapter: () =>
    Promise.resolve({
      limits: {},
      features: new Set<string>(),
      requestDevice: () => Promise.resolve(null),
    }),
};

async function withGlobals(values: PageGlobals, action: () => Promise<unknown>): Promise<void> {
  const scope = globalThis as unknown as Record<string, unknown>;
  const names = Object.keys(values) as (keyof PageGlobals)[];
  const before = names.map((name) => Object.getOwnPropertyDescriptor(scope, name));
  for (const name of names) {
    const descriptor = Object.getOwnPropertyDescriptor(values, name)!;
    Object.defineProperty(scope, name, { ...descriptor, configurable: true });
  }
  try {
    await action();
  } finally {
    names.forEach((name, index) => {
      const descriptor = before[index];
      if (descriptor) Object.defineProperty(scope, name, descriptor);
      else Reflect.deleteProperty(scope, name);
    });
  }
}
