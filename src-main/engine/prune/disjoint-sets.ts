// Union-find over channel ids: which ids are one channel.

/** Disjoint sets of the numbers 0, 1, 2 ... The representative of a set is its smallest member. */
export class DisjointSets {
  private parents = new Int32Array(1024);
  private length = 0;

  get size(): number {
    return this.length;
  }

  /** Adds `count` sets of one member and returns the members. */
  add(count: number): Int32Array {
    const start = this.length;
    this.length += count;
    if (this.length > this.parents.length) {
      const grown = new Int32Array(Math.max(this.length, this.parents.length * 2));
      grown.set(this.parents);
      this.parents = grown;
    }
    const members = new Int32Array(count);
    for (let i = 0; i < count; i++) members[i] = this.parents[start + i] = start + i;
    return members;
  }

  find(member: number): number {
    const { parents } = this;
    let current = member;
    while (parents[current]! !== current) {
      parents[current] = parents[parents[current]!]!;
      current = parents[current]!;
    }
    return current;
  }

  /** Joins the sets of two members; false when they were one set already. */
  union(a: number, b: number): boolean {
    const rootA = this.find(a);
    const rootB = this.find(b);
    if (rootA === rootB) return false;
    // The smaller id stays the representative, so that classes keep the order in which they arose.
    if (rootA < rootB) this.parents[rootB] = rootA;
    else this.parents[rootA] = rootB;
    return true;
  }

  /** Numbers the sets 0, 1 ... by their smallest member: the set number of every member, and how many. */
  number(): { readonly of: Int32Array; readonly count: number } {
    const of = new Int32Array(this.length);
    let count = 0;
    for (let member = 0; member < this.length; member++) {
      const root = this.find(member);
      of[member] = root === member ? count++ : of[root]!;
    }
    return { of, count };
  }
}
