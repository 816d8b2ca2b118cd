// Keys of a legend: how a mark looks and what it stands for.

export interface LegendKey {
  readonly title: string;
  /** A design token. */
  readonly colour: string;
  readonly mark: 'line' | 'dashes' | 'dot' | 'ring' | 'square';
  /** Read off under the cursor. */
  readonly value?: string;
  readonly dimmed?: boolean;
}
