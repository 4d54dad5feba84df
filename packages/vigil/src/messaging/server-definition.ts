import type { ExitReason, Message } from '../core/index.js';
import type { ServerContext } from './server-context.js';
import type { Ignored, ServerResult } from './server-result.js';

/** What a handler returns: the next state, or more than that; now or later. */
export type Handled<S> = S | ServerResult<S> | Promise<S | ServerResult<S>>;

/** What a handler of calls returns. */
export type Answered<S> = AnsweredNow<S> | Promise<AnsweredNow<S>>;
type AnsweredNow<S> = { readonly reply: unknown; readonly state: S } | ServerResult<S, unknown>;

export type Calls<S> = { readonly [name: string]: (argument: never, state: S, server: ServerContext) => Answered<S> };
export type Casts<S> = { readonly [name: string]: (argument: never, state: S, server: ServerContext) => Handled<S> };

/** What a crash report tells. */
export interface CrashFacts<S = unknown> {
  /** The payload of the message that was being handled, if one was. */
  readonly lastMessage: unknown;
  readonly state: S;
}

/**
 * A server: a process with a state and a handler for each kind of message. @see OTP `gen_server`
 *
 * Handlers never overlap, even where they are asynchronous: a message is taken when the one before it is done.
 */
export interface ServerDefinition<TArgs, S, C, K> {
  /** The first state. A throw is a failed start. The server takes messages, and counts as started, when it is done. */
  readonly init: (args: TArgs, server: ServerContext) => InitResult<S>;
  /** By name: what answers with a reply. */
  readonly call?: C & Calls<S>;
  /** By name: what gets no reply. */
  readonly cast?: K & Casts<S>;
  /** Takes every other message. Without it they are logged. */
  readonly info?: ((payload: unknown, state: S, server: ServerContext, message: Message) => Handled<S>) | undefined;
  /** What a result asked to be done before the next message. */
  readonly continue?: ((what: unknown, state: S, server: ServerContext) => Handled<S>) | undefined;
  /** No message has come for as long as a result said. */
  readonly idle?: ((state: S, server: ServerContext) => Handled<S>) | undefined;
  /** Runs once at the end, whatever brings it about except a kill. A throw becomes the exit reason. */
  readonly terminate?: ((reason: ExitReason, state: S, server: ServerContext) => unknown) | undefined;
  /** A name to register, before `init` runs: when it is taken, `init` does not. */
  readonly name?: string | ((args: TArgs) => string) | undefined;
  /** What a crash report may show; default: all of it. */
  readonly redact?: ((facts: CrashFacts<S>) => CrashFacts) | undefined;
}

export type InitResult<S> = S | ServerResult<S> | Ignored | Promise<S | ServerResult<S> | Ignored>;

/** A handler as it is called: of what type its argument and state are is known where it was written. */
export type Handler = { handle(argument: unknown, state: unknown, server: ServerContext): unknown }['handle'];

/** The same for a whole server. */
export interface AnyServer {
  readonly name?: string | { of(args: unknown): string }['of'] | undefined;
  readonly info?: { handle(payload: unknown, state: unknown, server: ServerContext, message: Message): unknown }['handle'] | undefined;
  readonly continue?: Handler | undefined;
  readonly idle?: { handle(state: unknown, server: ServerContext): unknown }['handle'] | undefined;
  readonly terminate?: { handle(reason: ExitReason, state: unknown, server: ServerContext): unknown }['handle'] | undefined;
  readonly redact?: { redact(facts: CrashFacts): CrashFacts }['redact'] | undefined;
  readonly init: { handle(args: unknown, server: ServerContext): unknown }['handle'];
}
