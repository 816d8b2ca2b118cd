// How the axes of one tensor lie in memory, as two views of the same numbers: the axes that one side speaks of
// (`logical`) and those that the other side stores (`stored`). ONNX has images as [C, H, W], the graph as [H, W, C]:
// read, logical axes are ONNX's and stored ones the graph's; written, the other way round.
//
// Both are made of atoms, axes that stay whole. A transposition exchanges logical axes and a reshape groups atoms
// anew; neither moves a number, so neither leaves an operator behind. Only where somebody needs the numbers in
// another order are they moved, once, by `stepsBetween`: a channel shuffle's two reshapes and transposition come out
// as just these, a flattened image's rows of a dense kernel are exchanged instead of the image.

import type { Shape } from '../../graph/types';

/** An axis of at least 2 positions that nothing splits. Two atoms are the same only as objects. */
export interface Atom {
  readonly size: number;
}

/** The atoms of one axis, slowest first; none for an axis of size 1. */
export type Group = readonly Atom[];

export interface Layout {
  readonly logical: readonly Group[];
  /** The same atoms, in the order in which the numbers lie. */
  readonly stored: readonly Group[];
}

export function groupSize(group: Group): number {
  return group.reduce((product, { size }) => product * size, 1);
}

export function shapeOf(groups: readonly Group[]): Shape {
  return groups.map(groupSize);
}

/** One atom an axis. */
export function groupsOf(shape: Shape): readonly Group[] {
  return shape.map((size) => (size === 1 ? [] : [{ size }]));
}

/** Axes stored in the order given: `order[i]` is the logical axis stored as axis i. */
export function layoutInOrder(logical: readonly Group[], order: readonly number[]): Layout {
  return { logical, stored: order.map((axis) => logical[axis]!) };
}

/** 0, 1, 2, … */
export function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** [C, H, W] stored as [H, W, C]: the first axis last. */
export function firstAxisLast(rank: number): readonly number[] {
  return rank === 0 ? [] : [...range(rank).slice(1), 0];
}

/** [H, W, C] stored as [C, H, W]. */
export function lastAxisFirst(rank: number): readonly number[] {
  return rank === 0 ? [] : [rank - 1, ...range(rank - 1)];
}

/** The logical axes in another order: axis i of the result is axis perm[i]. */
export function permuteLogical({ logical, stored }: Layout, perm: readonly number[]): Layout {
  return { logical: perm.map((axis) => logical[axis]!), stored };
}

/**
 * The logical axes grouped anew, in row-major order, atoms split where the new shape asks for it; null where it
 * cuts across an atom ([2, 3] to [3, 2]). The new shape has as many numbers as the old one.
 */
export function reshapeLogical({ logical, stored }: Layout, shape: Shape): Layout | null {
  const rest = logical.flat().reverse();
  const splits = new Map<Atom, Group>();
  const groups: Atom[][] = [];
  for (const size of shape) {
    const group: Atom[] = [];
    let open = size;
    while (open > 1) {
      const atom = rest.pop();
      if (atom === undefined) return null;
      if (open % atom.size === 0) {
        group.push(atom);
        open /= atom.size;
      } else if (atom.size % open === 0) {
        const parts: [Atom, Atom] = [{ size: open }, { size: atom.size / open }];
        splits.set(atom, parts);
        group.push(parts[0]);
        rest.push(parts[1]);
        open = 1;
      } else {
        return null;
      }
    }
    groups.push(group);
  }
  const parts = (atom: Atom): Group => splits.get(atom)?.flatMap(parts) ?? [atom];
  return { logical: groups, stored: stored.map((group) => group.flatMap(parts)) };
}

/** Whether two lists of axes are the same atoms in the same places. */
export function sameGroups(a: readonly Group[], b: readonly Group[]): boolean {
  return a.length === b.length && a.every((group, i) => sameAtoms(group, b[i]!));
}

export function sameAtoms(a: Group, b: Group): boolean {
  return a.length === b.length && a.every((atom, i) => atom === b[i]);
}

/**
 * For each stored axis, the logical axis that it is; null where some axis is none or only a part of one.
 * Axes of size 1 are told apart by their order alone, those in `preferred` order first.
 */
