import {
  crashed,
  describeExit,
  type Environment,
  type ExitReason,
  failFast,
  type Inbox,
  isAbnormal,
  isVigilError,
  type Message,
  mailboxAccess,
  NORMAL,
  ProcessExit,
  type ProcessFacts,
  SHUTDOWN,
  type TracedWork,
  VigilError,
} from '../core/index.js';
import { environmentOf, type ProcessContext, supervisorOf } from '../processes/index.js';
import type { AnyServer, Handler } from './server-definition.js';
import { reply } from './request.js';
import { ServerContext } from './server-context.js';
import { isExitReason, isServerMessage, type ServerMessage } from './server-message.js';
import { IGNORED, ServerResult, type Then } from './server-result.js';

type Handlers = ReadonlyMap<string, Handler>;

/** The body of a process that is a server. */
export function serve(context: ProcessContext, server: AnyServer, calls: Handlers, casts: Handlers): Promise<void> {
  return new ServerLoop(server, calls, casts, context).run();
}

/**
 * Takes one message after the other, and what its handlers return.
 *
 *     name, init ──▶ (continue …) ──▶ message or idle ──▶ handler ──▶ (continue …) ──▶ next message …
 *                        │                                   │
 *                        └── stop, throw, asked to stop ─────┴──▶ terminate, once ──▶ reply of a stop ──▶ end
 *
 * Invariant: nothing of a handler counts once the process was killed.
 */
class ServerLoop {
  readonly #definition: AnyServer;
  readonly #calls: Handlers;
  readonly #casts: Handlers;
  readonly #context: ProcessContext;
  readonly #environment: Environment;
  readonly #server: ServerContext;
  readonly #facts: ProcessFacts;
  #state: unknown;
  #then: Then | undefined;
  #current: Message | undefined;
  #isAsked = false;
  #end: { readonly reason: ExitReason; readonly tell: (() => void) | undefined } | undefined;

  constructor(definition: AnyServer, calls: Handlers, casts: Handlers, context: ProcessContext) {
    this.#definition = definition;
    this.#calls = calls;
    this.#casts = casts;
    this.#context = context;
    this.#environment = environmentOf(context);
    this.#server = new ServerContext(context);
    this.#facts = { id: context.id, incarnation: context.incarnation, supervisor: supervisorOf(context) };
  }

