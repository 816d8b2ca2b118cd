// The content security policy of the window's pages.
// @see https://www.electronjs.org/docs/latest/tutorial/security#7-define-a-content-security-policy

/** Sent with every response of app://bundle. Svelte 5 needs its own trusted-types policy for templates. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types svelte-trusted-html',
].join('; ');
