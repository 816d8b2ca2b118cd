// The attributes of a node, read by name and type.

import { corrupt } from './errors';
import type { AttributeProto } from './proto/messages';
import { attributeTypes } from './proto/schema';
import { storedTensor, type Constant, type ReadExternal } from './tensor';

const decoder = new TextDecoder();

export class Attributes {
  private readonly byName = new Map<string, AttributeProto>();

  constructor(
    /** Layer and op, for errors. */
    private readonly owner: string,
    attributes: readonly AttributeProto[],
    private readonly external: ReadExternal,
  ) {
    for (const attribute of attributes) {
      if (this.byName.has(attribute.name ?? '')) {
        throw corrupt(`${owner} has the attribute "${attribute.name ?? ''}" twice`);
      }
      this.byName.set(attribute.name ?? '', attribute);
    }
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  names(): readonly string[] {
    return [...this.byName.keys()];
  }

  /** A whole number. @throws AppError MODEL_CORRUPT when it is another type, or missing without a fallback */
  int(name: string, fallback?: number): number {
    const found = this.find(name, attributeTypes.INT, 'a whole number', fallback);
    return found === null ? fallback! : (found.i ?? 0);
  }

  flag(name: string, fallback: boolean): boolean {
    return this.int(name, fallback ? 1 : 0) !== 0;
  }

  float(name: string, fallback?: number): number {
    const found = this.find(name, attributeTypes.FLOAT, 'a number', fallback);
    return found === null ? fallback! : (found.f ?? 0);
  }

  text(name: string, fallback?: string): string {
    const found = this.find(name, attributeTypes.STRING, 'a text', fallback);
    return found === null ? fallback! : decoder.decode(found.s ?? new Uint8Array());
  }

  ints(name: string, fallback?: readonly number[]): readonly number[] {
    const found = this.find(name, attributeTypes.INTS, 'a list of whole numbers', fallback);
    return found === null ? fallback! : (found.ints ?? []);
  }

  floats(name: string, fallback?: readonly number[]): readonly number[] {
    const found = this.find(name, attributeTypes.FLOATS, 'a list of numbers', fallback);
    return found === null ? fallback! : (found.floats ?? []);
  }

  tensor(name: string): Constant {
    const { t } = this.find(name, attributeTypes.TENSOR, 'a tensor', undefined)!;
    if (!t) throw corrupt(`${this.owner}: the attribute "${name}" holds no tensor`);
    return storedTensor(t, `${this.owner}/${name}`, this.external);
  }

  private find(name: string, type: number, what: string, fallback: unknown): AttributeProto | null {
    const found = this.byName.get(name);
    if (found === undefined) {
      if (fallback !== undefined) return null;
      throw corrupt(`${this.owner} has no attribute "${name}"`);
    }
    // Files from before the type was stated have none.
    if (found.type && found.type !== type) {
      throw corrupt(`${this.owner}: the attribute "${name}" is not ${what}`);
    }
    return found;
  }
}
