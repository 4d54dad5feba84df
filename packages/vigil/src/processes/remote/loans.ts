import { type Clock, type LocalInbox, MESSAGE_PRIORITIES, type Message, type Outlet } from '../../core/index.js';
import { dehydrateMessage } from './message-data.js';
import { LOAN_WINDOW, type ToCode } from './protocol.js';

/** What loans need of the process that they are for. */
export interface Borrower {
  /** A payload as it will arrive there. @throws {VigilError} `InvalidMessage` when it cannot go there. */
  convert(payload: unknown): unknown;
  post(message: ToCode): void;
}

/**
 * Lends the messages of an inbox here to code with which it has no memory in common.
 *
 * A loan window for each priority keeps an urgent message from waiting behind a full buffer, and a slow receiver from making memory grow on
 * the way.
 */
export class Loans implements Outlet {
  readonly #borrower: Borrower;
  readonly #clock: Clock;
  readonly #loans = new Map<number, Message>();
  /** How many more messages of each rank may be lent. */
  readonly #windows: number[] = MESSAGE_PRIORITIES.map(() => LOAN_WINDOW);
  #inbox: LocalInbox | undefined;
  #isOpen = false;
  #lastLoan = 0;

  constructor(borrower: Borrower, clock: Clock) {
    this.#borrower = borrower;
    this.#clock = clock;
  }

  /** From now on the messages of `inbox` are lent. */
  open(inbox: LocalInbox): void {
    this.#inbox = inbox;
    this.#isOpen = true;
    this.arrived();
  }

  /** Nobody is left to borrow. */
  close(): void {
    this.#isOpen = false;
  }

  convert(payload: unknown): unknown {
    return this.#borrower.convert(payload);
  }

  /** Lends what may be lent. */
  arrived(): void {
    const inbox = this.#inbox;
    if (inbox === undefined || !this.#isOpen) return;
    const isWide = (rank: number) => (this.#windows[rank] ?? 0) > 0;
    for (let message = inbox.lend(isWide); message !== undefined; message = inbox.lend(isWide)) {
      this.#lastLoan += 1;
      this.#loans.set(this.#lastLoan, message);
      this.#moveWindow(inbox, message, -1);
      this.#borrower.post({ is: 'deliver', loan: this.#lastLoan, message: dehydrateMessage(message, this.#clock) });
    }
    if (!inbox.isDrained()) return;
    this.close();
    this.#borrower.post({ is: 'drained' });
  }

  settle(loan: number, outcome: 'received' | 'expired'): void {
    const [inbox, message] = [this.#inbox, this.#loans.get(loan)];
    if (inbox === undefined || message === undefined) return;
    this.#loans.delete(loan);
    this.#moveWindow(inbox, message, 1);
    inbox.settle(message, outcome);
    this.arrived();
  }

  #moveWindow(inbox: LocalInbox, message: Message, by: 1 | -1): void {
    const rank = inbox.rankOf(message);
    this.#windows[rank] = (this.#windows[rank] ?? 0) + by;
  }
}
