// The default app of an Electron that was taken out of another program: opens the folder named by the
// first argument that is not a flag, as `electron <folder>` does.
const { resolve } = require('node:path');
const { app } = require('electron');

const named = process.argv.slice(1).find((argument) => !argument.startsWith('-'));
const folder = resolve(named ?? '.');
const manifest = require(resolve(folder, 'package.json'));

process.defaultApp = true;
app.setAppPath(folder);
app.setName(manifest.productName ?? manifest.name);
app.setVersion(manifest.version);
require(resolve(folder, manifest.main));
