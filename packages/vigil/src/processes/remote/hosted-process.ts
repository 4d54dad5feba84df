import { checkFunction, crashed, failFast, invalidOption, type LocalInbox } from '../../core/index.js';
import type { ProcessBody } from '../process-context.js';
import type { ExitSignal, Monitor, ProcessHost, ProcessRef, ProcessSettings } from '../runner.js';
import { TaskProcess } from '../task/task-process.js';
import type { Home } from './home.js';
import { HostedInbox } from './hosted-inbox.js';
import type { MessageData } from './protocol.js';
import { RemoteRef } from './remote-ref.js';

const checkHandler = checkFunction<(signal: ExitSignal) => void>();

/** A body that runs as a task where it was put, and asks everything that goes beyond it of its runtime on the other side. */
export class HostedProcess extends TaskProcess {
  readonly #home: Home;
  readonly #hostedInbox: HostedInbox;
  readonly #self: RemoteRef;
  #exitHandler: ((signal: ExitSignal) => void) | undefined;

  constructor(body: ProcessBody, settings: ProcessSettings, self: RemoteRef, priorityQueues: boolean, host: ProcessHost, home: Home) {
    super(body, settings, self.incarnation, host);
    this.#home = home;
    this.#self = self;
    this.#hostedInbox = new HostedInbox(settings.id, priorityQueues, self, home);
    home.inbox = this.#hostedInbox;
  }

  override get self(): ProcessRef {
    return this.#self;
  }

  protected override makeInbox(): LocalInbox {
    return this.#hostedInbox;
  }

  /** What has begun says so before its body is entered: code that exits or loops at once could not say it afterwards. */
  override start(): void {
    if (this.settings.readiness === 'immediate') this.ready();
    super.start();
  }

  /** A message for its inbox has come over. */
  deliver(loan: number, message: MessageData): void {
    // Whoever is the first to ask for the inbox gets it as the process's state wants it: held, or not.
    void this.inbox;
    this.#hostedInbox.deliver(loan, message);
  }

  /** Nothing more will be delivered. Until then the buffer stays open after a stop request, since there may be more to come. */
  drained(): void {
    super.refuseMessages();
  }

  protected override refuseMessages(): void {}

  override register(name: string, value?: unknown): void {
    this.#checkAlive();
    this.#home.names.register(name, this.#self, value);
  }

  override unregister(name: string): boolean {
    return this.isAlive && this.#home.names.release(name, this.#self);
  }

  override monitor(target: ProcessRef | string): Monitor {
    if (typeof target === 'string') return this.#home.watch(target);
    if (target instanceof RemoteRef) return this.#home.watch(target.handle);
    return super.monitor(target);
  }

  override link(target: ProcessRef): void {
    if (!(target instanceof RemoteRef)) throw invalidOption('ref', 'a process ref', target);
    this.#checkAlive();
    this.#home.call('link', target.handle);
  }

  override unlink(target: ProcessRef): boolean {
    return target instanceof RemoteRef && this.#home.call('unlink', target.handle);
  }

  override trapExits(handler: (signal: ExitSignal) => void): void {
    this.#exitHandler = checkHandler('handler', handler);
    this.#home.call('trapExits');
  }

  /** A process that it is linked with has ended. */
  hearExit(signal: ExitSignal): void {
    try {
      this.#exitHandler?.(signal);
    } catch (error) {
      this.kill(crashed(error));
    }
  }

  #checkAlive(): void {
    if (!this.isAlive) throw failFast('ProcessNotFound', `process "${this.settings.id}" (incarnation ${this.incarnation}) has ended`);
  }
}
