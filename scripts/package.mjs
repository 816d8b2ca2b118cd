// Packages the app into dist/: `npm run package` makes the app's folder for this system and tries it out;
// `npm run package -- installers` makes the installers too (electron-builder downloads tools for these).
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ALL_PARTS, buildIfStale, withBundles } from './lib/build.mjs';
import { cacheFolder, inRoot, root } from './lib/paths.mjs';
import { withScratch } from './lib/cache.mjs';
import { thirdPartyNotices } from './lib/notices.mjs';
import { lastLines } from './lib/npm.mjs';
import { capture } from './lib/processes.mjs';
import { runMain, SetupError } from './lib/report.mjs';
import { displayPrefix, isRoot } from './lib/system.mjs';
import { EVERYTHING, setUp, warnWithoutTensorflow } from './setup.mjs';

/** How long the packaged app has to live to count as started. */
const TRIAL_MS = 8_000;

/** The state that each fuse has to be in, by the name that `electron-fuses read` prints. */
const FUSES = {
  RunAsNode: 'Disabled',
  EnableNodeOptionsEnvironmentVariable: 'Disabled',
  EnableNodeCliInspectArguments: 'Disabled',
  OnlyLoadAppFromAsar: 'Enabled',
  GrantFileProtocolExtraPrivileges: 'Disabled',
};

await runMain(async (reporter) => {
  const installers = process.argv.slice(2).includes('installers');
  const state = await setUp(EVERYTHING, reporter);
  warnWithoutTensorflow(state, reporter);
  const { electron } = state;
  if (!electron) throw new Error('set-up ended without an Electron');
  await buildIfStale(ALL_PARTS, reporter);
  writeFileSync(inRoot('out', 'THIRD_PARTY_NOTICES.md'), thirdPartyNotices());
  await withScratch(cacheFolder(), async (scratch) => {
    const dist = electronFolder(electron, scratch);
    const pack = () => runBuilder(dist, electron.version, installers);
    await withBundles(reporter, () => reporter.step('package', pack, { announce: true }));
  });
  const executable = packagedExecutable();
  await reporter.step('check the fuses', () => checkFuses(executable));
  const prefix = await displayPrefix(reporter);
  await reporter.step('start the packaged app', () => tryOut(executable, prefix));
  reporter.line(`Packaged: ${dirname(executable)}`);
  if (electron.origin === 'package') {
    reporter.warn(
      `it holds Electron ${electron.version}, which is for development only. To ship it, package where ` +
        'the official Electron can be downloaded.',
    );
  }
  if (!installers) reporter.line('For installers as well: npm run package -- installers');
});

/**
 * The folder that electron-builder copies Electron from, without a default app in it.
 * @param {import('./lib/state.mjs').ElectronState} electron
 * @param {string} scratch
 */
function electronFolder(electron, scratch) {
  if (electron.origin === 'official') return inRoot('node_modules', 'electron', 'dist');
  const copy = join(scratch, 'electron');
  cpSync(dirname(electron.executable), copy, { recursive: true });
  rmSync(join(copy, 'resources', 'app'), { recursive: true });
  return copy;
}

/**
 * @param {string} electronDist
 * @param {string} electronVersion
 * @param {boolean} installers
 * @throws {SetupError} PACKAGE_FAILED
 */
async function runBuilder(electronDist, electronVersion, installers) {
  const result = await capture(
    process.execPath,
    [
      inRoot('node_modules', 'electron-builder', 'cli.js'),
      ...(installers ? [] : ['--dir']),
      ...['--publish', 'never'],
      `-c.electronDist=${electronDist}`,
      `-c.electronVersion=${electronVersion}`,
    ],
    { cwd: root },
  );
  if (result.code === 0) return;
  throw new SetupError(
    'PACKAGE_FAILED',
    `electron-builder failed (exit code ${result.code}):\n${lastLines(result.stdout + result.stderr, 20)}`,
    installers
      ? 'Installers need tools that electron-builder downloads. Without them: npm run package'
      : 'The lines above say what is missing.',
  );
}

function packagedExecutable() {
  const candidates = [
    ['linux-unpacked', 'secateur'],
    ['linux-arm64-unpacked', 'secateur'],
    ['win-unpacked', 'Secateur.exe'],
    ['win-arm64-unpacked', 'Secateur.exe'],
    ['mac', 'Secateur.app', 'Contents', 'MacOS', 'Secateur'],
    ['mac-arm64', 'Secateur.app', 'Contents', 'MacOS', 'Secateur'],
  ].map((parts) => inRoot('dist', ...parts));
  const found = candidates.find((file) => existsSync(file));
  if (!found) throw new Error('electron-builder left no app in dist/');
  return found;
}

/**
 * @param {string} executable
 * @throws {SetupError} PACKAGE_FUSES
 */
async function checkFuses(executable) {
  const app = process.platform === 'darwin' ? resolve(executable, '..', '..', '..') : executable;
  const reader = inRoot('node_modules', '@electron', 'fuses', 'dist', 'bin.js');
  const { stdout } = await capture(process.execPath, [reader, 'read', '--app', app]);
  const wrong = Object.entries(FUSES).filter(
    ([name, wanted]) => !new RegExp(`${name} is .*${wanted}`).test(stdout),
  );
  if (wrong.length === 0) return;
  throw new SetupError(
    'PACKAGE_FUSES',
    `Fuses are not as they must be: ${wrong.map(([name, wanted]) => `${name} ${wanted}`).join(', ')}\n${stdout}`,
    'See electronFuses in electron-builder.yml.',
  );
}

/**
 * Starts the app with a profile of its own; it has to stay up until it is told to go.
 * @param {string} executable
 * @param {readonly string[]} displayCommand
 * @throws {SetupError} PACKAGE_DOES_NOT_START
 */
async function tryOut(executable, displayCommand) {
  const profile = mkdtempSync(join(tmpdir(), 'secateur-trial-'));
  const flags = process.platform === 'linux' && isRoot ? ['--no-sandbox'] : [];
  const [command = '', ...args] = [
    ...displayCommand,
    ...[executable, `--user-data-dir=${profile}`, ...flags],
  ];
  const result = await capture(command, args, { timeoutMs: TRIAL_MS });
  rmSync(profile, { recursive: true, force: true });
  if (result.code === 124) return;
  throw new SetupError(
    'PACKAGE_DOES_NOT_START',
    `The packaged app ended by itself (exit code ${result.code}):\n${lastLines(result.stderr, 15)}`,
    `Start it by hand to see more: ${executable}`,
  );
}
