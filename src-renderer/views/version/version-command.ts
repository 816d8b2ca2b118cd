// The command line that makes a version again, where its stored options are a request of their own.
import { call } from '../../api';
import type { PageJobRequest } from '../../../src-main/ipc/contract';

/** Kinds whose requests name no file of the machine: those are known by a token only while they are chosen. */
const repeatable: readonly string[] = ['prune', 'train', 'zoo'] satisfies PageJobRequest['kind'][];

/** Null where a version came out of the middle of a job, or from a file. */
export async function versionCommand(options: unknown): Promise<string | null> {
  if (typeof options !== 'object' || options === null || !('kind' in options)) return null;
  if (!repeatable.includes(String(options.kind))) return null;
  return call('jobs.command', { request: options as PageJobRequest });
}
