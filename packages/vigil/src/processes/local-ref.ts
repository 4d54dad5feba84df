import type { Cancel, Inbox, MailboxStats, Message, SendOptions, SendOutcome, SendWaitOptions, VigilError } from '../core/index.js';
import type { ProcessKind, ProcessRef } from './runner.js';

/** What a ref needs of its process. */
export interface Referent<TMessage> {
  readonly settings: { readonly id: string };
  readonly incarnation: number;
  readonly kind: ProcessKind;
  readonly isAlive: boolean;
  readonly inbox: Inbox<TMessage>;
  onExit(callback: () => void): Cancel;
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
    return this.#process.onExit(callback);
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
