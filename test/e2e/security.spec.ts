// Electron's security checklist, asked of the running window.
// @see https://www.electronjs.org/docs/latest/tutorial/security

import { callNames, eventNames } from '../../src-main/ipc/contract';
import { expect, test } from './app';

test('the window has the safe preferences', async ({ bench }) => {
  const preferences = await bench.app.evaluate(({ BrowserWindow }) => {
    const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as {
      getLastWebPreferences(): Record<string, unknown>;
    };
    return contents.getLastWebPreferences();
  });
  expect(preferences).toMatchObject({ sandbox: true, contextIsolation: true, webSecurity: true });
  expect(preferences['nodeIntegration']).toBeFalsy();
  expect(preferences['webviewTag']).toBeFalsy();
});

test('the page has the bridge and nothing of Node or Electron', async ({ bench }) => {
  const found = await bench.page.evaluate(() => ({
    bridge: Object.keys((window as unknown as { secateur: object }).secateur).sort(),
    require: typeof (window as unknown as { require?: unknown }).require,
    process: typeof (window as unknown as { process?: unknown }).process,
    ipcRenderer: typeof (window as unknown as { ipcRenderer?: unknown }).ipcRenderer,
  }));
  expect(found).toEqual({
    bridge: ['dropped', 'invoke', 'on'],
    require: 'undefined',
    process: 'undefined',
    ipcRenderer: 'undefined',
  });
});

test('the bridge lets only calls and events of the contract through', async ({ bench }) => {
  const refused = await bench.page.evaluate(
    ({ calls, events }) => {
      const { secateur } = window as unknown as {
        secateur: {
          invoke(name: string, args: unknown): unknown;
          on(name: string, listener: () => void): unknown;
        };
      };
      const throws = (act: () => unknown): boolean => {
        try {
          act();
          return false;
        } catch {
          return true;
        }
      };
      return {
        unknownCall: throws(() => secateur.invoke('drop.inspect', { path: '/etc/passwd' })),
        unknownEvent: throws(() => secateur.on('error', () => undefined)),
        knownEvents: events.map((name) => typeof secateur.on(name, () => undefined)),
        calls: calls.length,
      };
    },
    { calls: [...callNames], events: [...eventNames] },
  );
  expect(refused.unknownCall).toBe(true);
  expect(refused.unknownEvent).toBe(true);
  // Every subscription gives back a function that ends it.
  expect(new Set(refused.knownEvents)).toEqual(new Set(['function']));
});

test('wrong arguments come back as a coded error', async ({ bench }) => {
  const reply = await bench.page.evaluate(() =>
    (
      window as unknown as { secateur: { invoke(name: string, args: unknown): Promise<unknown> } }
    ).secateur.invoke('versions.rename', { version: 7 }),
  );
  expect(reply).toMatchObject({ ok: false, error: { code: 'INVALID_ARGUMENT' } });
});

test('no request leaves the page', async ({ bench }) => {
  const outcome = await bench.page.evaluate(async () => {
    const attempt = (url: string): Promise<string> =>
      fetch(url).then(
        () => 'reached',
        () => 'stopped',
      );
    return {
      https: await attempt('https://example.com/'),
      file: await attempt('file:///etc/passwd'),
    };
  });
  expect(outcome).toEqual({ https: 'stopped', file: 'stopped' });
  // The policy reports exactly these attempts; they are expected here.
  expect(bench.violations.length).toBeGreaterThan(0);
  (bench.violations as string[]).length = 0;
});

test('the page cannot navigate, open windows or get permissions', async ({ bench }) => {
  const { page, app } = bench;
  const before = page.url();
  await page.evaluate(() => {
    const link = document.createElement('a');
    link.href = 'https://example.com/';
    document.body.append(link);
    link.click();
    link.target = '_blank';
    link.click();
    link.remove();
  });
  const permission = await page.evaluate(() => Notification.requestPermission());
  expect(permission).toBe('denied');
  expect(page.url()).toBe(before);
  const windows = await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
  expect(windows).toBe(1);
});

test('pages come with the policy, and nothing outside their folder is served', async ({
  bench,
}) => {
  const replies = await bench.app.evaluate(async ({ session }) => {
    const ask = async (url: string): Promise<{ status: number; policy: string | null }> => {
      const response = await session.defaultSession.fetch(url);
      return { status: response.status, policy: response.headers.get('content-security-policy') };
    };
    return {
      page: await ask('app://bundle/index.html'),
      outside: await ask('app://bundle/..%2f..%2f..%2fpackage.json'),
      missing: await ask('app://bundle/nothing.js'),
    };
  });
  expect(replies.page.status).toBe(200);
  expect(replies.page.policy).toContain("default-src 'none'");
  expect(replies.outside.status).toBe(403);
  expect(replies.missing.status).toBe(404);
});
