// model.json of either kind of TensorFlow.js model.

import { readFile, stat } from 'node:fs/promises';
import { toAppError } from '../../errors';
import { isObject, type JsonObject } from '../keras-config/config';
import { corrupt, tooLarge } from '../keras-config/errors';
import { maxJsonBytes } from '../keras-config/limits';

/** @throws AppError MODEL_CORRUPT where it is no JSON object, MODEL_TOO_LARGE, FILE_UNREADABLE */
export async function readModelJson(path: string): Promise<JsonObject> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > maxJsonBytes) throw tooLarge('Bytes of model.json', size, maxJsonBytes);
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw toAppError(error);
  }
  try {
    const json: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (isObject(json)) return json;
  } catch (error) {
    // A SyntaxError, or a RangeError for brackets nested deeper than the parser's stack.
    const why = error instanceof Error ? error.message : String(error);
    throw corrupt(`model.json is not valid JSON: ${why.slice(0, 200)}`, { path }, error);
  }
  throw corrupt('model.json does not hold an object', { path });
}
