import { failFast, type Message, mailboxAccess, VigilError } from '../core/index.js';
import { environmentOf, type ProcessContext, type ProcessRef } from '../processes/index.js';
import { receiverOf, reply, request, type RequestOptions, type Target } from './request.js';
import { makeHandle, type ServerHandle } from './server-handle.js';

/** One who waits for the reply to a call. */
export class Caller<R = unknown> {
  readonly #answer: (reply: R) => boolean;

  constructor(answer: (reply: R) => boolean) {
    this.#answer = answer;
  }

  /** Replies, at any time; false when nobody waits any more. @throws {VigilError} `InvalidMessage` when it cannot go where the caller is. */
  reply(value: R): boolean {
    return this.#answer(value);
  }
}

/** What the handlers of a server get beside their message and state. */
export class ServerContext {
  /** The process that the server is. */
  readonly process: ProcessContext;
  #current: Message | undefined;

  constructor(process: ProcessContext) {
    this.process = process;
  }

  get self(): ProcessRef {
    return this.process.self;
  }

  /** @internal The message that is being handled. */
  set current(message: Message | undefined) {
    this.#current = message;
  }

  /**
   * Who waits for the reply to the call that is being handled: to reply later, after `result.noReply(state)`, or before the handler is done.
   *
   * @throws {VigilError} `InvalidState` outside the handler of a call.
   */
  caller<R = unknown>(): Caller<R> {
    const message = this.#current;
    if (message === undefined) throw new VigilError('InvalidState', 'only the handler of a call has a caller');
    const port = mailboxAccess.portOf(message);
    if (port !== undefined) return new Caller((value) => port.reply(value));
    const environment = environmentOf(this.process);
    return new Caller((value) => {
      reply(environment, message, value);
      return true;
    });
  }

  /** `vigil.request` that recognises a request of the server to itself, which it could never answer: `InvalidState` at once. */
  async request<TReply = unknown>(target: Target, payload: unknown, options?: RequestOptions): Promise<TReply> {
    return request<TReply>(environmentOf(this.process), this.#other(target), payload, options);
  }

  /** `vigil.serverOf` that recognises a call of the server to itself. */
  serverOf<M>(target: Target): ServerHandle<M> {
    const environment = environmentOf(this.process);
    return makeHandle<M>(environment, () => this.#other(receiverOf(environment, target)));
  }

  #other(target: Target): Exclude<Target, string> {
    const receiver = receiverOf(environmentOf(this.process), target);
    if (receiver !== this.process.self) return receiver;
    throw failFast('InvalidState', `server "${this.process.id}" waits for itself`, { details: { reason: 'calling_self' } });
  }
}
