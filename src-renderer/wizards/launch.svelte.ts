// Starting a wizard's job: one at a time, with its error for the last step and its fields.
import { asApiError, fieldErrors } from '../api';
import type { ApiError } from '../api';
import type { PageJobRequest } from '../../src-main/ipc/contract';
import { drafts } from '../state/drafts.svelte';
import { jobs } from '../state/jobs.svelte';

export class Launch {
  starting = $state(false);
  error = $state.raw<ApiError | null>(null);
  readonly fields = $derived(fieldErrors(this.error));

  /** The error of a field, by the last part of its path in the request. */
  field(name: string): string | undefined {
    const found = Object.entries(this.fields).find(
      ([path]) => path === name || path.endsWith(`.${name}`),
    );
    return found?.[1];
  }

  /** Starts the job and forgets the draft; on an error both stay. */
  async run(request: PageJobRequest | null, draftKey: string): Promise<void> {
    if (request === null || this.starting) return;
    this.starting = true;
    this.error = null;
    try {
      await jobs.start(request);
      drafts.drop(draftKey);
    } catch (error) {
      this.error = asApiError(error);
    } finally {
      this.starting = false;
    }
  }
}
