// The one place that touches ipcMain: connects every call of the contract with its gate, schema and handler.

import { ipcMain } from 'electron';
import type { ZodType } from 'zod';

import type { AppError, ErrorInfo } from '../engine/errors';
import type { Args, CallName, DropCalls, Envelope, Reply } from './contract';
import { callNames } from './contract';
import { answer, isTrustedSender } from './gate';
import { dropSchema, schemas } from './schemas';

export type Handlers = { readonly [N in CallName]: (args: Args<N>) => Promise<Reply<N>> };

export interface DropHandlers {
  inspect(args: DropCalls['drop.inspect']['args']): Promise<DropCalls['drop.inspect']['reply']>;
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
