// What was entered in wizards, kept while the project is open: leaving a wizard loses nothing.

class Drafts {
  #byKey = new Map<string, unknown>();

  /** The draft under this key, made the first time. */
  open<T>(key: string, make: () => T): T {
    if (!this.#byKey.has(key)) this.#byKey.set(key, make());
    return this.#byKey.get(key) as T;
  }

  drop(key: string): void {
    this.#byKey.delete(key);
  }

  clear(): void {
    this.#byKey.clear();
  }
}

export const drafts = new Drafts();
