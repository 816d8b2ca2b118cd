// Electron entry: the order in which things start, and nothing else.

import { join } from 'node:path';
import { app, BrowserWindow, dialog, Menu, nativeTheme, powerSaveBlocker, session } from 'electron';
import log from 'electron-log/main';

import { modelArgument } from './app/arguments';
import { allowWebGpu, GpuWindows } from './app/gpu-window';
import { buildMenu } from './app/menu';
import { Settings } from './app/settings';
import { PathTokens } from './app/tokens';
import { createWindow } from './app/window';
import { Workspace, type Send } from './app/workspace';
import { toAppError } from './engine/errors';
import { createHandlers } from './ipc/handlers';
import { dropHandlers, previewModel } from './ipc/handlers/models';
import type { Services } from './ipc/handlers/services';
import type { BackendInfo } from './ipc/contract';
import { registerRouter } from './ipc/router';
import { Analyst, type AnalystProcess } from './jobs/analyst';
import type { OpenGpu } from './jobs/hosts/gpu-requests';
import { startUtilityProcess, utilityProcessHost } from './jobs/hosts/utility-process';
import type { JobEvent } from './jobs/types';
import { registerAppScheme, serveApp } from './security/app-protocol';
import { guardContents, guardSession } from './security/guards';
import { isAppPage } from './security/rules';

const devUrl = process.env['ELECTRON_RENDERER_URL'] ?? null;
const devOrigin = devUrl === null ? null : new URL(devUrl).origin;

registerAppScheme();
allowWebGpu();
// With --no-sandbox (root in a container) this call would take the flag away again and no child could start.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
guardContents(app);

if (app.requestSingleInstanceLock()) void start();
else app.quit();

async function start(): Promise<void> {
  log.initialize({ preload: false });
  log.transports.file.maxSize = 5 * 1024 * 1024;
  log.info(`Secateur ${app.getVersion()}, Electron ${process.versions.electron}`);
  await app.whenReady();

  const settings = await Settings.load(app.getPath('userData'));
  nativeTheme.themeSource = settings.theme;
  guardSession(session.defaultSession, devOrigin);
  serveApp(session.defaultSession, join(__dirname, '..', 'renderer'));

  let window: BrowserWindow | null = null;
  const send: Send = (name, payload) => {
    if (window && !window.isDestroyed()) window.webContents.send(`event:${name}`, payload);
  };
  const workerScript = join(__dirname, 'worker.js');
  const activity = new Activity(() => window);
  const gpuWindows = new GpuWindows(devUrl);
  const openGpu: OpenGpu = () => gpuWindows.open();
  const workspace = new Workspace(utilityProcessHost(workerScript, openGpu), send, (event) =>
    activity.note(event, workspace.isBusy),
  );
  const startAnalyst = (name: string) => (): AnalystProcess =>
    startUtilityProcess(workerScript, name, openGpu);
  const analyst = new Analyst(startAnalyst('secateur-analyst'));
  const services: Services = {
    workspace,
    analyst,
    backend: backendProbe(startAnalyst('secateur-backend-probe')),
    settings,
    send,
    tokens: new PathTokens(),
    window: () => window ?? BrowserWindow.getAllWindows()[0] ?? new BrowserWindow(),
    projectsFolder:
      process.env['SECATEUR_PROJECTS_DIR'] ?? join(app.getPath('documents'), 'Secateur'),
    logFile: log.transports.file.getFile().path,
  };
  registerRouter(
    createHandlers(services),
    dropHandlers(services),
    (url) => isAppPage(url, devOrigin),
    (name, error) => {
      if (error.code === 'INTERNAL') log.error(name, error.cause ?? error);
      else log.warn(name, error.code, error.message);
    },
  );
  Menu.setApplicationMenu(buildMenu((command) => send('menu', command), process.platform));

  const openModel = async (path: string): Promise<void> => {
    try {
      send('openModel', await previewModel(services, path));
    } catch (error) {
      send('problem', toAppError(error).toInfo());
    }
  };

  window = createWindow(settings, devUrl);
  guardQuit(window, workspace);
  window.once('closed', () => gpuWindows.closeAll());
  const appPath = app.isPackaged ? null : app.getAppPath();
  const model = modelArgument(process.argv, process.cwd(), appPath);
  if (model !== null) {
    window.webContents.once('did-finish-load', () => void openModel(model));
  }
  app.on('second-instance', (_event, argv, folder) => {
    window?.restore();
    window?.focus();
    const file = modelArgument(argv, folder, appPath);
    if (file !== null) void openModel(file);
  });
  app.on('open-file', (event, path) => {
    event.preventDefault();
    void openModel(path);
  });
  app.on('window-all-closed', () => app.quit());
  app.on('will-quit', () => analyst.stop());
}

/**
 * Loading TensorFlow keeps a process busy for seconds. It is done once, in a process that ends afterwards, so
 * that questions about models are answered meanwhile.
 */
function backendProbe(start: () => AnalystProcess): () => Promise<BackendInfo> {
  let found: Promise<BackendInfo> | null = null;
  const probe = async (): Promise<BackendInfo> => {
    const process = new Analyst(start);
    try {
      return await process.ask('backend', {});
    } finally {
      process.stop();
    }
  };
  return () => (found ??= probe());
}

/** Keeps the machine awake and the taskbar informed while a job runs. */
class Activity {
  readonly #window: () => BrowserWindow | null;
  #blocker: number | null = null;

  constructor(window: () => BrowserWindow | null) {
    this.#window = window;
  }

  note(event: JobEvent, busy: boolean): void {
    const window = this.#window();
    if (event.type === 'progress' && event.progress.total > 0) {
      window?.setProgressBar(event.progress.done / event.progress.total);
    }
    if (event.type !== 'state') return;
    if (busy) this.#blocker ??= powerSaveBlocker.start('prevent-app-suspension');
    else {
      if (this.#blocker !== null) powerSaveBlocker.stop(this.#blocker);
      this.#blocker = null;
      window?.setProgressBar(-1);
    }
  }
}

/** Closing the window with a job running asks first; then the project is closed in order. */
function guardQuit(window: BrowserWindow, workspace: Workspace): void {
  let closing = false;
  window.on('close', (event) => {
    if (closing) return;
    event.preventDefault();
    void (async () => {
      if (workspace.isBusy && !(await confirmQuit(window))) return;
      closing = true;
      await workspace.close().catch((error: unknown) => log.error('closing the project', error));
      window.close();
    })();
  });
}

async function confirmQuit(window: BrowserWindow): Promise<boolean> {
  const { response } = await dialog.showMessageBox(window, {
    type: 'question',
    message: 'A job is running.',
    detail: 'Finished versions are kept; the running step is lost.',
    buttons: ['Keep running', 'Stop and quit'],
    defaultId: 0,
    cancelId: 0,
  });
  return response === 1;
}
