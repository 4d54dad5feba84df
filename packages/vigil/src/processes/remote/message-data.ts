import { type Clock, type DeadLetter, machineTime, Message, mailboxAccess } from '../../core/index.js';
import type { LetterData, MessageData } from './protocol.js';

/** A message as data: its life goes on, by the clock of the other side. */
export function dehydrateMessage(message: Message, clock: Clock): MessageData {
  const { id, sender, payload, signal, priority, ttlMs, attemptCount } = message;
  const expiresHereMs = mailboxAccess.expiresAtMs(message);
  const expiresAtMs = expiresHereMs === undefined ? undefined : expiresHereMs - clock.now() + machineTime();
  return { id, sender, payload, signal, priority, ttlMs, expiresAtMs, ...message.metadata, attemptCount };
}

export function reviveMessage(data: MessageData, clock: Clock): Message {
  const { id, sender, payload, signal, priority, ttlMs, expiresAtMs, correlationId, replyTo, attemptCount } = data;
  const message = new Message(id, sender, payload, signal, priority, ttlMs, clock);
  const leftMs = expiresAtMs === undefined ? undefined : expiresAtMs - machineTime();
  mailboxAccess.revive(message, { correlationId, replyTo }, attemptCount, leftMs);
  return message;
}

export function dehydrateLetter(letter: DeadLetter, clock: Clock): LetterData {
  return { ...letter, message: dehydrateMessage(letter.message, clock) };
}

export function reviveLetter(letter: LetterData, clock: Clock): DeadLetter {
  return { ...letter, message: reviveMessage(letter.message, clock) };
}
