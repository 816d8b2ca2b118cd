// The decisions of the guards as plain functions: which address is ours, which request may leave the page,
// which file a request names.

import { resolve, sep } from 'node:path';

export const appScheme = 'app';
export const appOrigin = 'app://bundle';

/**
 * The file that a request names, or the status that refuses it: 403 for anything outside the folder
 * (also when encoded), 404 for another host.
 */
export function resolveAsset(root: string, requestUrl: string): string | 403 | 404 {
  const url = new URL(requestUrl);
  if (url.host !== 'bundle') return 404;
  let path: string;
  try {
    path = decodeURIComponent(url.pathname);
  } catch {
    return 403;
  }
  if (path.includes('\0') || path.includes('\\')) return 403;
  const file = resolve(root, `.${path === '/' ? '/index.html' : path}`);
  return file.startsWith(root + sep) ? file : 403;
}

/** Whether the window may load this address. The development server's origin is allowed only when it runs. */
export function isAllowedRequest(url: string, devOrigin: string | null): boolean {
  if (!URL.canParse(url)) return false;
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
  if (url.startsWith(`${appOrigin}/`)) return true;
  return devOrigin !== null && URL.canParse(url) && new URL(url).origin === devOrigin;
}
