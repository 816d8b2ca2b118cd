import { describe, expect, it } from 'vitest';
import {
  aptCommand,
  displayPrefix,
  hasDisplay,
  missingLibraries,
  requireBuildTools,
} from '../../scripts/lib/system.mjs';
import { environmentWith, recordingReporter } from './helpers';

const onLinux = describe.runIf(process.platform === 'linux');
const { reporter } = recordingReporter();

onLinux('displayPrefix', () => {
  it('adds nothing where there is a display', async () => {
    expect(await displayPrefix(reporter, { DISPLAY: ':7' })).toEqual([]);
    expect(await displayPrefix(reporter, { WAYLAND_DISPLAY: 'wayland-0' })).toEqual([]);
  });

  it('takes a virtual display where there is none', async () => {
    const env = environmentWith('xvfb-run');
    const [program] = await displayPrefix(reporter, env);
    expect(program).toMatch(/bin\/xvfb-run$/);
  });

  it('names the packages where there is neither', async () => {
    expect(hasDisplay(environmentWith())).toBe(false);
    await expect(displayPrefix(reporter, environmentWith())).rejects.toMatchObject({
      code: 'SETUP_NO_DISPLAY',
      hint: 'apt-get update && apt-get install -y xvfb xauth',
    });
  });
});

onLinux('requireBuildTools', () => {
  it('is content with Python, make and a compiler', async () => {
    await requireBuildTools(reporter, environmentWith('python3', 'make', 'g++'));
    await requireBuildTools(reporter, { ...environmentWith('python3', 'make'), CXX: 'mine' });
  });

  it('asks for Python first', async () => {
    await expect(requireBuildTools(reporter, environmentWith('make'))).rejects.toMatchObject({
      code: 'SETUP_NO_PYTHON',
      hint: aptCommand(['python3', 'python3-pip']),
    });
  });

  it('asks for a compiler, and says what exactly is missing', async () => {
    const missing = requireBuildTools(reporter, environmentWith('python3', 'make'));
    await expect(missing).rejects.toMatchObject({
      code: 'SETUP_NO_COMPILER',
      message: expect.stringContaining('no g++') as string,
      hint: 'apt-get update && apt-get install -y make g++',
    });
  });
});

onLinux('missingLibraries', () => {
  it('finds none for a program that runs', async () => {
    expect(await missingLibraries(process.execPath)).toEqual([]);
  });
});
