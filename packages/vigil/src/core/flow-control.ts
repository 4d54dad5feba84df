import type { Clock } from './clock.js';
import type { VigilError } from './errors.js';
import {
  adaptiveDelayMs,
  type Backpressure,
  type FlowEvent,
  type FlowSettings,
  type FlowStats,
  isBlocking,
  type RateLimit,
} from './flow-settings.js';
import type { SendOutcome } from './sender.js';
import { type BucketSize, type FullAtMs, msUntilTokens, takeTokens } from './token-bucket.js';
import { WaitingLine } from './waiting-line.js';

/** How a send may wait. */
export interface TurnOptions {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
}

/** Where the figures of a flow control are kept: with the inbox, or in the memory that all its threads share. */
export interface FlowBooks {
  readonly fullAtMs: FullAtMs;
  /** Changes the state of the bucket, unless it is not what was seen. */
  replaceFullAt(seenMs: FullAtMs, nextMs: FullAtMs): boolean;
  count(event: FlowEvent): void;
  total(event: FlowEvent): number;
}

/** The books of an inbox that only one event loop uses. */
export class LocalFlowBooks implements FlowBooks {
  fullAtMs: FullAtMs = Number.NEGATIVE_INFINITY;
  readonly #totals = { throttled: 0, dropped: 0, blocked: 0, delayed: 0 };

  replaceFullAt(_seenMs: FullAtMs, nextMs: FullAtMs): boolean {
    this.fullAtMs = nextMs;
    return true;
  }

  count(event: FlowEvent): void {
    this.#totals[event] += 1;
  }

  total(event: FlowEvent): number {
    return this.#totals[event];
  }
}

/** What an inbox does for its flow control. */
export interface FlowHost {
  /** The time by which its bucket fills, in milliseconds. */
  now(): number;
  /** Counts a send that is refused and makes the error that tells its sender. */
  refusal(code: 'RateLimitExceeded' | 'DeliveryTimeout', text: string): VigilError;
}

/**
 * Holds the senders of one side of an inbox back: by its rate limit, and between its watermarks.
 *
 * A send that waits takes its token at once, though it may be one that comes later, and gives it back when it comes to nothing: so its turn is
 * known, and is before that of all who come after it.
 */
export class FlowControl {
  readonly backpressure: Backpressure | undefined;
  readonly #name: string;
  readonly #rateLimit: RateLimit | undefined;
  readonly #bucket: BucketSize | undefined;
  readonly #books: FlowBooks;
  readonly #host: FlowHost;
  readonly #delayed: WaitingLine<void>;
  #lastTurnMs = Number.NEGATIVE_INFINITY;

  constructor(name: string, { backpressure, rateLimit }: FlowSettings, books: FlowBooks, clock: Clock, host: FlowHost) {
    this.backpressure = backpressure;
    this.#name = name;
    this.#rateLimit = rateLimit;
    this.#bucket = rateLimit && { perMs: rateLimit.maxPerSecond / 1000, burst: rateLimit.burst };
    this.#books = books;
    this.#host = host;
    this.#delayed = new WaitingLine(clock);
  }

  /** Senders that are delayed now. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** Whether who waits for room waits for the low watermark. */
  get isBlocking(): boolean {
    return this.backpressure !== undefined && isBlocking(this.backpressure.strategy);
  }

  stats(): FlowStats {
    const total = (event: FlowEvent) => this.#books.total(event);
    return { throttled: total('throttled'), dropped: total('dropped'), blocked: total('blocked'), delayed: total('delayed') };
  }

  count(event: FlowEvent): void {
    this.#books.count(event);
  }

  /** Sends within the rate limit; what does not come in takes no token. @throws {VigilError} `RateLimitExceeded`. */
  send(post: () => SendOutcome): SendOutcome {
    if (!this.#takeToken()) {
      this.#books.count('throttled');
      const { maxPerSecond, burst } = this.#rateLimit ?? {};
      throw this.#host.refusal('RateLimitExceeded', `inbox "${this.#name}" takes ${maxPerSecond} messages a second, ${burst} at once`);
    }
    let outcome: SendOutcome | undefined;
    try {
      outcome = post();
      return outcome;
    } finally {
      if (outcome !== 'queued') this.giveTurnBack();
    }
  }

