import {
  type Clock,
  type DeadLetter,
  machineTime,
  Message,
  mailboxAccess,
  type ReplyExchange,
  type ReplyOutcome,
} from '../../core/index.js';
import { dehydrate, revive } from './data.js';
import type { LetterData, MessageData, ReplyData } from './protocol.js';

/** A message as data: its life goes on, by the clock of the other side. */
export function dehydrateMessage(message: Message, clock: Clock): MessageData {
  const { id, sender, payload, signal, priority, ttlMs, attemptCount, trace } = message;
  const expiresHereMs = mailboxAccess.expiresAtMs(message);
  const expiresAtMs = expiresHereMs === undefined ? undefined : expiresHereMs - clock.now() + machineTime();
  return { id, sender, payload, signal, priority, ttlMs, expiresAtMs, ...message.metadata, attemptCount, trace };
}

/** @param replies - where a reply to it goes, if it asks for one; left out where it is only looked at. */
export function reviveMessage(data: MessageData, clock: Clock, replies?: ReplyExchange): Message {
  const { id, sender, payload, signal, priority, ttlMs, expiresAtMs, correlationId, replyTo, topic, attemptCount, trace } = data;
  const message = new Message(id, sender, payload, signal, priority, ttlMs, clock);
  const leftMs = expiresAtMs === undefined ? undefined : expiresAtMs - machineTime();
  const metadata = topic === undefined ? { correlationId, replyTo } : { correlationId, replyTo, topic };
  mailboxAccess.revive(message, metadata, attemptCount, leftMs, replies?.portOf(metadata));
  if (trace !== undefined) mailboxAccess.setTrace(message, trace);
  return message;
}

export function dehydrateLetter(letter: DeadLetter, clock: Clock): LetterData {
  return { ...letter, message: dehydrateMessage(letter.message, clock) };
}

export function reviveLetter(letter: LetterData, clock: Clock): DeadLetter {
  return { ...letter, message: reviveMessage(letter.message, clock) };
}

export function dehydrateOutcome(outcome: ReplyOutcome): ReplyData {
  return 'error' in outcome ? { error: dehydrate(outcome.error) } : { payload: outcome.payload };
}

export function reviveOutcome(data: ReplyData): ReplyOutcome {
  return 'error' in data ? { error: revive(data.error) } : data;
}
