import { checkOneOf, describeValue } from './validation.js';

const checkKind = checkOneOf(['normal', 'shutdown']);

/**
 * Why a process ended. `normal` and `shutdown` are clean, `killed` and `crashed` are abnormal.
 *
 * @see Erlang/OTP: exit reasons `normal`, `shutdown`, `{shutdown, Info}`, `killed` and any other term.
 */
export type ExitReason =
  | { readonly kind: 'normal' }
  | { readonly kind: 'shutdown'; readonly info?: unknown }
  | { readonly kind: 'killed' }
  | { readonly kind: 'crashed'; readonly error: unknown };

export const NORMAL: ExitReason = Object.freeze({ kind: 'normal' });
export const SHUTDOWN: ExitReason = Object.freeze({ kind: 'shutdown' });
export const KILLED: ExitReason = Object.freeze({ kind: 'killed' });

/** The reason of a process that failed with `error`. */
export function crashed(error: unknown): ExitReason {
  return { kind: 'crashed', error };
}

/** Whether a transient child with this reason is restarted, and its end reported as an error. */
export function isAbnormal(reason: ExitReason): boolean {
  return reason.kind === 'killed' || reason.kind === 'crashed';
}

/** The error behind a reason, if there is one: what a report gives as its cause. */
export function errorOf(reason: ExitReason): unknown {
  switch (reason.kind) {
    case 'crashed':
      return reason.error;
    case 'shutdown':
      return reason.info;
    case 'normal':
    case 'killed':
      return undefined;
  }
}

/** A reason in a few words: `crashed: Error: no such user`. */
export function describeExit(reason: ExitReason): string {
  const error = errorOf(reason);
  if (error === undefined && reason.kind !== 'crashed') return reason.kind;
  return `${reason.kind}: ${error instanceof Error ? `${error.name}: ${error.message}` : describeValue(error)}`;
}

/**
 * Thrown by a process body to end with a chosen reason instead of a crash.
 *
 * @example throw new ProcessExit('shutdown', { because: 'the queue is gone' });
 * @see Erlang `exit({shutdown, Info})`.
 */
export class ProcessExit extends Error {
  static {
    this.prototype.name = 'ProcessExit';
  }

  readonly reason: ExitReason;

  /**
   * @param info - kept in the exit reason; only with `'shutdown'`.
   * @throws {VigilError} `InvalidConfiguration` for another kind.
   */
  constructor(kind: 'normal' | 'shutdown', info?: unknown) {
    super(`the process asked to end: ${checkKind('kind', kind)}`);
    this.reason = kind === 'normal' ? NORMAL : info === undefined ? SHUTDOWN : { kind: 'shutdown', info };
  }
}
