import type { Cancel, TimerOptions } from './clock.js';
import { refusalReason } from './dead-letter.js';
import type { Environment } from './environment.js';
import { VigilError } from './errors.js';
import { type Message, messageOf, type SendOptions } from './message.js';
import type { OwnedSender, Sender } from './sender.js';
import { withTrace } from './trace-context.js';
import { checkDuration, checkFunction, checkObject, describeValue } from './validation.js';

const checkCallback = checkFunction<() => void>();

export interface SendAfterOptions extends SendOptions, TimerOptions {}

/** What became of the timers of a {@link Timer}. */
export interface TimerSnapshot {
  /** Those that wait, without those that were cancelled. */
  readonly pending: number;
  /** How often a callback was called, or a message sent. */
  readonly fired: number;
  readonly cancelled: number;
}

/** With whose end its timers end. */
type TimerOwner = Pick<OwnedSender, 'isClosed' | 'onClose'>;

type TimerEnvironment = Pick<Environment, 'clock' | 'log' | 'deadLetters' | 'nextMessageId' | 'tracing'>;

/**
 * Time-outs, intervals and delayed sends that can be cancelled together. Any number of them share one native timer; they come in the order of
 * their deadlines, then of their making, never early, and never before the call that made them returns.
 *
 * Node does not stay alive for them unless `keepAlive` is true. A callback that throws is logged and harms no other. Those of an owner end with
 * it, and it can start no more.
 *
 * @see Erlang's `timer` and `send_after`.
 */
export class Timer implements Disposable {
  readonly #environment: TimerEnvironment;
  readonly #owner: TimerOwner | undefined;
  readonly #pending = new Set<Cancel>();
  #fired = 0;
  #cancelled = 0;

  constructor(environment: TimerEnvironment, owner?: TimerOwner) {
    this.#environment = environment;
    this.#owner = owner;
    owner?.onClose(() => this.cancel());
  }

  /**
   * Calls back once.
   *
   * @param delayMs - milliseconds, also more than 2^31; with 0 it is called in a later turn.
   * @returns what cancels it: true once, then false, and false when it has fired.
   * @throws {VigilError} `InvalidConfiguration`.
   */
  setTimeout(delayMs: number, callback: () => void, options?: TimerOptions): Cancel {
    checkDuration('delayMs', delayMs);
    checkCallback('callback', callback);
    const bound = this.#bound(callback);
    return this.#start((end) => {
      return this.#environment.clock.after(
        delayMs,
        () => {
          end();
          this.#fire(bound);
        },
        options,
      );
    });
  }

  /**
   * Calls back again and again, without drift: the n-th time at n periods after the start. What was missed while the event loop stood still
   * comes as one call.
   *
   * @returns what cancels it, also from within its own callback.
   * @throws {VigilError} `InvalidInterval` when the period is no number of milliseconds > 0; `InvalidConfiguration`.
   */
  setInterval(periodMs: number, callback: () => void, options?: TimerOptions): Cancel {
    if (typeof periodMs !== 'number' || !(periodMs > 0) || periodMs === Number.POSITIVE_INFINITY)
      throw new VigilError('InvalidInterval', `periodMs must be a number of milliseconds > 0, got ${describeValue(periodMs)}`);
    checkCallback('callback', callback);
    const { clock } = this.#environment;
    const bound = this.#bound(callback);
    const startMs = clock.now();
    return this.#start(() => {
      let cancel: Cancel;
      const next = (): Cancel => {
        const passedMs = clock.now() - startMs;
        const periods = Math.floor(passedMs / periodMs) + 1;
        // Rounding can make it a little less than nothing.
        const delayMs = Math.max(periods * periodMs - passedMs, 0);
        const fire = (): void => {
          // First, so that its own callback can cancel it.
          cancel = next();
          this.#fire(bound);
        };
        return clock.after(delayMs, fire, options);
      };
      cancel = next();
      return () => cancel();
    });
  }

  /**
   * Sends a message later. When the target refuses it then, it is a dead letter of the runtime.
   *
   * @throws {VigilError} `InvalidConfiguration` for a delay that is none, `InvalidMessage` for options that are none.
   */
  sendAfter<T>(delayMs: number, target: Sender<T>, payload: T, options: SendAfterOptions = {}): Cancel {
    checkObject('send options', options, 'InvalidMessage');
    const { keepAlive, ...sendOptions } = withTrace(options, this.#environment.tracing);
    return this.setTimeout(delayMs, () => this.#send(target, payload, sendOptions), keepAlive === true ? { keepAlive } : undefined);
  }

  /** Cancels all that wait. */
  cancel(): void {
    for (const cancel of this.#pending) cancel();
  }

  snapshot(): TimerSnapshot {
    return { pending: this.#pending.size, fired: this.#fired, cancelled: this.#cancelled };
  }

  [Symbol.dispose](): void {
    this.cancel();
  }

  #start(begin: (end: () => void) => Cancel): Cancel {
    if (this.#owner?.isClosed() === true) return () => false;
    const cancelClock = begin(() => this.#pending.delete(cancel));
    const cancel = (): boolean => {
      if (!this.#pending.delete(cancel)) return false;
      cancelClock();
      this.#cancelled += 1;
      return true;
    };
    this.#pending.add(cancel);
    return cancel;
  }

  /** All timers share one of Node, which knows only who has set that one. */
  #bound(callback: () => void): () => void {
    return this.#environment.tracing?.tracer?.bind(callback) ?? callback;
  }

  #fire(callback: () => void): void {
    this.#fired += 1;
    try {
      callback();
    } catch (error) {
      this.#environment.log.error('the callback of a timer failed', error);
    }
  }

  #send<T>(target: Sender<T>, payload: T, options: SendOptions): void {
    const { deadLetters, nextMessageId } = this.#environment;
    try {
      target.send(payload, options);
    } catch (error) {
      const message: Message = messageOf(nextMessageId(), payload, options, undefined, this.#environment);
      deadLetters.add(message, refusalReason(error), 'name' in target ? String(target.name) : 'timer');
    }
  }
}
