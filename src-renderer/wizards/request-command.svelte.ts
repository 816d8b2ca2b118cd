// The command line of a request while it is being put together.
import { asApiError, call } from '../api';
import type { ApiError } from '../api';
import type { PageJobRequest } from '../../src-main/ipc/contract';
import { Latest } from '../state/latest';

export class RequestCommand {
  text = $state('');
  error = $state.raw<ApiError | null>(null);
}

/** Follows a request while a component lives; null asks for nothing. */
export function requestCommand(request: () => PageJobRequest | null): RequestCommand {
  const command = new RequestCommand();
  const latest = new Latest<PageJobRequest, string>({
    delayMs: 120,
    run: (wanted) => call('jobs.command', { request: wanted }),
    onResult: (text) => {
      command.text = text;
      command.error = null;
    },
    onError: (error) => (command.error = asApiError(error)),
    onBusy: () => undefined,
  });
  $effect(() => {
    const wanted = request();
    if (wanted) latest.ask(wanted);
  });
  $effect(() => () => latest.close());
  return command;
}