  /**
   * Sends when the turn has come.
   *
   * @param depth - tells how many messages wait now.
   * @param post - sends, and may wait as long as it is told.
   * @throws {VigilError} `DeliveryTimeout`; what `post` throws.
   */
  async sendInTurn(
    depth: () => number,
    { signal, timeoutMs }: TurnOptions,
    post: (timeoutMs: number | undefined) => Promise<SendOutcome>,
  ): Promise<SendOutcome> {
    const pauseMs = this.takeTurn(depth, timeoutMs);
    if (pauseMs === undefined) {
      await this.#pause(timeoutMs, signal);
      throw this.timeoutError(timeoutMs);
    }
    try {
      if (pauseMs > 0) await this.#pause(pauseMs, signal);
      return await post(timeoutMs === undefined ? undefined : timeoutMs - pauseMs);
    } catch (error) {
      this.giveTurnBack();
      throw error;
    }
  }

  /**
   * Takes a token, and a place behind all who came before.
   *
   * @param mostMs - milliseconds that it may take; default: any number.
   * @returns milliseconds until the turn has come, or `undefined` when that is too long: then nothing was taken.
   */
  takeTurn(depth: () => number, mostMs: number = Number.POSITIVE_INFINITY): number | undefined {
    const nowMs = this.#host.now();
    const delayMs = this.backpressure?.strategy === 'adaptive' ? adaptiveDelayMs(depth(), this.backpressure) : 0;
    const pauseMs = Math.max(this.#lastTurnMs - nowMs, delayMs, this.#reserveToken(nowMs));
    if (pauseMs > 0) this.#books.count('delayed');
    if (pauseMs > mostMs) {
      this.giveTurnBack();
      return undefined;
    }
    this.#lastTurnMs = nowMs + pauseMs;
    return pauseMs;
  }

  /** A send came to nothing: its token is there for others. */
  giveTurnBack(): void {
    if (this.#bucket === undefined) return;
    const tokenMs = 1 / this.#bucket.perMs;
    for (let { fullAtMs } = this.#books; !this.#books.replaceFullAt(fullAtMs, fullAtMs - tokenMs); { fullAtMs } = this.#books);
  }

  /** Sends away who is delayed. */
  rejectAll(makeError: () => VigilError): void {
    this.#delayed.rejectAll(makeError);
  }

  /** The refusal of who cannot wait so long. */
  timeoutError(timeoutMs: number | undefined): VigilError {
    return this.#host.refusal('DeliveryTimeout', `inbox "${this.#name}" takes no message of this sender for more than ${timeoutMs} ms`);
  }

  async #pause(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    await this.#delayed.join(undefined, { signal, timeoutMs, timedOut: () => undefined });
    signal?.throwIfAborted();
  }

  #takeToken(): boolean {
    const bucket = this.#bucket;
    if (bucket === undefined) return true;
    for (;;) {
      const { fullAtMs } = this.#books;
      const nextMs = takeTokens(fullAtMs, this.#host.now(), 1, bucket);
      if (nextMs === undefined) return false;
      if (this.#books.replaceFullAt(fullAtMs, nextMs)) return true;
    }
  }

  /** Takes a token that may come later. @returns milliseconds until it does. */
  #reserveToken(nowMs: number): number {
    const bucket = this.#bucket;
    if (bucket === undefined) return 0;
    for (;;) {
      const { fullAtMs } = this.#books;
      const waitMs = msUntilTokens(fullAtMs, nowMs, 1, bucket);
      if (this.#books.replaceFullAt(fullAtMs, Math.max(fullAtMs, nowMs) + 1 / bucket.perMs)) return waitMs;
    }
  }
}
