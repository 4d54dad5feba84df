import { type ExitReason, NORMAL } from '../core/index.js';

/** What a server does before it takes its next message. */
export interface Then {
  /** Calls the `continue` handler with this, before any message that is queued. @see OTP `{continue, Term}` */
  readonly continue?: unknown;
  /** Calls the `idle` handler when no message comes within so many milliseconds. @see OTP's time-out results */
  readonly idleMs?: number;
}

export interface StopOptions<R = unknown> {
  /** Default normal. */
  readonly reason?: ExitReason | undefined;
  /** For the caller, when the server has terminated. */
  readonly reply?: R;
}

/** What a handler returns that is more than the next state. Made by the functions of `vigil.result`, so that any value can be a state. */
export class ServerResult<S, R = never> {
  readonly state: S;
  /** `undefined` when there is no reply now. */
  readonly answer: { readonly reply: R } | undefined;
  readonly next: Then | undefined;
  readonly stopReason: ExitReason | undefined;

  constructor(state: S, answer: { readonly reply: R } | undefined, then: Then | undefined, stopReason: ExitReason | undefined) {
    this.state = state;
    this.answer = answer;
    this.next = then;
    this.stopReason = stopReason;
  }
}

/** What `init` returns to decline the start. @see OTP `ignore` */
export const IGNORED: unique symbol = Symbol('ignored');
export type Ignored = typeof IGNORED;

/** The next state and what follows. */
export function next<S>(state: S, then?: Then): ServerResult<S> {
  return new ServerResult(state, undefined, then, undefined);
}

/** A reply, the next state and what follows. */
export function reply<S, R>(answer: R, state: S, then?: Then): ServerResult<S, R> {
  return new ServerResult(state, { reply: answer }, then, undefined);
}

/**
 * No reply now: it comes later, through what `server.caller()` gave. @see OTP `noreply` and `gen_server:reply/2`
 *
 * @typeParam R - of what type that will be: `noReply<State, string>(state)`.
 */
export function noReply<S, R = never>(state: S, then?: Then): ServerResult<S, R> {
  return new ServerResult(state, undefined, then, undefined);
}

/** Ends the server: `terminate` runs, then the caller gets the reply, if there is one, then the process ends with the reason. */
export function stop<S, R = never>(state: S, options: StopOptions<R> = {}): ServerResult<S, R> {
  return new ServerResult(state, hasReply(options) ? { reply: options.reply } : undefined, undefined, options.reason ?? NORMAL);
}

/** A reply of `undefined` is one, too. */
function hasReply<R>(options: StopOptions<R>): options is StopOptions<R> & { readonly reply: R } {
  return 'reply' in options;
}

/** Declines to start, in `init` only. */
export function ignore(): Ignored {
  return IGNORED;
}
