// The gate that each call passes: who asks (our page, main frame), what is asked (schema), and an envelope
// around the reply, since thrown errors lose their code on the way.

import type { WebFrameMain } from 'electron';
import type { ZodError, ZodType } from 'zod';

import { AppError, toAppError } from '../engine/errors';
import type { Envelope } from './contract';

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
function fieldErrors(error: ZodError): Record<string, string> {
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
