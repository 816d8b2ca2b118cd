// The version of the engine that is stored with everything it makes.

import { version } from '../package.json';

export const engineVersion: string = version;
