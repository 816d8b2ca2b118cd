// The one error type a user can meet: a stable code, what is wrong and where, and what to do about it.

/** Every code, with what it means. Codes are part of the command line's contract: never rename one. */
export const errorCodes = {
  /** Options that do not fit the command: unknown name, out of range, missing. */
  INVALID_ARGUMENT: 'an option is missing or out of range',
  /** A named version, data set, job or layer does not exist. */
  NOT_FOUND: 'no such version, data set, job or layer',
  /** The name is taken. */
  ALREADY_EXISTS: 'the name or file exists already',
  /** The user cancelled the job. */
  CANCELLED: 'cancelled by the user',
  /** A file or folder cannot be read. */
  FILE_UNREADABLE: 'a file or folder cannot be read',
  /** A file or folder cannot be written. */
  FILE_UNWRITABLE: 'a file or folder cannot be written',
  /** The disk is full. */
  DISK_FULL: 'not enough disk space',
  /** Content does not match any known model format. */
  MODEL_FORMAT_UNKNOWN: 'the file is not a model format that Secateur reads',
  /** A model file is damaged: truncated, inconsistent or not parseable. */
  MODEL_CORRUPT: 'the model file is damaged',
  /** A model file refers to a file outside its own folder. */
  MODEL_UNSAFE_PATH: 'the model file names a path outside its folder',
  /** A model has a layer that Secateur can neither run nor freeze. */
  MODEL_UNSUPPORTED_OP: 'the model has a layer that Secateur cannot run',
  /** A model's weights hold NaN or infinity. */
  MODEL_NOT_FINITE: 'the model has weights that are not finite numbers',
  /** A model of integers: it can be looked at, not worked on. */
  MODEL_QUANTIZED: 'the model is quantised already',
  /** The model exceeds the limits on tensors or bytes. */
  MODEL_TOO_LARGE: 'the model exceeds the size limits',
  /** The model graph breaks an invariant (a bug, or a broken import). */
  GRAPH_INVALID: 'the model graph is inconsistent',
  /** A data set cannot be recognised. */
  DATA_FORMAT_UNKNOWN: 'the path holds no data set that Secateur reads',
  /** A data set is damaged. */
  DATA_CORRUPT: 'the data set is damaged',
  /** An image of a data set cannot be decoded. */
  DATA_IMAGE_UNREADABLE: 'an image cannot be decoded',
  /** Data set and model do not fit: image size, channels, number or names of classes. */
  DATA_MISMATCH: 'the data set does not fit the model',
  /** The pruning target cannot be reached with the constraints given. */
  PRUNE_TARGET_UNREACHABLE: 'the pruning target cannot be reached',
  /** Masked original and cut model differ: the cut is refused. */
  PRUNE_NOT_EQUIVALENT: 'the cut model differs from the masked original',
  /** Loss became NaN or infinite, or ran away. */
  TRAIN_DIVERGED: 'training diverged',
  /** A batch takes more memory than there is. */
  OUT_OF_MEMORY: 'not enough memory',
  /** The chosen backend or runtime is not available here. */
  RUNTIME_UNAVAILABLE: 'the runtime is not available on this machine',
  /** A GPU, or the process that computes on it, went away in the middle. */
  GPU_LOST: 'the GPU stopped computing',
  /** The graph cannot be expressed in the target format. */
  EXPORT_UNSUPPORTED: 'the model cannot be expressed in the target format',
  /** The exported file does not reproduce the version. */
  EXPORT_MISMATCH: 'the exported file does not reproduce the version',
  /** The folder is not a Secateur project. */
  PROJECT_NOT_FOUND: 'the folder is not a Secateur project',
  /** Another process has the project open. */
  PROJECT_LOCKED: 'the project is open in another process',
  /** The project was written by a newer Secateur. */
  PROJECT_NEWER: 'the project was written by a newer version',
  /** The project's database or a blob is damaged. */
  PROJECT_CORRUPT: 'the project is damaged',
  /** The worker process ended without a result. */
  WORKER_CRASHED: 'the worker process ended unexpectedly',
  /** Anything that has no code of its own: a bug. */
  INTERNAL: 'an internal error',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** What crosses process borders and is printed as JSON. */
export interface ErrorInfo {
  readonly code: ErrorCode;
  /** What is wrong, and where. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
  /** Machine-readable particulars: file, layer, bytes needed, field errors. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error with a stable code. Thrown by every layer for everything a user can cause or mend. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    hint: string,
    options: { details?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.hint = hint;
    this.details = options.details;
  }

  toInfo(): ErrorInfo {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint,
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  static fromInfo(info: ErrorInfo): AppError {
    return new AppError(
      info.code,
      info.message,
      info.hint,
      info.details === undefined ? {} : { details: info.details },
    );
  }
}

const systemCodes: Readonly<Record<string, { code: ErrorCode; what: string; hint: string }>> = {
  ENOSPC: {
    code: 'DISK_FULL',
    what: 'The disk is full',
    hint: 'Free some space and try again; nothing was left half written.',
  },
  SQLITE_FULL: {
    code: 'DISK_FULL',
    what: 'The disk is full',
    hint: 'Free some space and try again; nothing was left half written.',
  },
  EFBIG: {
    code: 'DISK_FULL',
    what: 'The file would exceed the largest size allowed here',
    hint: 'Raise the limit (ulimit -f) or choose another disk; nothing was left half written.',
  },
  EDQUOT: {
    code: 'DISK_FULL',
    what: 'The disk quota is used up',
    hint: 'Free some space and try again; nothing was left half written.',
  },
  EACCES: {
    code: 'FILE_UNWRITABLE',
    what: 'Permission denied',
    hint: 'Check the permissions of the folder or choose another one.',
  },
  EPERM: {
    code: 'FILE_UNWRITABLE',
    what: 'Permission denied',
    hint: 'Check the permissions of the folder or choose another one.',
  },
  EROFS: {
    code: 'FILE_UNWRITABLE',
    what: 'The file system is read-only',
    hint: 'Choose a folder that can be written.',
  },
  EEXIST: {
    code: 'ALREADY_EXISTS',
    what: 'There is something of this name already',
    hint: 'Choose another place; nothing is overwritten.',
  },
  ENOTEMPTY: {
    code: 'ALREADY_EXISTS',
    what: 'The folder is not empty',
    hint: 'Choose a new or an empty folder; nothing is overwritten.',
  },
  ENAMETOOLONG: {
    code: 'INVALID_ARGUMENT',
    what: 'The name is too long for this disk',
    hint: 'Choose a shorter one.',
  },
  ENOENT: {
    code: 'FILE_UNREADABLE',
    what: 'The file or folder does not exist',
    hint: 'Check the path.',
  },
  ENOTDIR: {
    code: 'FILE_UNREADABLE',
    what: 'A part of the path is not a folder',
    hint: 'Check the path.',
  },
  EISDIR: {
    code: 'FILE_UNREADABLE',
    what: 'The path is a folder, a file was expected',
    hint: 'Check the path.',
  },
};

/** Turns anything thrown into an AppError; system errors get their code, the unknown becomes INTERNAL. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const system = error as { code?: unknown; path?: unknown; message?: unknown };
  const known = typeof system?.code === 'string' ? systemCodes[system.code] : undefined;
  if (known) {
    const where = typeof system.path === 'string' ? `: ${system.path}` : '';
    return new AppError(known.code, `${known.what}${where}`, known.hint, { cause: error });
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new AppError('CANCELLED', 'The job was cancelled.', 'Start it again when you like.');
  }
  const message = error instanceof Error ? error.message : String(error);
  return new AppError('INTERNAL', message, 'This is a bug in Secateur; the log has the details.', {
    cause: error,
  });
}

/** The same for making a file or folder: one that cannot be made there is no matter of reading. */
export function toWriteError(error: unknown): AppError {
  const { code, message, hint } = toAppError(error);
  if (code !== 'FILE_UNREADABLE') return toAppError(error);
  return new AppError('FILE_UNWRITABLE', message, `${hint} Nothing can be written there.`, {
    cause: error,
  });
}
