// Signal to noise: how much of what an approximation gives is the thing itself.

/** Sums up over tensors of one layer. */
export class SignalToNoise {
  private signal = 0;
  private noise = 0;

  add(exact: ArrayLike<number>, approximate: ArrayLike<number>): void {
    for (let i = 0; i < exact.length; i++) {
      const value = exact[i]!;
      this.signal += value * value;
      this.noise += (value - approximate[i]!) ** 2;
    }
  }

  /** 10 log10 of the ratio of their squares; infinite without noise, and without signal that noise drowns. */
  decibels(): number {
    if (this.noise === 0) return Infinity;
    return 10 * Math.log10(this.signal / this.noise);
  }
}
