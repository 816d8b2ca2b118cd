// The only file that touches the bridge. Envelopes come out as values or as a thrown ApiError; runes proxies
// go in as plain data, since a proxy cannot be cloned into the main process.
import type { ErrorInfo } from '../src-main/engine/errors';
import type {
  Args,
  Bridge,
  CallName,
  DropCalls,
  Envelope,
  EventName,
  Events,
  Reply,
} from '../src-main/ipc/contract';
import { plain } from './state/plain.svelte';

/** An error of the main process with its code, what to do about it, and machine-readable particulars. */
export class ApiError extends Error {
  readonly code: ErrorInfo['code'];
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(info: ErrorInfo) {
    super(info.message);
    this.name = 'ApiError';
    this.code = info.code;
    this.hint = info.hint;
    this.details = info.details ?? {};
  }
}

/** Anything thrown, as an ApiError; what is not one is a bug in the page. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError({
    code: 'INTERNAL',
    message: error instanceof Error ? error.message : String(error),
    hint: 'This is a bug in Secateur; the log has the details.',
  });
}

/** Field errors of a refused request: name of the field to what is wrong with it. */
export function fieldErrors(error: ApiError | null): Readonly<Record<string, string>> {
  const fields = error?.details['fields'];
  if (typeof fields !== 'object' || fields === null) return {};
  return Object.fromEntries(
    Object.entries(fields).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
}

function bridge(): Bridge {
  return window.secateur;
}

function unwrap<T>(envelope: Envelope<T>): T {
  if (envelope.ok) return envelope.value;
  throw new ApiError(envelope.error);
}

/** Calls the main process. @throws ApiError */
export async function call<N extends CallName>(
  name: N,
  ...args: Args<N> extends Record<string, never> ? [] : [Args<N>]
): Promise<Reply<N>> {
  const [payload = {} as Args<N>] = args;
  return unwrap(await bridge().invoke(name, plain(payload)));
}

/** Listens to an event of the main process until the returned function is called. */
export function listen<E extends EventName>(
  name: E,
  listener: (payload: Events[E]) => void,
): () => void {
  return bridge().on(name, listener);
}

/** Looks at a file or folder that was dropped on the window. @throws ApiError */
export async function inspectDropped(file: File): Promise<DropCalls['drop.inspect']['reply']> {
  return unwrap(await bridge().dropped(file));
}
