// What handlers work with; made once by the boot order in index.ts.

import type { BrowserWindow } from 'electron';

import type { Settings } from '../../app/settings';
import type { PathTokens } from '../../app/tokens';
import type { Send, Workspace } from '../../app/workspace';
import type { BackendInfo } from '../contract';
import type { Analyst } from '../../jobs/analyst';

export interface Services {
  readonly workspace: Workspace;
  readonly analyst: Analyst;
  /** What trains here; found out once, in a process of its own. */
  readonly backend: () => Promise<BackendInfo>;
  readonly settings: Settings;
  readonly tokens: PathTokens;
  /** Tells the page of something. */
  readonly send: Send;
  /** The window that dialogs belong to. */
  window(): BrowserWindow;
  /** Folder that new projects are offered in. */
  readonly projectsFolder: string;
  readonly logFile: string;
}
