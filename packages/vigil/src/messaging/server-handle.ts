import {
  checkFunction,
  checkObject,
  endedDuringCall,
  type Environment,
  type ExitReason,
  failFast,
  invalidOption,
  isAbnormal,
  isVigilError,
  type Sender,
  type SendOptions,
  settledWithin,
  VigilError,
} from '../core/index.js';
import type { ProcessRef } from '../processes/index.js';
import { callOn, type RequestOptions } from './request.js';
import { isExitReason, type ServerMessage } from './server-message.js';
import type { ServerResult } from './server-result.js';

/** A server, or a module whose default export is one, by what it handles. */
type HandlersOf<M> = M extends { readonly handlers: infer H }
  ? H
  : M extends { readonly default: { readonly handlers: infer H } }
    ? H
    : never;
type CallsOf<M> = HandlersOf<M> extends { readonly call: infer C } ? NonNullable<C> : never;
type CastsOf<M> = HandlersOf<M> extends { readonly cast: infer K } ? NonNullable<K> : never;

type ReplyOf<A> = A extends ServerResult<unknown, infer R> ? R : A extends { readonly reply: infer R } ? R : never;
/** A handler whose replies all come later does not say of what type they are. */
type Known<R> = [R] extends [never] ? unknown : R;

/** A handler that takes no argument, or leaves its type open, is called without one. */
type Arguments<H, O> = H extends (...args: infer P) => unknown
  ? P extends readonly [infer A, ...unknown[]]
    ? [A] extends [void | undefined]
      ? [argument?: undefined, options?: O]
      : [argument: A, options?: O]
    : [argument?: undefined, options?: O]
  : never;

type CallFunction<H> = H extends (...args: never[]) => infer A
  ? (...args: Arguments<H, RequestOptions>) => Promise<Known<ReplyOf<Awaited<A>>>>
  : never;

export interface StopServerOptions {
  /** Default normal. */
  readonly reason?: ExitReason | undefined;
  /** Milliseconds to wait for its end, or `'infinity'` (default). When the time is over it is left to stop by itself. */
  readonly timeoutMs?: number | 'infinity' | undefined;
}

/** What others do with a server, typed by its module. It is the same for a task, a thread and a fork. */
export interface ServerHandle<M> {
  /** Calls a handler and resolves with its reply. Rejects as `vigil.request`. */
  readonly call: { readonly [N in keyof CallsOf<M>]: CallFunction<CallsOf<M>[N]> };
  /** Sends without a reply. @throws {VigilError} as `send`. */
  readonly cast: { readonly [N in keyof CastsOf<M>]: (...args: Arguments<CastsOf<M>[N], SendOptions>) => void };
  /** Sends a plain message to the `info` handler. @throws {VigilError} as `send`. */
  info(payload: unknown, options?: SendOptions): void;
  /** The state, as it is between two messages: a copy where the server is in another thread or process. */
  getState(options?: RequestOptions): Promise<unknown>;
  /**
   * Replaces the state between two messages by what the function makes of it, and resolves with that. Where it throws, the state stays and
   * the error comes back. Functions do not cross a boundary: for a thread or fork it rejects with `InvalidMessage`.
   */
  replaceState(change: (state: unknown) => unknown, options?: RequestOptions): Promise<unknown>;
  /**
   * Asks the server to end when it has handled what is queued before, and resolves with its exit reason when it is down.
   *
   * @throws {VigilError} `ProcessNotFound` when there is no such process, or it ended abnormally instead; `OperationTimeout`.
   */
  stop(options?: StopServerOptions): Promise<ExitReason>;
}

/** @param receiver - finds the server at each use. */
export function makeHandle<M>(environment: Environment, receiver: () => Sender): ServerHandle<M> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its methods are made when they are asked for: which there are is a matter of types
  return new Handle(environment, receiver) as unknown as ServerHandle<M>;
}

const checkChange = checkFunction<(state: unknown) => unknown>();

class Handle {
  readonly call: object;
  readonly cast: object;
  readonly #environment: Environment;
  readonly #receiver: () => Sender;

  constructor(environment: Environment, receiver: () => Sender) {
    this.#environment = environment;
    this.#receiver = receiver;
    this.call = methodsOnDemand((name) => (argument: unknown, options?: RequestOptions) => this.#ask('call', name, argument, options));
    this.cast = methodsOnDemand((name) => (argument: unknown, options?: SendOptions) => {
      receiver().send({ $vigil: 'cast', name, argument } satisfies ServerMessage, options);
    });
  }

  info(payload: unknown, options?: SendOptions): void {
    this.#receiver().send(payload, options);
  }

  getState(options?: RequestOptions): Promise<unknown> {
    return this.#ask('system', 'get_state', undefined, options);
  }

  replaceState(change: (state: unknown) => unknown, options?: RequestOptions): Promise<unknown> {
    try {
      return this.#ask('system', 'replace_state', checkChange('change', change), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async stop(options: StopServerOptions = {}): Promise<ExitReason> {
    checkObject('stop options', options);
    const { reason, timeoutMs = 'infinity' } = options;
    if (reason !== undefined && (!isExitReason(reason) || reason.kind === 'killed')) {
      throw invalidOption('reason', 'an exit reason other than killed', reason);
    }
    const receiver = this.#receiver();
    try {
      await callOn(this.#environment, receiver, { $vigil: 'system', name: 'stop', argument: reason } satisfies ServerMessage, {
        timeoutMs,
      });
    } catch (error) {
      // It never replies: its end is the answer.
      if (isVigilError(error, 'ProcessNotFound') && isExitReason(error.details.reason)) return cleanOr(error, error.details.reason);
      // Somebody else has asked it to stop already.
      if (isVigilError(error, 'InboxClosed') && isProcess(receiver)) return this.#down(receiver, timeoutMs, error);
      throw error;
    }
    throw new VigilError('InvalidState', 'what was asked to stop is no server');
  }

  async #down(process: ProcessRef, timeoutMs: number | 'infinity', refusal: VigilError): Promise<ExitReason> {
    const { down } = process.monitor();
    const outcome = timeoutMs === 'infinity' ? { value: await down } : await settledWithin(down, timeoutMs, this.#environment.clock);
    if (outcome === undefined)
      throw failFast('OperationTimeout', `the server did not stop within ${timeoutMs} ms`, { details: { timeoutMs } });
    const { reason } = outcome.value;
    if (reason.kind === 'noproc') throw refusal;
    return cleanOr(endedDuringCall(process.id, reason), reason);
  }

  #ask(kind: ServerMessage['$vigil'], name: string, argument: unknown, options?: RequestOptions): Promise<unknown> {
    let receiver: Sender;
    try {
      receiver = this.#receiver();
      return callOn(this.#environment, receiver, { $vigil: kind, name, argument } satisfies ServerMessage, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

function cleanOr(error: VigilError, reason: ExitReason): ExitReason {
  if (isAbnormal(reason)) throw error;
  return reason;
}

function isProcess(sender: Sender): sender is ProcessRef {
  return 'monitor' in sender && 'isAlive' in sender;
}

/**
 * An object that has every method: each is made when it is first asked for, and is an ordinary property from then on. The types know which
 * ones the server has.
 */
function methodsOnDemand(make: (name: string) => unknown): object {
  const maker = new Proxy(
    {},
    {
      get(_target, name, receiver: object) {
        // What is awaited is asked for `then`.
        if (typeof name === 'symbol' || name === 'then') return undefined;
        const method = make(name);
        Object.defineProperty(receiver, name, { value: method, enumerable: true });
        return method;
      },
    },
  );
  const methods: object = Object.create(maker);
  return methods;
}
