// What can be done with a version: the same entries in the tree's context menu and on the version's page.
import Download from '@lucide/svelte/icons/download';
import Flag from '@lucide/svelte/icons/flag';
import GraduationCap from '@lucide/svelte/icons/graduation-cap';
import Pencil from '@lucide/svelte/icons/pencil';
import Scissors from '@lucide/svelte/icons/scissors';
import Trash2 from '@lucide/svelte/icons/trash-2';
import { navigation } from '../../state/navigation.svelte';
import { project } from '../../state/project.svelte';
import type { WizardKind } from '../../state/route';
import type { VersionSummary } from '../../../src-main/project/types';
import type { MenuEntry } from '../../ui/menu';

/** Entries for a version; `rename` opens the place where its name is edited. */
export function versionMenu(version: VersionSummary, rename: () => void): readonly MenuEntry[] {
  const open = (wizard: WizardKind) => (): void =>
    navigation.go({ page: 'wizard', wizard, version: version.id, step: null });
  const damaged = version.damaged;
  return [
    { label: 'Prune…', icon: Scissors, disabled: damaged, run: open('prune') },
    { label: 'Fine-tune…', icon: GraduationCap, disabled: damaged, run: open('train') },
    { label: 'Export…', icon: Download, disabled: damaged, run: open('export') },
    { label: 'Rename', icon: Pencil, keys: ['F2'], apart: true, run: rename },
    {
      label: 'Set as baseline',
      icon: Flag,
      disabled: version.id === project.baseline?.id,
      run: () => void project.setBaseline(version),
    },
    {
      label: 'Move to trash',
      icon: Trash2,
      keys: ['Del'],
      danger: true,
      apart: true,
      run: () => void project.discard('version', version),
    },
  ];
}