  async run(): Promise<void> {
    void this.#notice(this.#context.stopped);
    if (!(await this.#init())) return;
    const { telemetry } = this.#environment;
    if (telemetry.wants('genserver_started')) telemetry.report('genserver_started', this.#facts);
    let reason: ExitReason;
    try {
      reason = await this.#serve();
    } catch (error) {
      reason = this.#reasonOf(error);
    }
    if (!this.#isKilled()) await this.#terminate(reason);
  }

  async #notice(stopped: Promise<void>): Promise<void> {
    await stopped;
    this.#isAsked = true;
  }

  /** Whether it has started. */
  async #init(): Promise<boolean> {
    const { name, init } = this.#definition;
    const { args } = this.#context;
    if (name !== undefined) this.#context.register(typeof name === 'function' ? name(args) : name);
    const first = await init(args, this.#server);
    if (this.#isKilled()) return false;
    if (first === IGNORED) {
      this.#context.ignore();
      return false;
    }
    this.#state = first instanceof ServerResult ? first.state : first;
    if (first instanceof ServerResult) this.#take(first);
    this.#context.ready();
    return true;
  }

  async #serve(): Promise<ExitReason> {
    const { inbox } = this.#context;
    for (;;) {
      if (this.#then !== undefined) await this.#continue();
      const end = this.#end;
      if (end !== undefined) return end.reason;
      let message: Message | undefined;
      try {
        message = inbox.tryRecv() ?? (await this.#wait(inbox));
      } catch (error) {
        // Its inbox closes when it is asked to stop, and is given out to the last message.
        if (isVigilError(error, 'InboxClosed')) return SHUTDOWN;
        throw error;
      }
      this.#current = message;
      const handled = message === undefined ? this.#idle() : this.#handle(message);
      if (handled !== undefined) await handled;
      this.#current = this.#end === undefined ? undefined : message;
    }
  }

  #wait(inbox: Inbox): Promise<Message | undefined> {
    const idleMs = this.#then?.idleMs;
    this.#then = undefined;
    return idleMs === undefined ? inbox.recv() : inbox.recvTimeout(idleMs);
  }

  /** Until a result asks for nothing more before the next message. */
  async #continue(): Promise<void> {
    while (this.#then !== undefined && 'continue' in this.#then && this.#end === undefined) {
      const what = this.#then.continue;
      this.#then = undefined;
      const handler = this.#definition.continue;
      if (handler === undefined) throw new VigilError('InvalidState', `server "${this.#context.id}" has no handler named continue`);
      await this.#settle(handler(what, this.#state, this.#server));
    }
  }

  #idle(): void | Promise<void> {
    const handler = this.#definition.idle;
    if (handler !== undefined) return this.#settle(handler(this.#state, this.#server));
  }

  #handle(message: Message): void | Promise<void> {
    const tracer = this.#environment.tracing?.tracer;
    const work = tracer && this.#workOn(message);
    if (tracer === undefined || work === undefined) return this.#dispatch(message);
    return tracer.handle(work, message, () => this.#dispatch(message));
  }

  /** Nothing of what Vigil itself asks. */
  #workOn({ payload }: Message): TracedWork | undefined {
    const { id, incarnation } = this.#context;
    const facts = { id, incarnation, supervisor: supervisorOf(this.#context) };
    if (!isServerMessage(payload)) return { ...facts, kind: 'info', name: undefined };
    return payload.$vigil === 'system' ? undefined : { ...facts, kind: payload.$vigil, name: payload.name };
  }

  #dispatch(message: Message): void | Promise<void> {
    this.#then = undefined;
    const { payload } = message;
    if (!isServerMessage(payload)) return this.#info(message);
    switch (payload.$vigil) {
      case 'call':
        return this.#call(message, payload);
      case 'cast': {
        const handler = this.#casts.get(payload.name);
        if (handler === undefined) return this.#environment.log.warn(`server "${this.#context.id}" has no cast "${payload.name}"`);
        return this.#settle(handler(payload.argument, this.#state, this.#server));
      }
      case 'system':
        return this.#system(message, payload);
    }
  }

  #call(message: Message, { name, argument }: ServerMessage): void | Promise<void> {
    const handler = this.#calls.get(name);
    if (handler === undefined) {
      mailboxAccess.portOf(message)?.fail(failFast('InvalidMessage', `server "${this.#context.id}" has no call "${name}"`));
      return;
    }
    this.#server.current = message;
    const answered = handler(argument, this.#state, this.#server);
    if (isPromise(answered)) return this.#answerLater(message, name, answered);
    this.#server.current = undefined;
    this.#answer(message, name, answered);
  }

  async #answerLater(message: Message, name: string, answered: PromiseLike<unknown>): Promise<void> {
    const now = await answered;
    this.#server.current = undefined;
    this.#answer(message, name, now);
  }

  #answer(message: Message, name: string, answered: unknown): void {
    if (this.#isKilled()) return;
    if (answered instanceof ServerResult) {
      const { answer } = answered;
      if (answered.stopReason !== undefined) this.#take(answered, answer && (() => this.#reply(message, answer.reply)));
      else {
        this.#take(answered);
        if (answer !== undefined) this.#reply(message, answer.reply);
      }
    } else if (isAnswer(answered)) {
      this.#become(answered.state);
      this.#reply(message, answered.reply);
    } else {
      throw new VigilError('InvalidState', `call "${name}" of server "${this.#context.id}" must return { reply, state } or a result`);
    }
  }

  #reply(message: Message, value: unknown): void {
    const port = mailboxAccess.portOf(message);
    if (port === undefined) {
      reply(this.#environment, message, value);
      return;
    }
    try {
      port.reply(value);
    } catch (error) {
      // It cannot be cloned: the caller hears of it, and the server is none the worse.
      port.fail(error);
    }
  }

  #info(message: Message): void | Promise<void> {
    const handler = this.#definition.info;
    if (handler !== undefined) return this.#settle(handler(message.payload, this.#state, this.#server, message));
    this.#environment.log.warn(`server "${this.#context.id}" got a message and has no handler named info`, { messageId: message.id });
  }

