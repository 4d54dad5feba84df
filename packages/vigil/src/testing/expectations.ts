import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import { type Inbox, isVigilError, type Message, type MessagePriority, type Signal } from '../core/index.js';
import { MockInbox } from './mock-inbox.js';

/** What a message should be like; what is left out can be anything. */
export interface ExpectedMessage<T = unknown> {
  /** Equal in value and type, however deep. */
  readonly payload?: T;
  readonly sender?: string | undefined;
  readonly priority?: MessagePriority;
  readonly signal?: Signal | undefined;
  readonly correlationId?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly ttlMs?: number | undefined;
}

/** What can be looked into. */
export type TestedInbox<T> = MockInbox<T> | Inbox<T>;

/**
 * Takes the next message, which must be there and be as expected.
 *
 * @returns the message.
 * @throws an `AssertionError`, which every test runner knows, when there is none, or for the first field that differs; the message then stays.
 * @example
 * expectMessage(inbox, { payload: 'expected', sender: 'sender_id', priority: 'high' });
 */
export function expectMessage<T>(inbox: TestedInbox<T>, expected: ExpectedMessage<T> = {}): Message<T> {
  const message = nextOf(inbox);
  if (message === undefined)
    throw new AssertionError({
      message: `inbox "${inbox.name}" has no message`,
      expected,
      operator: 'expectMessage',
      stackStartFn: expectMessage,
    });
  const actual: Record<string, unknown> = {
    payload: message.payload,
    sender: message.sender,
    priority: message.priority,
    signal: message.signal,
    correlationId: message.metadata.correlationId,
    replyTo: message.metadata.replyTo,
    ttlMs: message.ttlMs,
  };
  for (const [field, value] of Object.entries(expected)) {
    if (isDeepStrictEqual(actual[field], value)) continue;
    throw new AssertionError({
      message: `the ${field} of the next message in inbox "${inbox.name}" is not as expected`,
      actual: actual[field],
      expected: value,
      operator: 'expectMessage',
      stackStartFn: expectMessage,
    });
  }
  return take(inbox) ?? message;
}

/**
 * Takes the next message, which must be there and carry a signal. Throws as `expectMessage`.
 *
 * @example
 * expectSignal(inbox, 'healthCheck');
 */
export function expectSignal<T>(inbox: TestedInbox<T>, signal: Signal): Message<T> {
  return expectMessage(inbox, { signal });
}

function nextOf<T>(inbox: TestedInbox<T>): Message<T> | undefined {
  return inbox instanceof MockInbox ? inbox.peek(0) : inbox.peek(1)[0];
}

function take<T>(inbox: TestedInbox<T>): Message<T> | undefined {
  return inbox instanceof MockInbox ? inbox.recv() : inbox.tryRecv();
}

/**
 * Sends `count` messages with the payloads 0, 1, 2 … or those that `payloadOf` gives; default: as many as still have room.
 *
 * @returns how many came in: one that is refused ends it.
 */
export function fillInbox<T = number>(inbox: Inbox<T>, count: number, payloadOf: (index: number) => T): number;
export function fillInbox(inbox: Inbox<number>, count?: number): number;
export function fillInbox(
  inbox: Inbox,
  count: number = Number.POSITIVE_INFINITY,
  payloadOf: (index: number) => unknown = (index) => index,
): number {
  for (let sent = 0; sent < count; sent += 1) {
    try {
      if (inbox.send(payloadOf(sent)) !== 'queued') return sent;
    } catch (error) {
      if (isVigilError(error)) return sent;
      throw error;
    }
  }
  return count;
}

/** Takes all messages that are there now, in the order of delivery; none of an inbox that is closed and empty. */
export function drainInbox<T>(inbox: TestedInbox<T>): Message<T>[] {
  const messages: Message<T>[] = [];
  try {
    for (let message = take(inbox); message !== undefined; message = take(inbox)) messages.push(message);
  } catch (error) {
    if (!isVigilError(error, 'InboxClosed')) throw error;
  }
  return messages;
}
