// The application menu. Its items send commands to the page, which knows what can be done at the moment.

import { Menu, type MenuItemConstructorOptions } from 'electron';

import type { MenuCommand } from '../ipc/contract';

export function buildMenu(send: (command: MenuCommand) => void, platform: string): Menu {
  const item = (
    label: string,
    command: MenuCommand,
    accelerator?: string,
  ): MenuItemConstructorOptions => ({
    label,
    click: () => send(command),
    ...(accelerator === undefined ? {} : { accelerator }),
  });
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  const template: MenuItemConstructorOptions[] = [
    ...(platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
    {
      label: '&File',
      submenu: [
        item('New Project…', 'new-project', 'CmdOrCtrl+N'),
        item('Open Project…', 'open-project', 'CmdOrCtrl+O'),
        item('Open the Sample', 'open-sample'),
        separator,
        item('Import Model…', 'import', 'CmdOrCtrl+I'),
        item('Add Data Set…', 'add-data', 'CmdOrCtrl+D'),
        item('Export…', 'export', 'CmdOrCtrl+E'),
        separator,
        item('Home', 'home', 'CmdOrCtrl+Shift+H'),
        { role: platform === 'darwin' ? 'close' : 'quit' },
      ],
    },
    { role: 'editMenu' },
    {
      label: '&Version',
      submenu: [
        item('Prune…', 'prune', 'CmdOrCtrl+P'),
        item('Compare', 'compare', 'CmdOrCtrl+K'),
        separator,
        item('Cancel Job', 'cancel-job', 'CmdOrCtrl+.'),
      ],
    },
    {
      label: 'V&iew',
      submenu: [
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        separator,
        { role: 'togglefullscreen' },
        { role: 'toggleDevTools' },
      ],
    },
    {
      label: '&Help',
      submenu: [
        item('Keyboard Shortcuts', 'shortcuts', 'CmdOrCtrl+/'),
        item('Settings', 'settings', 'CmdOrCtrl+,'),
      ],
    },
  ];
  return Menu.buildFromTemplate(template);
}
