// What no page may do, however it got there: leave the app, open windows, embed, ask for permissions, use the
// network. Each guard names the rule of Electron's security checklist that it stands for.
// @see https://www.electronjs.org/docs/latest/tutorial/security

import { type App, type Session, type WebPreferences, shell } from 'electron';

import { appOrigin } from './app-protocol';

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

/** Whether the window may load this address. The development server's origin is allowed only when it runs. */
export function isAllowedRequest(url: string, devOrigin: string | null): boolean {
  const { protocol, origin, host } = new URL(url);
  if (protocol === 'app:') return host === 'bundle';
  if (protocol === 'data:' || protocol === 'blob:' || protocol === 'devtools:') return true;
  if (devOrigin === null) return false;
  return (
    origin === devOrigin || (protocol === 'ws:' && origin === devOrigin.replace('http:', 'ws:'))
  );
}

/** Whether a page at this address is ours. */
export function isAppPage(url: string, devOrigin: string | null): boolean {
  return (
    url.startsWith(`${appOrigin}/`) || (devOrigin !== null && new URL(url).origin === devOrigin)
  );
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
