// What a worker process sees of the environment. It reads foreign files: it gets what libraries need, and
// neither secrets of the user's shell nor switches that change how Node or Electron start.

const allowed =
  /^(PATH|HOME|USERPROFILE|TMPDIR|TMP|TEMP|LANG|LC_\w+|TZ|SYSTEMROOT|WINDIR|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|(TF|OMP|MKL|CUDA|XLA|SECATEUR)_\w+)$/i;

export function workerEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && allowed.test(entry[0]),
    ),
  );
}