  async #system(message: Message, { name, argument }: ServerMessage): Promise<void> {
    switch (name) {
      case 'get_state':
        return this.#reply(message, this.#state);
      case 'replace_state':
        try {
          if (typeof argument === 'function') this.#become(await argument(this.#state));
        } catch (error) {
          mailboxAccess.portOf(message)?.fail(error);
          return;
        }
        return this.#reply(message, this.#state);
      case 'stop':
        this.#take(new ServerResult(this.#state, undefined, undefined, isExitReason(argument) ? argument : NORMAL));
    }
  }

  /** Takes what a handler returned, now or later. */
  #settle(handled: unknown): void | Promise<void> {
    if (isPromise(handled)) return this.#settleLater(handled);
    this.#takeAny(handled);
  }

  async #settleLater(handled: PromiseLike<unknown>): Promise<void> {
    const now = await handled;
    if (!this.#isKilled()) this.#takeAny(now);
  }

  #takeAny(handled: unknown): void {
    if (handled instanceof ServerResult) this.#take(handled);
    else this.#become(handled);
  }

  /** @param tell - what is said to the caller of a stop, when the server has terminated. */
  #take({ state, next, stopReason }: ServerResult<unknown, unknown>, tell?: () => void): void {
    this.#become(state);
    this.#then = next;
    if (stopReason !== undefined) this.#end = { reason: stopReason, tell };
  }

  #become(state: unknown): void {
    if (Object.is(state, this.#state)) return;
    this.#state = state;
    const { telemetry } = this.#environment;
    if (telemetry.wants('genserver_state_changed')) telemetry.report('genserver_state_changed', this.#facts);
  }

  async #terminate(asked: ExitReason): Promise<void> {
    let reason = asked;
    try {
      await this.#definition.terminate?.(reason, this.#state, this.#server);
    } catch (error) {
      reason = this.#reasonOf(error);
    }
    this.#end?.tell?.();
    if (this.#isKilled()) return;
    if (isAbnormal(reason)) this.#reportCrash(reason);
    const { telemetry } = this.#environment;
    if (telemetry.wants('genserver_stopped')) telemetry.report('genserver_stopped', { ...this.#facts, reason });
    endWith(reason);
  }

  #reportCrash(reason: ExitReason): void {
    let facts: unknown = { lastMessage: this.#current?.payload, state: this.#state };
    try {
      const { redact } = this.#definition;
      if (redact !== undefined) facts = redact({ lastMessage: this.#current?.payload, state: this.#state });
    } catch (error) {
      facts = { redactFailed: error };
    }
    this.#environment.log.error(`server "${this.#context.id}" (incarnation ${this.#context.incarnation}) ${describeExit(reason)}`, {
      reason,
      ...(typeof facts === 'object' ? facts : { facts }),
    });
  }

  #reasonOf(error: unknown): ExitReason {
    if (error instanceof ProcessExit) return error.reason;
    const answersStop = isVigilError(error, 'InboxClosed') || (error instanceof Error && error.name === 'AbortError');
    return this.#isAsked && answersStop ? SHUTDOWN : crashed(error);
  }

  /** Only who was asked to stop, or killed, can have been killed: to ask the process costs a question to another thread. */
  #isKilled(): boolean {
    return this.#isAsked && !this.#context.self.isAlive();
  }
}

/** Ends the body of the process with a reason. */
function endWith(reason: ExitReason): void {
  switch (reason.kind) {
    case 'normal':
      throw new ProcessExit('normal');
    case 'shutdown':
      throw new ProcessExit('shutdown', reason.info);
    case 'crashed':
      throw reason.error;
    case 'killed':
      throw new VigilError('AbnormalExit', 'the server was told to stop as if it were killed');
  }
}

function isAnswer(value: unknown): value is { readonly reply: unknown; readonly state: unknown } {
  return typeof value === 'object' && value !== null && 'reply' in value && 'state' in value;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
