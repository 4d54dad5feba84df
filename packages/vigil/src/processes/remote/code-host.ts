import { crashed, type Environment, type ExitReason, type HostThread, MailboxSettings, VigilError } from '../../core/index.js';
import type { ProcessBody } from '../process-context.js';
import type { Process, ProcessHost } from '../runner.js';
import { dehydrateReason } from './data.js';
import { Home } from './home.js';
import { HostedProcess } from './hosted-process.js';
import { joinArgs } from './passed-inboxes.js';
import { type LinkHome, SELF, type StartOrder, type ToCode } from './protocol.js';

/** What is said to whoever runs here, whether the module is there or not. */
type ForHome = Extract<ToCode, { is: 'credit' | 'answer' | 'reply' | 'down' | 'freed' }>;

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
  #hasEnded = false;

  constructor(link: LinkHome, exit: Exit, thread?: HostThread) {
    this.#exit = exit;
    this.#home = new Home(link, thread);
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
    this.#home.tellsStateChanges = order.tellsStateChanges;
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
    if (this.#hasEnded || this.#takeHome(message)) return;
    if (this.#process === undefined) this.#pending.push(message);
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

  processExited(_process: Process, reason: ExitReason): void {
    this.#end(reason);
  }

  processNotified(): void {}

  #end(reason: ExitReason): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#home.post({ is: 'ended', reason: dehydrateReason(reason) });
    this.#exit.leave();
  }

  #processOf(body: ProcessBody, order: StartOrder): HostedProcess {
    const { id, incarnation, readiness, priorityQueues, kind } = order;
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
    return new HostedProcess(
      body,
      settings,
      this.#home.refOf({ number: SELF, process: { id, incarnation, kind } }),
      priorityQueues,
      this,
      this.#home,
    );
  }

  /** Takes what is not for the process; false when it is. */
  #takeHome(message: ToCode): message is ForHome {
    switch (message.is) {
      case 'credit':
        this.#home.credit(message.count);
        return true;
      case 'answer':
        this.#home.answer(message.call, message.answer);
        return true;
      case 'reply':
        this.#home.replied(message);
        return true;
      case 'down':
        this.#home.down(message);
        return true;
      case 'freed':
        this.#home.names.freed(message.name);
        return true;
      case 'start':
      case 'stop':
      case 'suspend':
      case 'resume':
      case 'deliver':
      case 'drained':
      case 'exit_signal':
      case 'notify':
      case 'ping':
        return false;
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
        return process.deliver(message.loan, message.message);
      case 'drained':
        return process.drained();
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
