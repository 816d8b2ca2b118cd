// Loads h5wasm, the HDF5 library compiled to WebAssembly, and keeps what it does within bounds.
//
// HDF5 trusts its files: a damaged one can run it out of its memory, or in circles for ever. So each piece of
// work has a time limit, and an instance that was interrupted or has trapped is thrown away. The build for web
// pages is used because its files live in memory: a hostile file that refers to other files finds none.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { compileFunction, createContext, Script } from 'node:vm';
import { AppError } from '../../../errors';
import { corrupt } from '../../keras-config/errors';

/** What HDF5 says about the values of a dataset or an attribute. */
export interface ValueInfo {
  /** One of the type classes (H5T_class_t). */
  readonly type: number;
  /** Bytes of one value. */
  readonly size: number;
  readonly signed: boolean;
  readonly littleEndian: boolean;
  /** A text of any length, held elsewhere in the file. */
  readonly vlen: boolean;
  /** 1 for UTF-8. */
  readonly cset?: number;
  /** Null for a null space, which holds nothing. */
  readonly shape: readonly number[] | null;
  readonly total_size: number;
  readonly virtual_sources?: readonly unknown[];
}

/** How to write values: those above, with the sizes as HDF5 takes them. */
export interface WriteInfo extends Omit<ValueInfo, 'shape' | 'total_size'> {
  readonly shape: readonly bigint[];
  readonly maxshape: readonly bigint[];
  readonly chunks: null;
  readonly compression: number;
  readonly compression_opts: readonly number[];
  readonly track_order: boolean;
}

interface FileSystem {
  writeFile(path: string, data: Uint8Array, options: { readonly canOwn: boolean }): void;
  readFile(path: string): Uint8Array;
  unlink(path: string): void;
}

/** The functions of h5wasm's module that are used here; they throw an Error where HDF5 fails. */
export interface Hdf5 {
  readonly FS: FileSystem;
  /** Memory of the instance; another array after it has grown. */
  readonly HEAPU8: Uint8Array;
  readonly H5F_ACC_RDONLY: number;
  readonly H5F_ACC_TRUNC: number;
  readonly H5G_GROUP: number;
  readonly H5G_DATASET: number;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  UTF8ToString(pointer: number): string;
  activate_throwing_error_handler(): number;
  open(path: string, mode: number, trackOrder: boolean, low: number, high: number): bigint;
  close_file(file: bigint): number;
  get_type(file: bigint, path: string): number;
  get_names(file: bigint, path: string, recursive: boolean): string[];
  get_attribute_names(file: bigint, path: string): string[];
  get_attribute_metadata(file: bigint, path: string, name: string): ValueInfo;
  get_attribute_data(file: bigint, path: string, name: string, target: bigint): number;
  reclaim_vlen_memory(file: bigint, path: string, name: string, data: bigint): number;
  get_dataset_metadata(file: bigint, path: string): ValueInfo;
  get_dataset_data(
    file: bigint,
    path: string,
    count: readonly bigint[] | null,
    offset: readonly bigint[] | null,
    strides: readonly bigint[] | null,
    target: bigint,
  ): number;
  create_group(file: bigint, path: string, trackOrder: boolean): number;
  create_dataset(file: bigint, path: string, data: bigint, info: WriteInfo): number;
  create_attribute(file: bigint, path: string, name: string, data: bigint, info: WriteInfo): number;
  create_vlen_str_attribute(
    file: bigint,
    path: string,
    name: string,
    data: readonly string[],
    info: WriteInfo,
  ): number;
}

type Factory = (options: object) => Promise<Hdf5>;

/** An instance grown beyond this is not kept: WebAssembly never gives memory back. */
const keptBytes = 64 * 1024 * 1024;

let factory: Promise<Factory> | undefined;
let idle: Hdf5 | undefined;

/** HDF5 notes when things were written; files of equal content are equal to the byte only where no time passes. */
class StillDate extends Date {
  static override now(): number {
    return 0;
  }
}

/**
 * Compiles the package's module as a function that gives its factory. Importing it would do, but for two things:
 * the package exports no entry for it, and it would take the time of day.
 */
async function loadFactory(): Promise<Factory> {
  const folders = createRequire(import.meta.url).resolve.paths('h5wasm') ?? [];
  const file = folders
    .map((folder) => join(folder, 'h5wasm', 'dist', 'esm', 'hdf5_util.js'))
    .find((path) => existsSync(path));
  if (file === undefined) throw new Error('the package h5wasm is not installed');
  const source = (await readFile(file, 'utf8'))
    .replaceAll('import.meta.url', "''")
    .replace(/export default Module;\s*$/, 'return Module;');
  return (compileFunction(source, ['Date'], { filename: file }) as (date: unknown) => Factory)(
    StillDate,
  );
}

/**
 * An instance for one file: the idle one, or a new one.
 * @throws AppError RUNTIME_UNAVAILABLE when the package's files cannot be loaded
 */
export async function takeHdf5(): Promise<Hdf5> {
  if (idle !== undefined) {
    const taken = idle;
    idle = undefined;
    return taken;
  }
  try {
    factory ??= loadFactory();
    const silent = (): void => undefined;
    const instance = await (await factory)({ noInitialRun: true, print: silent, printErr: silent });
    instance.activate_throwing_error_handler();
    return instance;
  } catch (error) {
    factory = undefined;
    throw new AppError(
      'RUNTIME_UNAVAILABLE',
      `HDF5 could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
      'Install Secateur again: files of the package h5wasm are missing or damaged.',
      { cause: error },
    );
  }
}

/** Gives an instance back that is in order. */
export function giveBack(instance: Hdf5): void {
  if (instance.HEAPU8.length <= keptBytes) idle = instance;
}

const context = createContext({ work: undefined as unknown });
const call = new Script('work()');

/**
 * Does a piece of work, with an end to it: after `limitMs` it is broken off wherever it is, inside WebAssembly too.
 * @throws AppError MODEL_CORRUPT for whatever HDF5 throws, or what `work` throws where that is an AppError
 */
export function bounded<T>(limitMs: number, work: () => T): T {
  context['work'] = work;
  try {
    return call.runInContext(context, { timeout: Math.ceil(limitMs) }) as T;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw corrupt(`The HDF5 file cannot be read: ${reasonOf(error, limitMs)}`, {}, error);
  } finally {
    context['work'] = undefined;
  }
}

/** Whether the library can go on after an error of `bounded`: HDF5's own errors leave it in order. */
export function leavesInOrder(error: unknown): boolean {
  const { cause } = error as { cause?: unknown };
  const { code, name } = (cause ?? {}) as { code?: unknown; name?: unknown };
  return code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT' && name !== 'RuntimeError';
}

function reasonOf(error: unknown, limitMs: number): string {
  const { code, message = String(error) } = error as { code?: unknown; message?: string };
  if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
    return `reading it did not end within ${Math.ceil(limitMs / 1000)} s`;
  }
  // HDF5 prints its stack, the innermost function last: "#007: file line 123 in H5XX(): what is wrong".
  const steps = [...message.matchAll(/\(\): ([^\n]+)/g)].map((match) => match[1]!);
  return steps.at(-1) ?? message.split('\n')[0]!.slice(0, 200);
}
