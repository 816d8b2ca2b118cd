import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Latest } from '../../../src-renderer/state/latest';

/** A call that answers when told to. */
class Calls {
  readonly asked: number[] = [];
  readonly #open: { resolve(value: string): void; reject(reason: unknown): void }[] = [];

  run = (argument: number): Promise<string> => {
    this.asked.push(argument);
    return new Promise((resolve, reject) => this.#open.push({ resolve, reject }));
  };

  async answer(value: string): Promise<void> {
    this.#open.shift()?.resolve(value);
    await vi.advanceTimersByTimeAsync(0);
  }

  async fail(reason: unknown): Promise<void> {
    this.#open.shift()?.reject(reason);
    await vi.advanceTimersByTimeAsync(0);
  }
}

describe('Latest', () => {
  let calls: Calls;
  let results: string[];
  let errors: unknown[];
  let busy: boolean[];
  let latest: Latest<number, string>;

  beforeEach(() => {
    vi.useFakeTimers();
    calls = new Calls();
    results = [];
    errors = [];
    busy = [];
    latest = new Latest<number, string>({
      delayMs: 60,
      run: calls.run,
      onResult: (result) => results.push(result),
      onError: (error) => errors.push(error),
      onBusy: (now) => busy.push(now),
    });
  });

  afterEach(() => vi.useRealTimers());

  it('asks once for a burst of arguments, with the last', async () => {
    latest.ask(1);
    await vi.advanceTimersByTimeAsync(30);
    latest.ask(2);
    await vi.advanceTimersByTimeAsync(59);
    expect(calls.asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls.asked).toEqual([2]);
    await calls.answer('two');
    expect(results).toEqual(['two']);
    expect(busy.at(-1)).toBe(false);
  });

  it('keeps one call in flight, drops its overtaken answer and asks for the newest', async () => {
    latest.ask(1);
    await vi.advanceTimersByTimeAsync(60);
    latest.ask(2);
    await vi.advanceTimersByTimeAsync(60);
    latest.ask(3);
    await vi.advanceTimersByTimeAsync(60);
    expect(calls.asked).toEqual([1]);
    await calls.answer('one');
    expect(results).toEqual([]);
    expect(calls.asked).toEqual([1, 3]);
    await calls.answer('three');
    expect(results).toEqual(['three']);
  });

  it('hands on the error of the newest argument only', async () => {
    latest.ask(1);
    await vi.advanceTimersByTimeAsync(60);
    latest.ask(2);
    await calls.fail('late');
    await vi.advanceTimersByTimeAsync(60);
    await calls.fail('now');
    expect(errors).toEqual(['now']);
    expect(busy.at(-1)).toBe(false);
  });

  it('says nothing after it was closed', async () => {
    latest.ask(1);
    await vi.advanceTimersByTimeAsync(60);
    latest.close();
    await calls.answer('one');
    latest.ask(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(results).toEqual([]);
    expect(calls.asked).toEqual([1]);
  });
});
