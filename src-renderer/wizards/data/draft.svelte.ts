// What is entered in the wizard that adds a data set, and the request it makes.
import { call } from '../../api';
import type { DataPreview, PageJobRequest } from '../../../src-main/ipc/contract';
import type { DecodeOptions } from '../../../src-main/engine/data/types';
import { percent } from '../../format';
import { project } from '../../state/project.svelte';
import type { WizardStep } from '../../state/wizard';

export class DataDraft {
  source = $state.raw<DataPreview | null>(null);
  name = $state('');
  decode = $state.raw<DecodeOptions | null>(null);

  readonly request: PageJobRequest | null = $derived.by(() => {
    if (this.source === null || this.decode === null) return null;
    return {
      kind: 'add-data',
      token: this.source.token,
      name: this.name.trim() === '' ? null : this.name.trim(),
      decode: this.decode,
    };
  });

  take(source: DataPreview): void {
    this.source = source;
    this.name = source.suggestedName;
  }

  change(part: Partial<DecodeOptions>): void {
    if (this.decode) this.decode = { ...this.decode, ...part };
  }

  /**
   * Takes the engine's defaults over, once. Images are brought to what the project's models take.
   * @throws ApiError
   */
  async load(): Promise<void> {
    if (this.decode) return;
    const defaults = await call('data.decodeDefaults');
    const [height, width, channels] = project.baseline?.inputShape ?? [];
    const fits = height !== undefined && width !== undefined && (channels === 1 || channels === 3);
    this.decode = fits ? { ...defaults, size: { height, width }, channels } : defaults;
  }
}

export const dataSteps: readonly WizardStep<DataDraft>[] = [
  {
    id: 'source',
    title: 'Images',
    problem: (draft) => (draft.source ? null : 'choose a folder'),
    summary: (draft) => draft.source?.suggestedName ?? null,
  },
  {
    id: 'options',
    title: 'Options',
    problem: optionsProblem,
    summary: (draft) => draft.decode && `${sizeWords(draft.decode)}, ${channelWords(draft.decode)}`,
  },
  { id: 'run', title: 'Run', problem: () => null, summary: () => null },
];

export function sizeWords({ size }: DecodeOptions): string {
  return size ? `${size.height} × ${size.width}` : 'size of the first image';
}

export function channelWords({ channels }: DecodeOptions): string {
  if (channels === null) return 'channels of the first image';
  return channels === 1 ? 'grey' : 'colour';
}

/** What the job will do, in a sentence. */
export function dataSentence({ source, decode }: DataDraft): string {
  if (!source || !decode) return 'Choose a folder of labelled images first.';
  const unreadable =
    decode.onUnreadable === 'error'
      ? 'stop at an image that cannot be read'
      : 'leave out images that cannot be read';
  return (
    `Secateur will read ${source.folder}, decode its images once to ${sizeWords(decode)}, ${channelWords(decode)}, ` +
    `hold back ${percent(decode.valFraction, 0)} for validation and ${percent(decode.testFraction, 0)} for testing where ` +
    `the data has no such splits, and ${unreadable}. The source stays untouched.`
  );
}

function optionsProblem(draft: DataDraft): string | null {
  if (!draft.decode) return 'reading the defaults';
  return draft.decode.valFraction + draft.decode.testFraction < 1
    ? null
    : 'nothing is left to train on';
}
