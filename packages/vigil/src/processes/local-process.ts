import { type Cancel, CloseCallbacks, type ExitReason, failFast, type Inbox, LocalInbox, type VigilError } from '../core/index.js';
import { LocalRef } from './local-ref.js';
import type { Process, ProcessHost, ProcessKind, ProcessSettings } from './runner.js';

/**
 * What every process has on the side of its supervisor: identity, inbox, names, and one end.
 *
 * Inbox and ref are made when somebody asks for them, since many processes never need them.
 */
export abstract class LocalProcess<TMessage = unknown, TArgs = unknown> implements Process {
  readonly settings: ProcessSettings<TArgs>;
  readonly incarnation: number;
  readonly host: ProcessHost;
  #isEnded = false;
  #takesMessages = true;
  #exitCallbacks: CloseCallbacks | undefined;
  #inbox: LocalInbox<TMessage> | undefined;
  #ref: LocalRef<TMessage> | undefined;

  constructor(settings: ProcessSettings<TArgs>, incarnation: number, host: ProcessHost) {
    this.settings = settings;
    this.incarnation = incarnation;
    this.host = host;
  }

  abstract get kind(): ProcessKind;
  abstract start(): void;
  abstract stop(): void;
  abstract kill(reason?: ExitReason): void;

  get isAlive(): boolean {
    return !this.#isEnded;
  }

  get ref(): LocalRef<TMessage> {
    this.#ref ??= new LocalRef(this);
    return this.#ref;
  }

  get inbox(): Inbox<TMessage> {
    if (this.#inbox === undefined) {
      this.#inbox = new LocalInbox<TMessage>(this.settings.id, this.settings.inbox, this.host.environment);
      if (!this.#takesMessages) this.#inbox.close();
    }
    return this.#inbox;
  }

  /** Calls back when the process ends, before its host hears of it. */
  onExit(callback: () => void): Cancel {
    if (this.#isEnded) return () => false;
    this.#exitCallbacks ??= new CloseCallbacks();
    return this.#exitCallbacks.add(callback);
  }

  register(name: string): void {
    if (this.#isEnded) throw this.notFound();
    this.host.environment.names.register(name, this.ref);
  }

  unregister(name: string): boolean {
    return this.host.environment.names.release(name, this.ref);
  }

  notFound(): VigilError {
    return failFast('ProcessNotFound', `process "${this.settings.id}" (incarnation ${this.incarnation}) has ended`);
  }

  /** From now on nothing more comes in. */
  protected refuseMessages(): void {
    this.#takesMessages = false;
    this.#inbox?.close();
  }

  /** Records the end; later ones change nothing. `release` runs when inbox and names are gone and nobody has heard of it yet. */
  protected end(reason: ExitReason, release?: () => void): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#takesMessages = false;
    this.#inbox?.end(this.host.environment.deadLetters);
    this.#exitCallbacks?.callAll(`process "${this.settings.id}" (incarnation ${this.incarnation})`, this.host.environment.log);
    release?.();
    this.host.processExited(this, reason);
  }
}
