import {
  checkDuration,
  checkFunction,
  checkMethods,
  type Clock,
  invalidOption,
  isVigilError,
  type Message,
  type Sender,
  type SendOptions,
  type SendOutcome,
  type SendWaitOptions,
} from '../core/index.js';

/** What becomes of one message on its way; `undefined` for nothing unusual. */
export type Fault = 'drop' | 'duplicate' | { readonly delayMs: number } | undefined;

const checkPlan = checkFunction<(number: number) => Fault>();

/**
 * A way to an inbox on which messages get lost, come twice, come late, and so overtake each other. Its senders notice nothing of it.
 *
 * @example
 * // Every third message is lost, every fourth is late.
 * const link = context.faultySender(inbox, (number) => (number % 3 === 0 ? 'drop' : number % 4 === 0 ? { delayMs: 20 } : undefined));
 */
export class FaultySender<T = unknown> implements Sender<T> {
  readonly #target: Sender<T>;
  readonly #plan: (number: number) => Fault;
  readonly #clock: Clock;
  #count = 0;

  /** @param plan - says what becomes of the first, the second … message. */
  constructor(target: Sender<T>, plan: (number: number) => Fault, clock: Clock) {
    this.#target = checkMethods('target', target, ['send', 'sendMessage', 'sendWait']);
    this.#plan = checkPlan('plan', plan);
    this.#clock = clock;
  }

  send(payload: T, options?: SendOptions): SendOutcome {
    return this.#pass(() => this.#target.send(payload, options));
  }

  sendMessage(message: Message<T>): SendOutcome {
    return this.#pass(() => this.#target.sendMessage(message));
  }

  async sendWait(payload: T, options?: SendWaitOptions): Promise<SendOutcome> {
    const fault = this.#next();
    if (fault === 'drop') return 'queued';
    if (typeof fault === 'object') await new Promise<void>((resolve) => this.#clock.after(fault.delayMs, resolve));
    const outcome = await this.#target.sendWait(payload, options);
    return fault === 'duplicate' ? this.#target.sendWait(payload, options) : outcome;
  }

  #pass(send: () => SendOutcome): SendOutcome {
    const fault = this.#next();
    if (fault === 'drop') return 'queued';
    if (typeof fault === 'object') {
      this.#clock.after(fault.delayMs, () => lose(send));
      return 'queued';
    }
    const outcome = send();
    return fault === 'duplicate' ? send() : outcome;
  }

  #next(): Fault {
    this.#count += 1;
    const fault = this.#plan(this.#count);
    if (fault === undefined || fault === 'drop' || fault === 'duplicate') return fault;
    if (typeof fault !== 'object') throw invalidOption('fault', "'drop', 'duplicate', a delay or undefined", fault);
    checkDuration('delayMs', fault.delayMs);
    return fault;
  }
}

/** Nobody is left who could be told that a late message was refused. */
function lose(send: () => SendOutcome): void {
  try {
    send();
  } catch (error) {
    if (!isVigilError(error)) throw error;
  }
}
