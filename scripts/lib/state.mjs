// What set-up has found out, kept in node_modules so that the next run is done at once.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';

/**
 * @typedef {object} ElectronState
 * @property {string} executable
 * @property {string} version
 * @property {'official' | 'package'} origin the release of the Electron project, or the one taken out of an npm package
 *
 * @typedef {{ native: true, version: string } | { native: false, code: string, message: string, hint: string }} TensorflowState
 *
 * @typedef {object} SetupState
 * @property {string} key what the state was found for
 * @property {ElectronState} [electron]
 * @property {TensorflowState} [tensorflow]
 */

const stateFile = inRoot('node_modules', '.secateur.json');

/**
 * @param {string} key
 * @returns {SetupState} an empty state if there is none for this key
 */
export function readState(key) {
  if (!existsSync(stateFile)) return { key };
  const state = /** @type {SetupState} */ (readJson(stateFile));
  return state.key === key ? state : { key };
}

/** @param {SetupState} state */
export function writeState(state) {
  const part = `${stateFile}.${process.pid}.part`;
  writeFileSync(part, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(part, stateFile);
}

/** @param {string} file */
export const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
