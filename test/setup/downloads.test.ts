// The two big downloads against small servers on this machine: whole, cut off, tampered with, missing.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { downloadCarrier } from '../../scripts/lib/electron.mjs';
import { isReachable } from '../../scripts/lib/network.mjs';
import { downloadWheel } from '../../scripts/lib/tensorflow.mjs';
import { environmentWith, loopbackServer, recordingReporter, temporaryFolder } from './helpers';

const { reporter } = recordingReporter();

/** Sends the right length and then only half of the bytes. */
function sendCut(response: ServerResponse, content: Buffer): void {
  response.writeHead(200, { 'content-length': content.length });
  response.write(content.subarray(0, content.length / 2), () => response.destroy());
}

describe('downloadCarrier', () => {
  const spec = '@fake/electron@1.0.0';
  let tarball: Buffer;
  let integrity: string;

  beforeEach(() => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'package'));
    const manifest = '{ "name": "@fake/electron", "version": "1.0.0" }';
    writeFileSync(join(folder, 'package', 'package.json'), manifest);
    // Does not compress, so that half of the tarball is well past its headers.
    const noise = Array.from({ length: 8192 }, (_, i) => createHash('md5').update(`${i}`).digest());
    writeFileSync(join(folder, 'package', 'electron.zip'), Buffer.concat(noise));
    execFileSync('tar', ['-czf', join(folder, 'x.tgz'), '-C', folder, 'package']);
    tarball = readFileSync(join(folder, 'x.tgz'));
    integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  });

  async function registry(sendTarball: (response: ServerResponse) => void): Promise<string> {
    const listener: RequestListener = (request, response) => {
      if (request.url?.endsWith('.tgz')) return sendTarball(response);
      const dist = { tarball: `http://${request.headers.host}/electron-1.0.0.tgz`, integrity };
      const version = { name: '@fake/electron', version: '1.0.0', dist };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ name: '@fake/electron', versions: { '1.0.0': version } }));
    };
    return loopbackServer(listener);
  }

  const npmEnvironment = (registryUrl: string): NodeJS.ProcessEnv => ({
    ...process.env,
    npm_config_registry: registryUrl,
    npm_config_userconfig: join(temporaryFolder(), 'npmrc'),
    npm_config_noproxy: '127.0.0.1',
  });

  it('brings the pinned tarball', async () => {
    const env = npmEnvironment(await registry((response) => response.end(tarball)));
    const file = await downloadCarrier(temporaryFolder(), { spec, integrity }, env);
    expect(statSync(file).size).toBe(tarball.length);
  });

  it('says that a download was cut off', async () => {
    const env = npmEnvironment(await registry((response) => sendCut(response, tarball)));
    await expect(
      downloadCarrier(temporaryFolder(), { spec, integrity }, env),
    ).rejects.toMatchObject({ code: 'SETUP_DOWNLOAD_CUT', hint: 'Try again: npm run setup' });
  });

  it('refuses a tarball that is not the pinned one', async () => {
    const env = npmEnvironment(await registry((response) => response.end(tarball)));
    const pinned = `sha512-${createHash('sha512').update('other').digest('base64')}`;
    await expect(
      downloadCarrier(temporaryFolder(), { spec, integrity: pinned }, env),
    ).rejects.toMatchObject({ code: 'SETUP_CHECKSUM' });
  });

  it('says where to look when the registry lacks it', async () => {
    const env = npmEnvironment(
      await registry((response) => {
        response.writeHead(404);
        response.end();
      }),
    );
    await expect(
      downloadCarrier(temporaryFolder(), { spec, integrity }, env),
    ).rejects.toMatchObject({
      code: 'SETUP_DOWNLOAD_FAILED',
      hint: expect.stringContaining('npm config get registry') as string,
    });
  });
});

