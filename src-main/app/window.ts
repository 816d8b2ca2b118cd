// The one window: its size is remembered, it shows no white flash, and it comes back after a crash.

import { join } from 'node:path';
import { BrowserWindow, dialog, nativeTheme } from 'electron';
import log from 'electron-log/main';

import { securePreferences } from '../security/guards';
import { appOrigin } from '../security/rules';
import type { Settings } from './settings';

/** Same values as the page's background tokens, so that nothing flashes before it paints. */
const background = { light: '#f7f7f6', dark: '#17181a' } as const;

export function createWindow(settings: Settings, devUrl: string | null): BrowserWindow {
  const { width, height, maximized } = settings.window;
  const window = new BrowserWindow({
    width,
    height,
    minWidth: 900,
    minHeight: 600,
    show: false,
    title: 'Secateur',
    backgroundColor: nativeTheme.shouldUseDarkColors ? background.dark : background.light,
    webPreferences: securePreferences(join(__dirname, '..', 'preload', 'index.cjs')),
  });
  if (maximized) window.maximize();
  window.once('ready-to-show', () => window.show());
  window.on('close', () => {
    const bounds = window.getNormalBounds();
    void settings.setWindow({
      width: bounds.width,
      height: bounds.height,
      maximized: window.isMaximized(),
    });
  });
  window.webContents.on('render-process-gone', (_event, details) => {
    log.error('render-process-gone', details);
    if (details.reason === 'clean-exit') return;
    void offerReload(window);
  });
  void window.loadURL(devUrl ?? `${appOrigin}/index.html`);
  return window;
}

async function offerReload(window: BrowserWindow): Promise<void> {
  const { response } = await dialog.showMessageBox(window, {
    type: 'error',
    message: 'The window stopped working.',
    detail: 'Your project and running jobs are not affected.',
    buttons: ['Reload', 'Close'],
  });
  if (response === 0) window.reload();
  else window.close();
}
