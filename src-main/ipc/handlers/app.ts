// Calls about the app itself: information, theme, log, clipboard, saving text and pictures.

import { cpus, totalmem } from 'node:os';
import { app, clipboard, dialog, nativeTheme, shell } from 'electron';

import { atomicWrite } from '../../project/atomic-write';
import { engineVersion } from '../../version';
import type { Handlers } from '../router';
import type { Services } from './services';

type AppCalls =
  | 'app.info'
  | 'app.backend'
  | 'app.setTheme'
  | 'app.showLog'
  | 'app.copyText'
  | 'app.saveText'
  | 'app.saveImage';

export function appHandlers(services: Services): Pick<Handlers, AppCalls> {
  const { settings } = services;

  /** Asks where to save and writes there; false when the dialog was closed. */
  async function save(suggestedName: string, bytes: string | Uint8Array): Promise<boolean> {
    const { canceled, filePath } = await dialog.showSaveDialog(services.window(), {
      defaultPath: suggestedName,
    });
    if (canceled || !filePath) return false;
    await atomicWrite(filePath, bytes);
    return true;
  }

  return {
    'app.info': async () => ({
      version: engineVersion,
      electron: process.versions.electron ?? '',
      platform: process.platform,
      device: {
        cpu: cpus()[0]?.model.trim() ?? 'unknown',
        cores: cpus().length,
        memoryBytes: totalmem(),
      },
      theme: settings.theme,
    }),
    'app.backend': () => services.backend(),
    'app.setTheme': async ({ theme }) => {
      nativeTheme.themeSource = theme;
      await settings.setTheme(theme);
    },
    'app.showLog': async () => {
      shell.showItemInFolder(services.logFile);
    },
    'app.copyText': async ({ text }) => {
      clipboard.writeText(text);
    },
    'app.saveText': ({ suggestedName, text }) => save(suggestedName, text),
    'app.saveImage': ({ suggestedName, pngDataUrl }) =>
      save(suggestedName, Buffer.from(pngDataUrl.slice(pngDataUrl.indexOf(',') + 1), 'base64')),
  };
}

/** The app's version for the about panel. */
export function describeApp(): void {
  app.setAboutPanelOptions({ applicationName: 'Secateur', applicationVersion: engineVersion });
}
