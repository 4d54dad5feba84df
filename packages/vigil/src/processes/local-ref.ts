import type {
  Cancel,
  ExitReason,
  Inbox,
  MailboxStats,
  Message,
  SendOptions,
  SendOutcome,
  SendWaitOptions,
  SharedInboxData,
  VigilError,
} from '../core/index.js';
import type { Down, ExitSignal, Monitor, ProcessKind, ProcessRef } from './runner.js';

/** An exit signal on its way. */
export interface Delivery {
  readonly to: Pick<LocalRef, 'exitSignal'>;
  readonly signal: ExitSignal;
}

/** An inbox in shared memory, as threads are given it. */
export interface LentInbox {
  readonly isClosed: boolean;
  /** `undefined` when only this side can send to it. */
  readonly data: SharedInboxData | undefined;
  /** A thread that had it is gone. */
  bury(threadId: number): void;
  /** What was sent there as a parcel has been taken out. */
  parcelTaken(parcel: number): void;
}

/** What a ref needs of its process. */
export interface Referent<TMessage> {
  readonly settings: { readonly id: string };
  readonly incarnation: number;
  readonly kind: ProcessKind;
  readonly isAlive: boolean;
  readonly inbox: Inbox<TMessage>;
  /** Of a process whose inbox threads can be given. */
  readonly lentInbox?: LentInbox | undefined;
  /** Calls back when the process ends; `undefined` when it has. */
  onExit(callback: (reason: ExitReason) => void): Cancel | undefined;
  /** Takes part in a link; false when the process has ended. */
  addLink(other: LocalRef): boolean;
  removeLink(other: LocalRef): boolean;
  /** Hears of the end of a process that it is linked with, and leaves it to the caller to tell those to whom it goes `onward`. */
  exitSignal(signal: ExitSignal, onward: Delivery[]): void;
  /** The refusal of a send after the end. */
  notFound(): VigilError;
}

/** The half of a process that others get. */
export class LocalRef<TMessage = unknown> implements ProcessRef<TMessage> {
  readonly #process: Referent<TMessage>;

  constructor(process: Referent<TMessage>) {
    this.#process = process;
  }

  get id(): string {
    return this.#process.settings.id;
  }

  get incarnation(): number {
    return this.#process.incarnation;
  }

  get kind(): ProcessKind {
    return this.#process.kind;
  }

  isAlive(): boolean {
    return this.#process.isAlive;
  }

  isClosed(): boolean {
    return !this.#process.isAlive;
  }

  onClose(callback: () => void): Cancel {
    return this.#process.onExit(callback) ?? (() => false);
  }

  monitor(): Monitor {
    let cancel: Cancel | undefined;
    const down = new Promise<Down>((resolve) => {
      const tell = (reason: Down['reason']) => resolve({ id: this.id, ref: this, reason });
      cancel = this.#process.onExit(tell);
      if (cancel === undefined) tell({ kind: 'noproc' });
    });
    return { down, demonitor: () => cancel?.() ?? false };
  }

  /** @internal */
  get lentInbox(): LentInbox | undefined {
    return this.#process.lentInbox;
  }

  /** @internal */
  addLink(other: LocalRef): boolean {
    return this.#process.addLink(other);
  }

  /** @internal */
  removeLink(other: LocalRef): boolean {
    return this.#process.removeLink(other);
  }

  /** @internal */
  exitSignal(signal: ExitSignal, onward: Delivery[]): void {
    this.#process.exitSignal(signal, onward);
  }

  stats(): MailboxStats {
    return this.#process.inbox.stats();
  }

  send(payload: TMessage, options?: SendOptions): SendOutcome {
    return this.#receiver().inbox.send(payload, options);
  }

  sendMessage(message: Message<TMessage>): SendOutcome {
    return this.#receiver().inbox.sendMessage(message);
  }

  async sendWait(payload: TMessage, options?: SendWaitOptions): Promise<SendOutcome> {
    return this.#receiver().inbox.sendWait(payload, options);
  }

  toString(): string {
    return `<${this.id}#${this.incarnation}>`;
  }

  #receiver(): Referent<TMessage> {
    if (!this.#process.isAlive) throw this.#process.notFound();
    return this.#process;
  }
}
