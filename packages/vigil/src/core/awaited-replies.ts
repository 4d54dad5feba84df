import type { Clock } from './clock.js';
import type { Message } from './message.js';
import { type Waiter, WaitingLine } from './waiting-line.js';

/** Correlation ids of those who gave up that are remembered; the oldest is forgotten first. */
const MOST_FORGONE = 1000;

/** Who waits for which reply in an inbox, and for which ones nobody waits any more. */
export class AwaitedReplies<T> {
  late = 0;
  readonly #clock: Clock;
  readonly #waiters = new Map<string, WaitingLine<Message<T>>>();
  readonly #forgone = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether no message could be meant. */
  get isIdle(): boolean {
    return this.#waiters.size === 0 && this.#forgone.size === 0;
  }

  /** Whether anybody waits. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0;
  }

  async await(correlationId: string, timeoutMs: number): Promise<Message<T> | undefined> {
    this.#forgone.delete(correlationId);
    const line = this.#waiters.get(correlationId) ?? new WaitingLine<Message<T>>(this.#clock);
    this.#waiters.set(correlationId, line);
    return line.join<undefined>(undefined, {
      timeoutMs,
      timedOut: () => {
        if (line.size === 0) {
          this.#waiters.delete(correlationId);
          this.forgo(correlationId);
        }
        return undefined;
      },
    });
  }

  /** Its reply, should it come, is late. */
  forgo(correlationId: string): void {
    this.#forgone.add(correlationId);
    const [oldest] = this.#forgone;
    if (this.#forgone.size > MOST_FORGONE && oldest !== undefined) this.#forgone.delete(oldest);
  }

  isMeant(correlationId: string | undefined): boolean {
    return correlationId !== undefined && (this.#waiters.has(correlationId) || this.#forgone.has(correlationId));
  }

  /** Who waits for a message that is meant; `undefined` when it is late. */
  takeWaiter(message: Message<T>): Waiter<Message<T>, undefined> | undefined {
    const correlationId = message.metadata.correlationId ?? '';
    const line = this.#waiters.get(correlationId);
    const waiter = line?.shift();
    if (line?.size === 0) this.#waiters.delete(correlationId);
    if (waiter !== undefined) return waiter;
    this.#forgone.delete(correlationId);
    this.late += 1;
    return undefined;
  }

  rejectAll(makeError: () => unknown): void {
    const lines = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const line of lines) line.rejectAll(makeError);
  }
}
