// app://bundle serves the built pages: a real origin, unlike file://, with the policy on every response.
// @see https://www.electronjs.org/docs/latest/tutorial/security#18-avoid-usage-of-the-file-protocol

import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { protocol, type Session } from 'electron';

import { contentSecurityPolicy } from './csp';
import { appScheme, resolveAsset } from './rules';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

/** Must run before the app is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: appScheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Serves `root` (absolute) to the session. */
export function serveApp(session: Session, root: string): void {
  session.protocol.handle(appScheme, async (request) => {
    const headers = {
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
    };
    const asset = resolveAsset(root, request.url);
    if (typeof asset === 'number') return new Response(null, { status: asset, headers });
    try {
      const body = await readFile(asset);
      const type = contentTypes[extname(asset)] ?? 'application/octet-stream';
      return new Response(new Uint8Array(body), { headers: { ...headers, 'content-type': type } });
    } catch {
      return new Response(null, { status: 404, headers });
    }
  });
}
