import { crashed, type Environment, type ExitReason, MailboxSettings, VigilError } from '../../core/index.js';
import type { ProcessBody } from '../process-context.js';
import type { Process, ProcessHost } from '../runner.js';
import { dehydrate, dehydrateReason } from './data.js';
import { isAskedToStop } from './control.js';
import { Home, type ThreadHome } from './home.js';
import { HostedInbox } from './hosted-inbox.js';
import { HostedProcess } from './hosted-process.js';
import { HostedSharedInbox } from './hosted-shared-inbox.js';
import { joinArgs } from './passed-inboxes.js';
import { type ForHome, isForHome, type LinkHome, SELF, type StartOrder, type ToCode } from './protocol.js';

type ForProcess = Exclude<ToCode, ForHome>;

/** How the thread or process in which the code runs is left. */
export interface Exit {
  /** Called once, when everything that had to be said is posted. */
  leave(): void;
  /** Heap and buffers of this side. */
  memoryBytes(): number;
}

/**
 * Runs one process where the code is: takes what is said from the side of the supervisor, and says what becomes of the code.
 *
 *     waiting for `start` ──▶ importing the module ──▶ running ──▶ ended: says so and leaves
 */
export class CodeHost implements ProcessHost {
  readonly #home: Home;
  readonly #exit: Exit;
  /** What was said before the module was there. */
  readonly #pending: ForProcess[] = [];
  #path = '';
  #process: HostedProcess | undefined;
  /** Where its messages come to, unless they are in memory that is shared. */
  #buffer: HostedInbox | undefined;
  #hasEnded = false;

  constructor(link: LinkHome, exit: Exit, threadHome?: ThreadHome) {
    this.#exit = exit;
    this.#home = new Home(link, threadHome);
  }

  get environment(): Environment {
    return this.#home.environment;
  }

  get path(): string {
    return this.#path;
  }

  /** Takes the first order: which process this is. The module may have been on its way for a while. */
  async start(order: StartOrder, module: Promise<unknown>, href: string): Promise<void> {
    this.#path = order.supervisor;
    this.#home.messageIds = order.messageIds;
    this.#home.wanted(order.wantedEvents);
    try {
      const body = bodyOf(await module, href);
      // An error that nobody caught may have ended it meanwhile.
      if (this.#hasEnded) return;
      this.#process = this.#processOf(body, order);
    } catch (error) {
      this.#end(crashed(error));
      return;
    }
    // Not one by one with the start: what was said before it finds the code asked to stop, or suspended.
    for (const message of this.#pending.splice(0)) this.#take(message, this.#process);
    this.#process.start();
  }

  receive(message: ToCode): void {
    // The module may wait for an answer while it is imported.
    if (this.#hasEnded) return;
    if (isForHome(message)) this.#takeHome(message);
    else if (this.#process === undefined) this.#pending.push(message);
    else this.#take(message, this.#process);
  }

  /** Something failed that the body could not catch: an error that nobody awaited, a callback that threw. */
  fail(error: unknown): void {
    if (this.#process === undefined) this.#end(crashed(error));
    else this.#process.kill(crashed(error));
  }

  processReady(): void {
    this.#home.post({ is: 'ready' });
  }

  processIgnored(): void {
    this.#home.post({ is: 'ignored' });
  }

  processExited({ remains }: Process, reason: ExitReason): void {
    this.#end(reason, remains?.lastMessage);
  }

  processNotified(): void {}

  #end(reason: ExitReason, lastMessage?: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const last = lastMessage === undefined ? {} : { lastMessage: dehydrate(lastMessage) };
    this.#home.post({ is: 'ended', reason: dehydrateReason(reason), ...last });
    this.#exit.leave();
  }

  #processOf(body: ProcessBody, order: StartOrder): HostedProcess {
    const { id, incarnation, readiness, priorityQueues, kind, mail } = order;
    const args = joinArgs(order.args, order.inboxes, this.environment);
    const settings = {
      id,
      args,
      readiness,
      inbox: new MailboxSettings(),
      // What limits it is kept on the other side.
      healthCheckIntervalMs: Number.POSITIVE_INFINITY,
      maxMemoryBytes: undefined,
      maxBlockedMs: undefined,
      priority: 'normal',
    } as const;
    const inbox = mail?.isMeasuredHere === true ? undefined : mail?.inbox;
    const self = this.#home.refOf({ number: SELF, process: { id, incarnation, kind }, inbox });
    if (mail === undefined) {
      this.#buffer = new HostedInbox(id, priorityQueues, self, this.#home);
      return new HostedProcess(body, settings, self, this.#buffer, () => false, this, this.#home);
    }
    const shared = new HostedSharedInbox(mail, this.#home);
    this.#home.keepInbox(shared);
    return new HostedProcess(body, settings, self, shared, () => isAskedToStop(mail.control), this, this.#home);
  }

  #takeHome(message: ForHome): void {
    this.#home.heard += 1;
    switch (message.is) {
      case 'credit':
        return this.#home.credit(message.count);
      case 'answer':
        return this.#home.answer(message.call, message.answer);
      case 'reply':
        return this.#home.replied(message);
      case 'down':
        return this.#home.down(message);
      case 'freed':
        return this.#home.names.freed(message.name);
      case 'reply_box':
        return this.#home.keepBox(message);
      case 'wanted':
        return this.#home.wanted(message.bits);
      case 'look':
        return this.#home.post({ is: 'seen', number: message.number, seen: this.#home.lookout.look?.() });
    }
  }

  #take(message: ForProcess, process: HostedProcess): void {
    switch (message.is) {
      case 'start':
        throw new Error(`process "${process.settings.id}" is started a second time`);
      case 'stop':
        return process.stop();
      case 'suspend':
        return process.suspend();
      case 'resume':
        return process.resume();
      case 'deliver':
        return this.#buffer?.deliver(message.loan, message.message);
      case 'drained':
        return this.#buffer?.drained();
      case 'exit_signal':
        return process.hearExit(this.#home.exitSignalOf(message));
      case 'notify':
        return process.notify(message.signal);
      case 'ping':
        return this.#home.post({ is: 'pong', number: message.number, memoryBytes: this.#exit.memoryBytes() });
    }
  }
}

function bodyOf(module: unknown, href: string): ProcessBody {
  const body: unknown = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined;
  if (isBody(body)) return body;
  throw new VigilError('InvalidConfiguration', `module ${href} must have a process body as its default export, got ${typeof body}`);
}

function isBody(value: unknown): value is ProcessBody {
  return typeof value === 'function';
}
