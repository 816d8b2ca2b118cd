// What no page may do, however it got there: leave the app, open windows, embed, ask for permissions, use the
// network. Each guard names the rule of Electron's security checklist that it stands for.
// @see https://www.electronjs.org/docs/latest/tutorial/security

import { type App, type Session, type WebPreferences, shell } from 'electron';

import { isAllowedRequest } from './rules';

/** The only addresses that the app ever hands to the system's browser. */
export const externalLinks = {
  filterPruning: 'https://arxiv.org/abs/1608.08710',
  networkSlimming: 'https://arxiv.org/abs/1708.06519',
  rethinking: 'https://arxiv.org/abs/1810.05270',
} as const;

export type ExternalLink = keyof typeof externalLinks;

/** Rule 15: only constants of our own reach the system's browser. */
export async function openExternalLink(link: ExternalLink): Promise<void> {
  await shell.openExternal(externalLinks[link]);
}

/** Rules 2, 3, 4, 6: the preferences of every window. */
export function securePreferences(preload: string): WebPreferences {
  return {
    preload,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    webSecurity: true,
    webviewTag: false,
    spellcheck: false,
  };
}

/** Rules 5 and 1: no permission is ever granted, no request leaves the machine. */
export function guardSession(session: Session, devOrigin: string | null): void {
  session.setPermissionRequestHandler((_contents, _permission, callback) => callback(false));
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest((details, callback) => {
    callback({ cancel: !isAllowedRequest(details.url, devOrigin) });
  });
}

/** Rules 11 to 14: pages stay where they are, open nothing, embed nothing. */
export function guardContents(app: App): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
}
