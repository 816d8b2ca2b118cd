// The bridge between page and main process: one small object, no Electron object ever reaches the page.
// @see https://www.electronjs.org/docs/latest/tutorial/security#20-do-not-expose-electron-apis-to-untrusted-web-content

import { contextBridge, ipcRenderer, webUtils, type IpcRendererEvent } from 'electron';

import { callNames, eventNames, type Bridge } from '../ipc/contract';

const calls = new Set<string>(callNames);
const events = new Set<string>(eventNames);

const bridge: Bridge = {
  invoke: (name, args) => {
    if (!calls.has(name)) throw new Error(`unknown call ${String(name)}`);
    return ipcRenderer.invoke(`call:${name}`, args) as never;
  },
  on: (name, listener) => {
    if (!events.has(name)) throw new Error(`unknown event ${String(name)}`);
    const handler = (_event: IpcRendererEvent, payload: Parameters<typeof listener>[0]): void =>
      listener(payload);
    ipcRenderer.on(`event:${name}`, handler);
    return () => {
      ipcRenderer.removeListener(`event:${name}`, handler);
    };
  },
  // The path comes from the operating system's File object, never from the page's own strings.
  dropped: (file) =>
    ipcRenderer.invoke('drop:inspect', { path: webUtils.getPathForFile(file) }) as never,
};

contextBridge.exposeInMainWorld('secateur', bridge);
