// The steps of the Prune wizard, and in words what was chosen in them.
import { bytes as bytesText, percent, plural } from '../../format';
import { datasetMisfit } from '../../state/fit';
import { project } from '../../state/project.svelte';
import type { WizardStep } from '../../state/wizard';
import type { ControlsDraft } from './controls.svelte';
import { criteria, isMeasured } from './criteria';
import type { PruneDraft } from './draft.svelte';
import { activeLimits, limitWords } from './limits';

/** "50 % of MACs and 500 kB" for the sentence and the step list. */
function allTargetWords(draft: PruneDraft): string {
  const others = activeLimits(draft.targetKind, draft.limits);
  return inWords([targetWords(draft), ...others.map(([kind, value]) => limitWords(kind, value))]);
}

/** "50 % of MACs": what the slider stands for. */
export function targetWords(draft: PruneDraft): string {
  if (draft.targetKind === 'bytes') {
    const as = draft.precision === 'fp32' ? '' : ` as ${draft.precision}`;
    return `${bytesText(draft.targetBytes)} of weights${as}`;
  }
  const what = {
    macs: 'of MACs',
    params: 'of parameters',
    ratio: 'of channels',
    latency: 'of the latency',
  };
  return `${percent(draft.keepPercent / 100, 0)} ${what[draft.targetKind]}`;
}

export const pruneSteps: readonly WizardStep<PruneDraft>[] = [
  {
    id: 'method',
    title: 'Method',
    problem: (draft) =>
      (isMeasured(draft.criterion) || draft.slims) && draft.data === null
        ? 'needs a data set'
        : null,
    summary: (draft) => `${criteria[draft.criterion].title}${draft.slims ? ', slimmed first' : ''}`,
  },
  {
    id: 'target',
    title: 'Target',
    problem: (draft) => (draft.previewError ? 'cannot be reached' : null),
    summary: (draft) => `at most ${allTargetWords(draft)}`,
  },
  {
    id: 'recovery',
    title: 'Recovery',
    problem: dataProblem,
    summary: recoverySummary,
  },
  {
    id: 'run',
    title: 'Run',
    problem: (draft) => (draft.options ? null : 'reading the defaults'),
    summary: () => null,
  },
];

function recoverySummary(draft: PruneDraft): string {
  if (draft.data === null) return 'none, cut only';
  const parts = [
    ...(draft.recalibrate ? ['recalibrate'] : []),
    ...(draft.fineTune && draft.training ? [plural(draft.training.epochs, 'epoch')] : []),
    ...(draft.controls.wanted ? ['control'] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : 'evaluate only';
}

/** What the job will do, in a sentence. */
export function pruneSentence(draft: PruneDraft): string {
  const { preview } = draft;
  const cut = preview ? `${preview.layersCut} of ${preview.layersPrunable} layers` : 'its layers';
  const dataset = project.dataset(draft.data);
  const after = [
    ...(dataset && draft.recalibrate ? ['recalibrate batch norm'] : []),
    ...(dataset && draft.fineTune && draft.training
      ? [`fine-tune for ${plural(draft.training.epochs, 'epoch')}`]
      : []),
    ...(dataset ? [`evaluate on ${dataset.name}`] : []),
    ...(dataset && draft.controls.request ? [controlWords(draft.controls)] : []),
    ...(draft.measure ? ['measure latency on LiteRT'] : []),
  ];
  const steps = draft.steps === 1 ? '' : ` in ${draft.steps} steps`;
  const tail = after.length > 0 ? `, then ${inWords(after)}` : '';
  const { slimming } = draft;
  const first =
    dataset && draft.slims
      ? `train ${draft.version.name} with gamma sparsity for ${plural(slimming.epochs, 'epoch')}, then `
      : '';
  return (
    `Secateur will ${first}cut ${cut} of ${draft.version.name} by ${criteria[draft.criterion].title}${steps} ` +
    `to at most ${allTargetWords(draft)}, check the cut against the masked original${tail}. ` +
    `${draft.version.name} stays as it is.`
  );
}

function controlWords({ budgets, plan }: ControlsDraft): string {
  const trainings = budgets.map((budget) => {
    const epochs = plan?.epochs?.[budget];
    return epochs === undefined ? 'once' : `for ${plural(epochs, 'epoch')}`;
  });
  return `train the slim network from scratch ${trainings.join(' and ')} as a control`;
}

function inWords(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join('');
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function dataProblem(draft: PruneDraft): string | null {
  const dataset = project.dataset(draft.data);
  if (!dataset) return null;
  if (datasetMisfit(dataset, draft.version) !== null) return 'the data set does not fit';
  return draft.controls.isOpen ? 'say how long the original was trained' : null;
}
