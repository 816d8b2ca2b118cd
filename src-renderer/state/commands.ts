// Everything that has a key or a menu entry, in one table: the menu, the key handler and the list of keys read it.
import type { MenuCommand } from '../../src-main/ipc/contract';
import { app } from './app.svelte';
import { jobs } from './jobs.svelte';
import { navigation } from './navigation.svelte';
import { project } from './project.svelte';
import type { WizardKind } from './route';

/** As in KeyboardEvent.key, lower case; `control` is Ctrl, or Cmd on a Mac. */
export interface Key {
  readonly key: string;
  readonly control: boolean;
}

export interface Command {
  readonly id: MenuCommand;
  readonly title: string;
  readonly keys: readonly Key[];
  run(): void;
}

/** The version that a command works on: the one in view, else the baseline. */
function subject(): string | null {
  const { route } = navigation;
  if ((route.page === 'version' || route.page === 'wizard') && route.version !== null) {
    return route.version;
  }
  return project.baseline?.id ?? null;
}

function openWizard(wizard: WizardKind): void {
  if (project.state) navigation.go({ page: 'wizard', wizard, version: null, step: null });
}

function openVersionWizard(wizard: WizardKind): void {
  const version = subject();
  if (version !== null) navigation.go({ page: 'wizard', wizard, version, step: null });
}

function openCompare(): void {
  if (project.state) navigation.go({ page: 'compare', tab: 'figures' });
}

function cancelRunning(): void {
  if (jobs.running) void jobs.cancel(jobs.running);
}

export const commands: readonly Command[] = [
  {
    id: 'open-project',
    title: 'Open a project',
    keys: [{ key: 'o', control: true }],
    run: () => void project.openChosen(),
  },
  {
    id: 'new-project',
    title: 'New project',
    keys: [{ key: 'n', control: true }],
    run: () => (app.dialog = 'new-project'),
  },
  { id: 'open-sample', title: 'Open the sample', keys: [], run: () => void project.openSample() },
  { id: 'home', title: 'Start page', keys: [], run: () => navigation.go({ page: 'home' }) },
  {
    id: 'import',
    title: 'Import a model',
    keys: [{ key: 'i', control: true }],
    run: () => openWizard('import'),
  },
  {
    id: 'add-data',
    title: 'Add a data set',
    keys: [{ key: 'd', control: true }],
    run: () => openWizard('add-data'),
  },
  {
    id: 'prune',
    title: 'Prune the version',
    keys: [{ key: 'p', control: true }],
    run: () => openVersionWizard('prune'),
  },
  {
    id: 'compare',
    title: 'Compare versions',
    keys: [{ key: 'k', control: true }],
    run: openCompare,
  },
  {
    id: 'export',
    title: 'Export the version',
    keys: [{ key: 'e', control: true }],
    run: () => openVersionWizard('export'),
  },
  {
    id: 'cancel-job',
    title: 'Cancel the running job',
    keys: [{ key: '.', control: true }],
    run: cancelRunning,
  },
  {
    id: 'settings',
    title: 'Settings',
    keys: [{ key: ',', control: true }],
    run: () => (app.dialog = 'settings'),
  },
  {
    id: 'shortcuts',
    title: 'Keyboard shortcuts',
    keys: [
      { key: '?', control: false },
      { key: '/', control: true },
    ],
    run: () => (app.dialog = 'shortcuts'),
  },
];

/** Keys that belong to no menu entry, for the list of keys. */
export const otherKeys: readonly { readonly title: string; readonly keys: readonly string[] }[] = [
  { title: 'Open a recent project', keys: ['Ctrl', '1 – 9'] },
  { title: 'Next step, or start the job', keys: ['Ctrl', 'Enter'] },
  { title: 'Move in the version tree', keys: ['↑', '↓'] },
  { title: 'Close a wizard or dialog', keys: ['Esc'] },
];

export function runCommand(id: MenuCommand): void {
  commands.find((command) => command.id === id)?.run();
}

/** The first key of a command as it is written: Ctrl and a capital. */
export function keysOf(command: Pick<Command, 'keys'>): readonly string[] {
  const [first] = command.keys;
  if (!first) return [];
  return [...(first.control ? ['Ctrl'] : []), first.key.toUpperCase()];
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  );
}

/** Carries out a key press; true when it meant something, so that nothing else acts on it. */
export function handleKey(event: KeyboardEvent): boolean {
  const control = event.ctrlKey || event.metaKey;
  if (event.altKey || (!control && isTyping(event.target))) return false;
  if (app.dialog !== null) return false;
  if (control && /^[1-9]$/.test(event.key)) {
    const recent = app.recents[Number(event.key) - 1];
    if (!recent || recent.missing) return false;
    void project.openRecent(recent);
    return true;
  }
  const pressed = event.key.toLowerCase();
  const command = commands.find((entry) =>
    entry.keys.some((key) => key.key === pressed && key.control === control),
  );
  command?.run();
  return command !== undefined;
}
