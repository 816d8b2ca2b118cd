// Which addresses and files a page can reach.

import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import { contentSecurityPolicy } from '../../../src-main/security/csp';
import { isAllowedRequest, isAppPage, resolveAsset } from '../../../src-main/security/rules';

const root = resolve('/srv/app');

describe('resolveAsset', () => {
  it('finds files below the root', () => {
    expect(resolveAsset(root, 'app://bundle/')).toBe(`${root}/index.html`);
    expect(resolveAsset(root, 'app://bundle/assets/a.js')).toBe(`${root}/assets/a.js`);
  });

  it.each([
    'app://bundle/..%2f..%2fetc/passwd',
    'app://bundle/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    'app://bundle/..%5c..%5cwindows',
    'app://bundle/a%00.html',
    'app://bundle/%E0%A4%A',
    'app://bundle/..%2fapp-other/secret',
  ])('refuses %s', (url) => {
    expect(resolveAsset(root, url)).toBe(403);
  });

  it('knows no other host', () => {
    expect(resolveAsset(root, 'app://elsewhere/index.html')).toBe(404);
  });
});

describe('isAllowedRequest', () => {
  it.each(['app://bundle/x.js', 'data:image/png;base64,AA==', 'devtools://devtools/x'])(
    'lets %s through',
    (url) => expect(isAllowedRequest(url, null)).toBe(true),
  );

  it.each([
    'https://example.com/',
    'http://127.0.0.1:5173/',
    'file:///etc/passwd',
    'app://other/x',
    'ws://localhost:5173/',
  ])('stops %s', (url) => expect(isAllowedRequest(url, null)).toBe(false));

  it('lets only the development server through when there is one', () => {
    const dev = 'http://localhost:5173';
    expect(isAllowedRequest('http://localhost:5173/main.ts', dev)).toBe(true);
    expect(isAllowedRequest('ws://localhost:5173/', dev)).toBe(true);
    expect(isAllowedRequest('http://localhost:5174/', dev)).toBe(false);
    expect(isAllowedRequest('https://example.com/', dev)).toBe(false);
  });
});

describe('isAppPage', () => {
  it('takes our own origin alone', () => {
    expect(isAppPage('app://bundle/index.html#/home', null)).toBe(true);
    expect(isAppPage('app://bundle.evil/index.html', null)).toBe(false);
    expect(isAppPage('https://app/bundle/', null)).toBe(false);
    expect(isAppPage('http://localhost:5173/', 'http://localhost:5173')).toBe(true);
    expect(isAppPage('http://localhost:5173.evil.com/', 'http://localhost:5173')).toBe(false);
  });
});

describe('content security policy', () => {
  it('allows nothing but the app itself', () => {
    expect(contentSecurityPolicy).toContain("default-src 'none'");
    expect(contentSecurityPolicy).toContain("script-src 'self'");
    expect(contentSecurityPolicy).not.toMatch(/unsafe|https?:|\*/);
  });
});
