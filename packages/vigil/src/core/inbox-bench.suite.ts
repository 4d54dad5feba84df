import { nextTurn } from './clock.js';
import { VirtualClock } from '../testing/index.js';
import { RecordingEnvironment } from './environment.suite.js';
import type { MailboxEnvironment } from './environment.js';
import { isVigilError, type VigilErrorCode } from './errors.js';
import type { Inbox } from './inbox.js';
import { Message } from './message.js';
import type { MailboxOptions } from './process-mailbox.js';
import type { SendOutcome } from './sender.js';
import type { TelemetryEventType } from './telemetry-event.js';

/** A way to build inboxes, as `describeInbox` tests them. */
export interface InboxEngine {
  readonly name: string;
  /**
   * Whether those who wait have been served when the call returns that made it possible. By default they are served soon after it,
   * still in their order.
   */
  readonly servesAtOnce?: boolean;
  /**
   * Whether a payload is copied when it is sent and each time it is given out or shown, and refused when it cannot be cloned. By
   * default it is passed by reference.
   */
  readonly copiesPayloads?: boolean;
  create<T>(name: string, options: MailboxOptions<T>, environment: MailboxEnvironment): Inbox<T>;
}

/** A clock whose timers can be late, as they are in an event loop that was busy. */
export class LateClock extends VirtualClock {
  #lateMs = 0;

  override now(): number {
    return super.now() + this.#lateMs;
  }

  beLateBy(ms: number): void {
    this.#lateMs += ms;
  }
}

/** An inbox in a world of its own. */
export interface InboxBench<T> {
  readonly inbox: Inbox<T>;
  readonly clock: LateClock;
  readonly environment: RecordingEnvironment;
}

/** @param onEvent - a listener that acts while an event of the inbox is being reported. */
export function inboxOf<T = unknown>(
  engine: InboxEngine,
  options: MailboxOptions<T> = {},
  onEvent?: (eventType: TelemetryEventType) => void,
): InboxBench<T> {
  const clock = new LateClock();
  const environment = new RecordingEnvironment(clock, onEvent);
  return { inbox: engine.create<T>('jobs', options, environment), clock, environment };
}

export interface Observed {
  state: 'pending' | 'fulfilled' | 'rejected';
  /** What it was fulfilled with, if it was. */
  value: unknown;
  /** Its value or its error; never rejects. */
  readonly settled: Promise<unknown>;
}

export function observe(promise: Promise<unknown>): Observed {
  const observed: { -readonly [K in keyof Observed]: Observed[K] } = { state: 'pending', value: undefined, settled: Promise.resolve() };
  const settle = async () => {
    try {
      observed.value = await promise;
      observed.state = 'fulfilled';
      return observed.value;
    } catch (error) {
      observed.state = 'rejected';
      return error;
    }
  };
  observed.settled = settle();
  return observed;
}

/** For a wait that outlives its test. */
export function ignore(promise: Promise<unknown>): void {
  observe(promise);
}

const MOST_TURNS = 1000;

/** Waits until a condition holds, from turn to turn of the event loop; false when it never did. */
export async function comesTrue(condition: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    if (condition()) return true;
    await nextTurn();
  }
  return condition();
}

export function payloadOf(message: unknown): unknown {
  return message instanceof Message ? message.payload : undefined;
}

export function payloadsOf(messages: readonly unknown[]): unknown[] {
  return messages.map(payloadOf);
}

export function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}

/** What a call gave, or the code of its refusal. */
export function outcomeOf<R = SendOutcome>(call: () => R): R | VigilErrorCode {
  try {
    return call();
  } catch (error) {
    if (isVigilError(error)) return error.code;
    throw error;
  }
}

/** All that can be received now. */
export function receiveAll<T>(inbox: Inbox<T>): Message<T>[] {
  const messages: Message<T>[] = [];
  for (let message = inbox.tryRecv(); message !== undefined; message = inbox.tryRecv()) messages.push(message);
  return messages;
}

/** What came into the queue and is neither in it nor accounted for: 0 in books that balance. */
export function imbalanceOf(inbox: Inbox): number {
  const { messagesSent, messagesReceived, messagesExpired, messagesDropped, messagesDeadLettered, messagesAbandoned, depth } =
    inbox.stats();
  return messagesSent - (messagesReceived + messagesExpired + messagesDropped + messagesDeadLettered + messagesAbandoned + depth);
}
