// Whether a download site can be reached at all, so that nobody waits for one that cannot.
import { connect } from 'node:net';

const PROBE_MS = 4_000;

/**
 * Tries to open a connection to a site. Behind a proxy the answer is yes: only the downloader can tell.
 * @param {string} url
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<boolean>}
 */
export function isReachable(url, env = process.env) {
  if (env.HTTPS_PROXY || env.https_proxy) return Promise.resolve(true);
  const { hostname, port, protocol } = new URL(url);
  return new Promise((done) => {
    const socket = connect({
      host: hostname,
      port: Number(port) || (protocol === 'http:' ? 80 : 443),
      timeout: PROBE_MS,
    });
    /** @param {boolean} answer */
    const finish = (answer) => {
      socket.destroy();
      done(answer);
    };
    socket.once('connect', () => finish(true));
    socket.once('timeout', () => finish(false));
    socket.once('error', () => finish(false));
  });
}
