// What belongs to the window rather than to a project: machine and backend, theme, recents, open dialogs.
import { MediaQuery } from 'svelte/reactivity';
import { asApiError, call } from '../api';
import type { ApiError } from '../api';
import type {
  AppInfo,
  BackendInfo,
  DataPreview,
  ImportPreview,
  RecentProject,
  ThemeChoice,
} from '../../src-main/ipc/contract';

export type DialogName = 'settings' | 'shortcuts' | 'new-project';

class App {
  info = $state.raw<AppInfo | null>(null);
  /** Null until the library is loaded, some seconds after the window opens. */
  backend = $state.raw<BackendInfo | null>(null);
  recents = $state.raw<readonly RecentProject[]>([]);
  dialog = $state<DialogName | null>(null);
  /** An error that belongs to no form: shown above the page until it is closed. */
  problem = $state.raw<ApiError | null>(null);
  /** A model or data set that was dropped or opened from outside, until its wizard takes it. */
  arrivedModel = $state.raw<ImportPreview | null>(null);
  arrivedData = $state.raw<DataPreview | null>(null);
  /** Which action is under way, so that its button shows it and nothing is started twice. */
  busy = $state<string | null>(null);
  #system = new MediaQuery('(prefers-color-scheme: dark)');
  /** Which of the two colour schemes is in force. */
  readonly dark: boolean = $derived.by(() => {
    const theme = this.info?.theme ?? 'system';
    return theme === 'system' ? this.#system.current : theme === 'dark';
  });

  async load(): Promise<void> {
    this.info = await call('app.info');
    this.#applyTheme();
    void this.#loadBackend();
    await this.loadRecents();
  }

  async loadRecents(): Promise<void> {
    this.recents = await call('recents.list');
  }

  async forget(recent: RecentProject): Promise<void> {
    await this.attempt('forget', async () => {
      await call('recents.forget', { id: recent.id });
      await this.loadRecents();
    });
  }

  async setTheme(theme: ThemeChoice): Promise<void> {
    await this.attempt('theme', async () => {
      await call('app.setTheme', { theme });
      if (this.info) this.info = { ...this.info, theme };
      this.#applyTheme();
    });
  }

  /** Runs an action; its error is shown above the page. True when it went well. */
  async attempt(name: string, action: () => Promise<void>): Promise<boolean> {
    if (this.busy === name) return false;
    this.busy = name;
    try {
      await action();
      this.problem = null;
      return true;
    } catch (error) {
      this.problem = asApiError(error);
      return false;
    } finally {
      this.busy = null;
    }
  }

  async #loadBackend(): Promise<void> {
    try {
      this.backend = await call('app.backend');
    } catch (error) {
      this.problem = asApiError(error);
    }
  }

  #applyTheme(): void {
    const theme = this.info?.theme ?? 'system';
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }
}

export const app = new App();
