// The licences of the packages that end up in the packaged app, as one Markdown page.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { moduleList } from './build.mjs';
import { inRoot } from './paths.mjs';
import { readJson } from './state.mjs';

const LICENCE_FILE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;
const MODULES = `node_modules${sep}`;

/**
 * Packages that are shipped as they are: what package-lock.json installs without development tools.
 * @returns {string[]} paths such as `node_modules/zod`
 */
function shippedPackages() {
  const { packages } = readJson(inRoot('node_modules', '.package-lock.json'));
  return Object.entries(packages)
    .filter(([, entry]) => !entry.dev && !entry.devOptional)
    .map(([path]) => path);
}

/** Packages whose code was compiled into the page. */
function bundledPackages() {
  /** @type {string[]} */
  const modules = readJson(moduleList('renderer'));
  const folders = modules.map(packageFolder).filter((path) => path !== undefined);
  return [...new Set(folders)];
}

/**
 * `/x/node_modules/@a/b/dist/c.js` -> `node_modules/@a/b`
 * @param {string} module
 */
export function packageFolder(module) {
  const path = relative(inRoot(), module.replace(/^\0/, '').replace(/\?.*$/, ''));
  const at = path.lastIndexOf(MODULES);
  if (at < 0) return undefined;
  const names = path.slice(at + MODULES.length).split(sep);
  const length = names[0]?.startsWith('@') ? 2 : 1;
  return path.slice(0, at) + MODULES + names.slice(0, length).join(sep);
}

/** The page's text. The renderer has to be built. */
export function thirdPartyNotices() {
  const folders = [...new Set([...shippedPackages(), ...bundledPackages()])].sort();
  const sections = folders
    .filter((folder) => existsSync(inRoot(folder, 'package.json')))
    .map(section);
  return [
    '# Third-party notices',
    '',
    `Secateur is packaged with ${sections.length} packages of other authors. Electron's and Chromium's licences are in`,
    'LICENSE.electron.txt and LICENSES.chromium.html beside this file.',
    '',
    ...sections,
  ].join('\n');
}

/** @param {string} folder */
function section(folder) {
  const manifest = readJson(inRoot(folder, 'package.json'));
  const licence = manifest.license?.type ?? manifest.license ?? manifest.licenses?.[0]?.type;
  const home = manifest.repository?.url ?? manifest.repository ?? manifest.homepage ?? '';
  const texts = licenceTexts(inRoot(folder)).map((text) => `\`\`\`text\n${text.trim()}\n\`\`\`\n`);
  return [
    `## ${manifest.name} ${manifest.version}`,
    '',
    `Licence: ${licence ?? 'see below'}${home ? `. Source: ${home}` : ''}`,
    '',
    ...texts,
  ].join('\n');
}

/** @param {string} folder */
function licenceTexts(folder) {
  return readdirSync(folder)
    .filter((name) => LICENCE_FILE.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}