describe('downloadWheel', () => {
  const name = 'fake_tensorflow-1.0-py3-none-any.whl';
  let content: Buffer;

  beforeEach(() => {
    const file = join(temporaryFolder(), name);
    const script = [
      'import sys, os, zipfile',
      'w = zipfile.ZipFile(sys.argv[1], "w")',
      'w.writestr("noise", os.urandom(100000))',
      'w.writestr("fake_tensorflow-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: fake-tensorflow\\nVersion: 1.0\\n")',
      'w.writestr("fake_tensorflow-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")',
      'w.writestr("fake_tensorflow-1.0.dist-info/RECORD", "")',
      'w.close()',
    ].join('\n');
    execFileSync('python3', ['-c', script, file]);
    content = readFileSync(file);
  });

  const wheel = (sha256 = createHash('sha256').update(content).digest('hex')) => ({
    requirement: 'fake-tensorflow==1.0',
    sha256,
    tags: [],
  });

  async function pipEnvironment(
    sendWheel: (response: ServerResponse) => void,
  ): Promise<NodeJS.ProcessEnv> {
    const url = await loopbackServer((request, response) => {
      if (request.url?.endsWith('.whl')) return sendWheel(response);
      response.setHeader('content-type', 'text/html');
      response.end(`<!DOCTYPE html><a href="/${name}">${name}</a>`);
    });
    return {
      ...{ PATH: process.env.PATH, HOME: temporaryFolder(), NO_PROXY: '127.0.0.1' },
      ...{ PIP_CONFIG_FILE: '/dev/null', PIP_INDEX_URL: `${url}/simple/`, PIP_NO_CACHE_DIR: '1' },
    };
  }

  it('brings the pinned wheel', async () => {
    const env = await pipEnvironment((response) => response.end(content));
    const file = await downloadWheel(temporaryFolder(), wheel(), reporter, env);
    expect(statSync(file).size).toBe(content.length);
  });

  it('says that a download was cut off', async () => {
    const env = await pipEnvironment((response) => sendCut(response, content));
    await expect(downloadWheel(temporaryFolder(), wheel(), reporter, env)).rejects.toMatchObject({
      // Before 25.1, pip takes what has come for the whole and then finds the wrong digest.
      code: expect.stringMatching(/^SETUP_(DOWNLOAD_CUT|CHECKSUM)$/) as string,
      message: expect.stringContaining('was cut off') as string,
    });
  });

  it('refuses a wheel that is not the pinned one', async () => {
    const env = await pipEnvironment((response) => response.end(content));
    await expect(
      downloadWheel(temporaryFolder(), wheel('0'.repeat(64)), reporter, env),
    ).rejects.toMatchObject({ code: 'SETUP_CHECKSUM' });
  });

  it('says where to look when the index lacks it', async () => {
    const env = await pipEnvironment((response) => response.end(content));
    const missing = { ...wheel(), requirement: 'fake-tensorflow==2.0' };
    await expect(downloadWheel(temporaryFolder(), missing, reporter, env)).rejects.toMatchObject({
      code: 'SETUP_DOWNLOAD_FAILED',
      hint: expect.stringContaining('pip config list') as string,
    });
  });

  it('asks for Python where there is none', async () => {
    await expect(
      downloadWheel(temporaryFolder(), wheel(), reporter, environmentWith()),
    ).rejects.toMatchObject({
      code: 'SETUP_NO_PYTHON',
      hint: expect.stringContaining('python3') as string,
    });
  });
});

describe('isReachable', () => {
  it('knows a site that answers from one that does not', async () => {
    const url = await loopbackServer((_, response) => response.end());
    expect(await isReachable(url, {})).toBe(true);
    expect(await isReachable('http://127.0.0.1:9', {})).toBe(false);
    expect(await isReachable('https://no-such-host.invalid', {})).toBe(false);
  });

  it('leaves the answer to the downloader behind a proxy', async () => {
    const env = { HTTPS_PROXY: 'http://127.0.0.1:9' };
    expect(await isReachable('https://no-such-host.invalid', env)).toBe(true);
  });
});
