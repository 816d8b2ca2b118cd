// The resolved configuration of one bundle in electron.vite.config.ts.

/**
 * @param {'main' | 'preload' | 'renderer'} part
 * @returns {Promise<import('vite').InlineConfig>}
 */
export async function loadPartConfig(part) {
  // The oldest Electron that the code has to run on: bundles are made for its Node and its Chrome.
  process.env.ELECTRON_MAJOR_VER = '33';
  process.env.NODE_ENV_ELECTRON_VITE = 'production';
  const { resolveConfig } = await import('electron-vite');
  const { config } = await resolveConfig({ logLevel: 'warn' }, 'build', 'production');
  const partConfig = config?.[part];
  if (!partConfig) throw new Error(`electron.vite.config.ts describes no ${part}`);
  return partConfig;
}
