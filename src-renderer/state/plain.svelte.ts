// Plain data out of runes proxies.

/** A deep copy without proxies. */
export function plain<T>(value: T): T {
  return $state.snapshot(value) as T;
}
