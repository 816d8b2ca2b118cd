// Renders resources/icon.svg to the picture that the window and the installers use. Run it after an edit of the drawing.
import { inRoot } from './lib/paths.mjs';

const SIDE = 1024;
const { default: sharp } = await import('sharp');
await sharp(inRoot('resources', 'icon.svg'), { density: 144 })
  .resize(SIDE)
  .png({ compressionLevel: 9, palette: true })
  .toFile(inRoot('resources', 'icon.png'));
