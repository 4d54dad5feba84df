/**
 * Every code a {@link VigilError} can carry: a closed set, one situation each.
 *
 * The names are the API reference's. `docs/errors.md` tells when each one is thrown and what to do about it.
 */
export const VIGIL_ERROR_CODES = [
  'ProcessNotFound',
  'ProcessAlreadyRunning',
  'ProcessStartFailed',
  'ProcessStopFailed',
  'SupervisorNotFound',
  'ChildNotFound',
  'TooManyRestarts',
  'TooManyChildren',
  'ShutdownTimeout',
  'AlreadyMonitoring',
  'EmptyMailbox',
  'MailboxFull',
  'MessageExpired',
  'MessageTooLarge',
  'InvalidMessage',
  'DeliveryTimeout',
  'ReceiverUnavailable',
  'InboxClosed',
  'AlreadyRegistered',
  'NotRegistered',
  'AlreadyMember',
  'NoMembers',
  'CircuitOpen',
  'BulkheadFull',
  'RateLimitExceeded',
  'HealthCheckFailed',
  'AbnormalExit',
  'OutOfMemory',
  'InvalidConfiguration',
  'InvalidInterval',
  'OperationTimeout',
  'InvalidState',
] as const;

/** One of {@link VIGIL_ERROR_CODES}. */
export type VigilErrorCode = (typeof VIGIL_ERROR_CODES)[number];

export interface VigilErrorOptions {
  /** The error that led to this one, kept whole. */
  readonly cause?: unknown;
  /** Facts about the situation for programs; the message has them for people. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The one error class of Vigil.
 *
 * `code` says which situation it is, `message` who, what was expected and what was found, `details` the same for programs,
 * and `cause` keeps the original.
 */
export class VigilError extends Error {
  static {
    this.prototype.name = 'VigilError';
  }

  readonly code: VigilErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: VigilErrorCode, message: string, options: VigilErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Whether `value` is a {@link VigilError}, and one with `code` when that is given. */
export function isVigilError(value: unknown, code?: VigilErrorCode): value is VigilError {
  return value instanceof VigilError && (code === undefined || value.code === code);
}

/**
 * Makes a {@link VigilError} without a stack, for refusals on hot paths.
 *
 * A stack costs about five times the rest of the error, and a full inbox is an answer to its sender, not a bug to be traced.
 */
export function failFast(code: VigilErrorCode, message: string, options?: VigilErrorOptions): VigilError {
  const { stackTraceLimit } = errors;
  // With a limit of 0, V8 still walks up to the caller and formats a stack of no frames, which takes twice as long as the rest.
  errors.stackTraceLimit = undefined;
  try {
    const error = new VigilError(code, message, options);
    error.stack = `${error.name}: ${message}`;
    return error;
  } finally {
    errors.stackTraceLimit = stackTraceLimit;
  }
}

const errors: { stackTraceLimit: number | undefined } = Error;
