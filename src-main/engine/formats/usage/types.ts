// How one uses an exported model: the programs that lie beside it, and what the README says about them.

import type { Model } from '../../graph/types';
import type { WrittenFile } from '../types';

export interface UsageFacts {
  readonly model: Model;
  /** The model's files. */
  readonly files: readonly WrittenFile[];
}

export interface Usage {
  /** Programs that run the model as it lies in the folder. */
  readonly programs: readonly WrittenFile[];
  /** Lines of Markdown: what is needed, and the commands. */
  readonly text: readonly string[];
}
