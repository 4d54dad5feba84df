import { checkFunction, crashed, failFast, invalidOption, type ProcessInbox } from '../../core/index.js';
import type { ProcessBody } from '../process-context.js';
import type { ExitSignal, Monitor, ProcessHost, ProcessRef, ProcessSettings } from '../runner.js';
import { TaskProcess } from '../task/task-process.js';
import type { Home } from './home.js';
import { RemoteRef } from './remote-ref.js';

const checkHandler = checkFunction<(signal: ExitSignal) => void>();

/** A body that runs as a task where it was put, and asks everything that goes beyond it of its runtime on the other side. */
export class HostedProcess extends TaskProcess {
  readonly #home: Home;
  readonly #hostedInbox: ProcessInbox;
  readonly #isAskedToStop: () => boolean;
  readonly #self: RemoteRef;
  #exitHandler: ((signal: ExitSignal) => void) | undefined;

  /** @param isAskedToStop - whether it was, though it may not have been told yet. */
  constructor(
    body: ProcessBody,
    settings: ProcessSettings,
    self: RemoteRef,
    inbox: ProcessInbox,
    isAskedToStop: () => boolean,
    host: ProcessHost,
    home: Home,
  ) {
    super(body, settings, self.incarnation, host);
    this.#home = home;
    this.#self = self;
    this.#hostedInbox = inbox;
    this.#isAskedToStop = isAskedToStop;
    home.inbox = inbox;
    // Held and released from the first moment, though the code may never ask for it.
    void this.inbox;
    inbox.onClose(() => this.#hearOfStop());
  }

  override get self(): ProcessRef {
    return this.#self;
  }

  /** The other side knows it, and would have to be asked. */
  protected override get inboxDepth(): undefined {
    return undefined;
  }

  protected override makeInbox(): ProcessInbox {
    return this.#hostedInbox;
  }

  /** What has begun says so before its body is entered: code that exits or loops at once could not say it afterwards. */
  override start(): void {
    if (this.settings.readiness === 'immediate') this.ready();
    this.#hearOfStop();
    super.start();
  }

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

  /** An inbox that is closed because of a stop request is noticed before the request itself arrives. */
  #hearOfStop(): void {
    if (this.#isAskedToStop()) this.stop();
  }

  #checkAlive(): void {
    if (!this.isAlive) throw failFast('ProcessNotFound', `process "${this.settings.id}" (incarnation ${this.incarnation}) has ended`);
  }
}
