// electron-builder's hook between packing and the fuses: makes the unpacked libraries real files.
// It is CommonJS because electron-builder loads hooks with require().
const { existsSync } = require('node:fs');
const { join } = require('node:path');

exports.default = async ({ appOutDir, packager, electronPlatformName }) => {
  const { materializeLinks } = await import('./real-files.mjs');
  const resources =
    electronPlatformName === 'darwin'
      ? join(appOutDir, `${packager.appInfo.productFilename}.app`, 'Contents', 'Resources')
      : join(appOutDir, 'resources');
  const unpacked = join(resources, 'app.asar.unpacked');
  if (existsSync(unpacked)) materializeLinks(unpacked);
};
