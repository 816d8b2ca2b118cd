// What was entered in wizards and chosen on pages, kept while the project is open: leaving one loses nothing.

interface Draft {
  readonly value: unknown;
  readonly end: () => void;
}

class Drafts {
  #byKey = new Map<string, Draft>();

  /** The draft under this key, made the first time. */
  open<T>(key: string, make: () => T): T {
    const known = this.#byKey.get(key);
    if (known) return known.value as T;
    let value: T | undefined;
    // What it derives must outlive the component that opens it: inside of one, it would end with that.
    const end = $effect.root(() => {
      value = make();
    });
    this.#byKey.set(key, { value, end });
    return value as T;
  }

  drop(key: string): void {
    this.#byKey.get(key)?.end();
    this.#byKey.delete(key);
  }

  clear(): void {
    for (const key of [...this.#byKey.keys()]) this.drop(key);
  }
}

export const drafts = new Drafts();
