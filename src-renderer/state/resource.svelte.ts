// Something loaded from the main process for a key, and loaded again when the key changes.
import { asApiError } from '../api';
import type { ApiError } from '../api';

export class Resource<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  loading = $state(false);
}

/**
 * Loads while a component lives. `key` names what is wanted (null: nothing); state that `again` reads causes
 * loading again. The old value stays until the new one is there, unless the key changed.
 */
export function resource<T>(
  key: () => string | null,
  load: (key: string) => Promise<T>,
  again: () => unknown = () => null,
): Resource<T> {
  const result = new Resource<T>();
  let loadedKey: string | null = null;
  let turn = 0;

  $effect(() => {
    const wanted = key();
    again();
    const mine = ++turn;
    if (wanted !== loadedKey) {
      loadedKey = wanted;
      result.value = null;
      result.error = null;
    }
    if (wanted === null) return;
    result.loading = true;
    load(wanted)
      .then(
        (value) => {
          if (mine !== turn) return;
          result.value = value;
          result.error = null;
        },
        (error: unknown) => {
          if (mine === turn) result.error = asApiError(error);
        },
      )
      .finally(() => {
        if (mine === turn) result.loading = false;
      });
  });

  return result;
}
