// The tensors of a pass, each counted by those that still have to read it and freed by the last of them.

import type { Tensor } from '../../runtime/primitives';
import type { TensorId } from '../../graph/types';

interface Entry {
  readonly tensor: Tensor;
  uses: number;
}

export class LiveTensors {
  private readonly entries = new Map<TensorId, Entry>();

  /** Takes over a tensor that will be released `uses` times. */
  put(id: TensorId, tensor: Tensor, uses: number): void {
    if (uses === 0) tensor.dispose();
    else this.entries.set(id, { tensor, uses });
  }

  get(id: TensorId): Tensor {
    return this.entries.get(id)!.tensor;
  }

  release(id: TensorId): void {
    const entry = this.entries.get(id)!;
    entry.uses--;
    if (entry.uses > 0) return;
    entry.tensor.dispose();
    this.entries.delete(id);
  }

  /** Frees what is left, whoever wanted to read it. */
  clear(): void {
    for (const { tensor } of this.entries.values()) tensor.dispose();
    this.entries.clear();
  }
}