export function storedOrder(
  { logical, stored }: Layout,
  preferred: readonly number[] = firstAxisLast(logical.length),
): readonly number[] | null {
  if (logical.length !== stored.length) return null;
  const open = [...preferred];
  const order = stored.map((group) => {
    const place = open.findIndex((axis) => sameAtoms(logical[axis]!, group));
    return place < 0 ? -1 : open.splice(place, 1)[0]!;
  });
  return order.includes(-1) ? null : order;
}

/** What brings numbers from one order into another. `perm` is in the manner of a transposition. */
export type Step =
  | { readonly kind: 'reshape'; readonly shape: Shape }
  | { readonly kind: 'permute'; readonly perm: readonly number[] };

/** The fewest steps from one list of axes to another one of the same atoms: at most reshape, permute, reshape. */
export function stepsBetween(from: readonly Group[], to: readonly Group[]): readonly Step[] {
  const steps: Step[] = [];
  const blocks = blocksOf(from, to);
  const fromOrder = blocks.flat();
  const toAtoms = to.flat();
  if (sameAtoms(fromOrder, toAtoms)) {
    return sameGroups(from, to) ? [] : [{ kind: 'reshape', shape: shapeOf(to) }];
  }
  if (!sameGroups(from, blocks)) steps.push({ kind: 'reshape', shape: shapeOf(blocks) });
  const sorted = [...blocks.keys()].sort(
    (a, b) => toAtoms.indexOf(blocks[a]![0]!) - toAtoms.indexOf(blocks[b]![0]!),
  );
  steps.push({ kind: 'permute', perm: sorted });
  const permuted = sorted.map((block) => blocks[block]!);
  if (!sameGroups(permuted, to)) steps.push({ kind: 'reshape', shape: shapeOf(to) });
  return steps;
}

/**
 * The atoms in runs that move as one. Runs end with the axes of either side, so that no reshape is needed where
 * whole axes change places; where one is needed on both sides anyway, neighbours are joined across axes.
 */
function blocksOf(from: readonly Group[], to: readonly Group[]): readonly Group[] {
  const apart = runs(from, to, false);
  const exact = (groups: readonly Group[]): boolean =>
    groups.length === apart.length && groups.every((group) => group.length > 0);
  return exact(from) || exact(to) ? apart : runs(from, to, true);
}

function runs(from: readonly Group[], to: readonly Group[], acrossAxes: boolean): readonly Group[] {
  const next = new Map<Atom, Atom>();
  for (const groups of acrossAxes ? [to.flat()] : to) {
    groups.slice(1).forEach((atom, i) => next.set(groups[i]!, atom));
  }
  const blocks: Atom[][] = [];
  for (const groups of acrossAxes ? [from.flat()] : from) {
    groups.forEach((atom, i) => {
      const before = groups[i - 1];
      if (before !== undefined && next.get(before) === atom) blocks.at(-1)!.push(atom);
      else blocks.push([atom]);
    });
  }
  return blocks;
}

/**
 * Where each number of `to` lies in `from`, two orders of the same atoms, both row-major: result[i] of `to` is at
 * from[i]. For one axis of atoms in another order it is the order of rows.
 */
export function sourceIndices(from: Group, to: Group): Int32Array {
  const strides = new Map<Atom, number>();
  let stride = 1;
  for (const atom of [...from].reverse()) {
    strides.set(atom, stride);
    stride *= atom.size;
  }
  let indices = Int32Array.of(0);
  for (const atom of to) {
    const grown = new Int32Array(indices.length * atom.size);
    const step = strides.get(atom)!;
    let place = 0;
    for (const index of indices) {
      for (let i = 0; i < atom.size; i++) grown[place++] = index + i * step;
    }
    indices = grown;
  }
  return indices;
}

/** Whether two layouts are alike in everything but the identity of their atoms. */
export function alike(a: Layout, b: Layout): boolean {
  return signature(a) === signature(b);
}

function signature({ logical, stored }: Layout): string {
  const number = new Map<Atom, string>();
  logical.flat().forEach((atom, i) => number.set(atom, `${i}x${atom.size}`));
  const text = (groups: readonly Group[]): string =>
    groups.map((group) => group.map((atom) => number.get(atom)).join('*')).join(',');
  return `${text(logical)}|${text(stored)}`;
}
