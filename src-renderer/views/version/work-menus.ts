// The short jobs that the version page starts at once: measuring latency and evaluating accuracy.
import Gauge from '@lucide/svelte/icons/gauge';
import Images from '@lucide/svelte/icons/images';
import Plus from '@lucide/svelte/icons/plus';
import RefreshCw from '@lucide/svelte/icons/refresh-cw';
import { call } from '../../api';
import { app } from '../../state/app.svelte';
import { datasetMisfit } from '../../state/fit';
import { jobs } from '../../state/jobs.svelte';
import { navigation } from '../../state/navigation.svelte';
import { project } from '../../state/project.svelte';
import type { SplitName } from '../../../src-main/engine/data/types';
import type { LatencyRuntime } from '../../../src-main/engine/measure/types';
import type { DatasetRecord, VersionSummary } from '../../../src-main/project/types';
import type { MenuEntry } from '../../ui/menu';
import { runtimeWords, splitWords } from '../../words';

/** Timed runs after the warm-up; the median of fifty is steady to about one per cent. */
export const defaultRuns = 50;

/** Measure on one thread, on all cores, and on the other runtime. */
export function measureMenu(version: VersionSummary): readonly MenuEntry[] {
  const cores = app.info?.device.cores ?? 1;
  const settings: readonly { runtime: LatencyRuntime; threads: number }[] = [
    { runtime: 'litert', threads: 1 },
    ...(cores > 1 ? [{ runtime: 'litert', threads: cores } as const] : []),
    { runtime: 'tfjs', threads: 1 },
  ];
  return settings.map((setting) => ({
    label: runtimeWords(setting),
    icon: Gauge,
    run: () =>
      void jobs.queue(
        { kind: 'measure', versions: [version.id], ...setting, runs: defaultRuns },
        `Measuring ${version.name} on ${runtimeWords(setting)}`,
      ),
  }));
}

/** Compute batch norm statistics anew on each data set that fits: a version of its own. */
export function recalibrateMenu(version: VersionSummary): readonly MenuEntry[] {
  return project.datasets
    .filter((dataset) => datasetMisfit(dataset, version) === null && dataset.counts.train > 0)
    .map((dataset) => ({
      label: `Recalibrate BN on ${dataset.name}`,
      icon: RefreshCw,
      disabled: version.damaged,
      run: () => void recalibrate(version, dataset),
    }));
}

async function recalibrate(version: VersionSummary, dataset: DatasetRecord): Promise<void> {
  await app.attempt('recalibrate', async () => {
    const options = await call('recalibrate.defaults');
    await jobs.queue(
      { kind: 'recalibrate', version: version.id, data: dataset.id, options, name: null },
      `Recalibrating ${version.name} on ${dataset.name}`,
    );
  });
}

/** Evaluate on every split of every data set that fits; without one, the way to get one. */
export function evaluateMenu(version: VersionSummary): readonly MenuEntry[] {
  const splits: readonly SplitName[] = ['test', 'val'];
  const entries = project.datasets.flatMap((dataset) =>
    splits
      .filter((split) => dataset.counts[split] > 0)
      .map((split) => ({
        label: `${dataset.name}, ${splitWords[split].toLowerCase()}`,
        icon: Images,
        run: () =>
          void jobs.queue(
            { kind: 'evaluate', versions: [version.id], data: dataset.id, split },
            `Evaluating ${version.name} on ${dataset.name}`,
          ),
      })),
  );
  if (entries.length > 0) return entries;
  return [
    {
      label: 'Add a data set…',
      icon: Plus,
      run: () => navigation.go({ page: 'wizard', wizard: 'add-data', version: null, step: null }),
    },
  ];
}
