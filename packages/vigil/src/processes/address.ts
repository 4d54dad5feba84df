import type { Message, Sender, SendOptions, SendOutcome, SendWaitOptions } from '../core/index.js';

/** A sender that looks up its receiver at each send, and so reaches the successor of a process that was restarted. */
export class Address<T = unknown> implements Sender<T> {
  readonly #resolve: () => Sender<T>;

  /** @param resolve - finds the receiver, or throws the `VigilError` that says why there is none. */
  constructor(resolve: () => Sender<T>) {
    this.#resolve = resolve;
  }

  /** @internal Who would receive what is sent now. */
  resolve(): Sender<T> {
    return this.#resolve();
  }

  send(payload: T, options?: SendOptions): SendOutcome {
    return this.#resolve().send(payload, options);
  }

  sendMessage(message: Message<T>): SendOutcome {
    return this.#resolve().sendMessage(message);
  }

  async sendWait(payload: T, options?: SendWaitOptions): Promise<SendOutcome> {
    return this.#resolve().sendWait(payload, options);
  }
}
