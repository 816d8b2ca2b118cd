// The one place that touches ipcMain. Each call passes the same gate: who asks (our page, main frame), what
// is asked (schema), and an envelope around the reply, since thrown errors lose their code on the way.

import { ipcMain, type WebFrameMain } from 'electron';
import { type ZodType, z } from 'zod';

import { AppError, toAppError, type ErrorInfo } from '../engine/errors';
import type { Args, CallName, DropCalls, Envelope, Reply } from './contract';
import { callNames } from './contract';
import { dropSchema, schemas } from './schemas';

export type Handlers = { readonly [N in CallName]: (args: Args<N>) => Promise<Reply<N>> };

export interface DropHandlers {
  inspect(args: DropCalls['drop.inspect']['args']): Promise<DropCalls['drop.inspect']['reply']>;
}

/** The part of an IpcMainInvokeEvent that tells who asks. */
export interface Sender {
  readonly senderFrame: Pick<WebFrameMain, 'url'> | null;
  readonly sender: { readonly mainFrame: Pick<WebFrameMain, 'url'> };
}

/**
 * True for the main frame of a page of ours. A frame that is gone is null and refused.
 * @see https://www.electronjs.org/docs/latest/tutorial/security#17-validate-the-sender-of-all-ipc-messages
 */
export function isTrustedSender(event: Sender, isAppPage: (url: string) => boolean): boolean {
  const frame = event.senderFrame;
  return frame !== null && frame === event.sender.mainFrame && isAppPage(frame.url);
}

/** Field errors of a schema as `{ 'options.align': 'must be at least 1' }`. */
function fieldErrors(error: z.ZodError): Record<string, string> {
  return Object.fromEntries(error.issues.map((i) => [i.path.join('.') || '(all)', i.message]));
}

/** Checks arguments against a schema and runs the handler; every outcome is an envelope. */
export async function answer<A, R>(
  schema: ZodType<A>,
  handler: (args: A) => Promise<R>,
  args: unknown,
  onError: (error: AppError) => void,
): Promise<Envelope<R>> {
  try {
    const parsed = schema.safeParse(args);
    if (!parsed.success) {
      const fields = fieldErrors(parsed.error);
      const [field, text] = Object.entries(fields)[0] ?? ['(all)', 'does not fit'];
      throw new AppError(
        'INVALID_ARGUMENT',
        `Invalid value for ${field}: ${text}`,
        'Correct the value and try again.',
        { details: { fields } },
      );
    }
    return { ok: true, value: await handler(parsed.data) };
  } catch (error) {
    const appError = toAppError(error);
    onError(appError);
    return { ok: false, error: appError.toInfo() };
  }
}

const refused: ErrorInfo = {
  code: 'INVALID_ARGUMENT',
  message: 'The call did not come from a page of this app.',
  hint: 'Nothing was done.',
};

/** Connects every call of the contract; refuses every other sender. */
export function registerRouter(
  handlers: Handlers,
  drop: DropHandlers,
  isAppPage: (url: string) => boolean,
  onError: (name: string, error: AppError) => void,
): void {
  const connect = <A, R>(
    channel: string,
    schema: ZodType<A>,
    handler: (args: A) => Promise<R>,
  ): void => {
    ipcMain.handle(channel, (event, args: unknown): Promise<Envelope<R>> | Envelope<R> =>
      isTrustedSender(event, isAppPage)
        ? answer(schema, handler, args, (error) => onError(channel, error))
        : { ok: false, error: refused },
    );
  };
  const connectCall = <N extends CallName>(name: N): void =>
    connect<Args<N>, Reply<N>>(`call:${name}`, schemas[name], handlers[name]);
  for (const name of callNames) connectCall(name);
  connect('drop:inspect', dropSchema, (args) => drop.inspect(args));
}
