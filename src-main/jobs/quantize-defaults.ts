// What full int8 takes unless told otherwise.

import type { QuantizeChoices } from './types';

export const quantizeDefaults: QuantizeChoices = { method: 'auto', io: 'float', keepFloat: [] };
