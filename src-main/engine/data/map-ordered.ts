// Runs an asynchronous function over a sequence, several at a time, and gives the results in order.

/**
 * Keeps up to `width` calls of `work` under way and yields their results in the order of `items`. The first
 * failure in that order is thrown; calls still under way are then awaited, so none outlives the loop.
 */
export async function* mapOrdered<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  width: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<PromiseSettledResult<R>>[] = [];
  try {
    for await (const item of items) {
      running.push(settle(work(item)));
      if (running.length >= width) yield unwrap(await running.shift()!);
    }
    while (running.length > 0) yield unwrap(await running.shift()!);
  } finally {
    await Promise.all(running);
  }
}

/** Holds a failure until its turn: a rejected promise that nobody awaits yet would end the process. */
async function settle<R>(promise: Promise<R>): Promise<PromiseSettledResult<R>> {
  const [result] = await Promise.allSettled([promise]);
  return result!;
}

function unwrap<R>(result: PromiseSettledResult<R>): R {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}
