import type { Clock } from '../clock.js';
import { MadeId, MESSAGE_PRIORITIES, Message, mailboxAccess, type MessagePriority, SIGNALS } from '../message.js';
import type { ReplyExchange } from '../reply-exchange.js';
import type { MessageMetadata } from '../reply-port.js';
import { ExtraWriter, readExtra, startOfExtra } from './extra.js';
import { CONTENT_BYTES, EXPIRES_AT, HEADER, IS_MORTAL, type Layout, NUMBER, RING_BITS } from './layout.js';
import { PayloadReader, PayloadWriter } from './payload.js';

/**
 * The header of a record, above what the ring writes there: how the payload lies there, the priority, the signal plus one, whether the id
 * is a number, whether there is more behind the payload, and who made the message, as a participant.
 */
const KIND_SHIFT = RING_BITS;
const KIND_MASK = 0xf;
const RANK_SHIFT = KIND_SHIFT + 4;
const RANK_MASK = 7;
const SIGNAL_SHIFT = RANK_SHIFT + 3;
const SIGNAL_MASK = 0x1f;
const IS_NUMBERED = 1 << (SIGNAL_SHIFT + 5);
const HAS_EXTRA = IS_NUMBERED << 1;
const MAKER_SHIFT = SIGNAL_SHIFT + 7;

const NORMAL_RANK = MESSAGE_PRIORITIES.indexOf('normal');

/** Where and when messages are read that have been written elsewhere. */
export interface Reading {
  readonly clock: Clock;
  /** Added to the time here it gives the time of the inbox. */
  readonly offsetMs: number;
  readonly replies: ReplyExchange | undefined;
  /** The beginning of the ids of all messages of the inbox. */
  readonly label: string;
}

/**
 * Puts messages into records and reads them there. First a message is sealed, which tells its size, then it is written.
 *
 * Invariant: between the two nothing else is sealed. Whoever runs code of others in between seals again.
 */
export class Envelope {
  readonly #inbox: string;
  readonly #layout: Layout;
  readonly #reading: Reading;
  readonly #payload = new PayloadWriter();
  readonly #payloads = new PayloadReader();
  readonly #extra = new ExtraWriter();
  readonly #makers: string[] = [];
  #header = 0;
  #number = 0;

  constructor(inbox: string, layout: Layout, reading: Reading) {
    this.#inbox = inbox;
    this.#layout = layout;
    this.#reading = reading;
  }

  get sizeBytes(): number {
    return this.#payload.sizeBytes + this.#extra.sizeBytes;
  }

  /** The id of the `number`-th message that a participant makes. */
  idOf(maker: number, number: number): MadeId {
    return new MadeId((this.#makers[maker] ??= `${this.#reading.label}.${maker}`), number);
  }

  /** A payload with which nothing was said. @throws {VigilError} `InvalidMessage`. */
  sealPayload(payload: unknown, number: number): void {
    this.#payload.estimate(payload, this.#inbox);
    this.#header = (NORMAL_RANK << RANK_SHIFT) | IS_NUMBERED;
    this.#number = number;
    this.#extra.clear();
  }

  /** @param number - of a message that was made for this inbox; any other keeps its id. @throws {VigilError} `InvalidMessage`. */
  seal(message: Message, number?: number): void {
    const { payload, signal, priority } = message;
    this.#payload.measure(payload, this.#inbox);
    const signalCode = signal === undefined ? 0 : SIGNALS.indexOf(signal) + 1;
    this.#extra.measure(message, number === undefined);
    this.#header =
      (MESSAGE_PRIORITIES.indexOf(priority) << RANK_SHIFT) |
      (signalCode << SIGNAL_SHIFT) |
      (number === undefined ? 0 : IS_NUMBERED) |
      (this.#extra.sizeBytes === 0 ? 0 : HAS_EXTRA);
    this.#number = number ?? 0;
  }

  /** Into a record that has room for it. */
  write(record: number, maker: number): void {
    const { words, floats, bytes } = this.#layout;
    const content = this.#layout.contentOf(record);
    this.#payload.write(bytes, content);
    words[record + HEADER] = this.#header | (this.#payload.kind << KIND_SHIFT) | (maker << MAKER_SHIFT);
    // Not as it was estimated.
    words[record + CONTENT_BYTES] = this.sizeBytes;
    floats[record / 2 + NUMBER] = this.#number;
    this.#extra.write(bytes, content + this.#payload.sizeBytes);
  }

  priorityOf(record: number): MessagePriority {
    const rank = ((this.#layout.words[record + HEADER] ?? 0) >>> RANK_SHIFT) & RANK_MASK;
    return MESSAGE_PRIORITIES[rank] ?? 'normal';
  }

  /** The message in a record, received as often as it says there. */
  read(record: number): Message {
    const { words, floats, bytes } = this.#layout;
    const header = words[record + HEADER] ?? 0;
    const content = this.#layout.contentOf(record);
    const end = content + (words[record + CONTENT_BYTES] ?? 0);
    const hasExtra = (header & HAS_EXTRA) !== 0;
    const extraAt = hasExtra ? startOfExtra(bytes, end) : end;
    const payload = this.#payloads.read((header >>> KIND_SHIFT) & KIND_MASK, bytes, content, extraAt - content);
    const isNumbered = (header & IS_NUMBERED) !== 0;
    const signalCode = (header >>> SIGNAL_SHIFT) & SIGNAL_MASK;
    const signal = signalCode === 0 ? undefined : SIGNALS[signalCode - 1];
    const priority = MESSAGE_PRIORITIES[(header >>> RANK_SHIFT) & RANK_MASK] ?? 'normal';
    const { clock, offsetMs, replies } = this.#reading;
    const id = isNumbered ? this.idOf(header >>> MAKER_SHIFT, floats[record / 2 + NUMBER] ?? 0) : '';
    if (!hasExtra) return new Message(id, undefined, payload, signal, priority, undefined, clock);

    const { id: ownId, sender, correlationId, replyTo, topic, trace, ttlMs, attempts } = readExtra(bytes, extraAt);
    const message = new Message(ownId ?? id, sender, payload, signal, priority, ttlMs, clock);
    const metadata: MessageMetadata = topic === undefined ? { correlationId, replyTo } : { correlationId, replyTo, topic };
    const expiresAtMs = (header & IS_MORTAL) === 0 ? undefined : (floats[record / 2 + EXPIRES_AT] ?? 0);
    const leftMs = expiresAtMs === undefined ? undefined : expiresAtMs - offsetMs - clock.now();
    mailboxAccess.revive(message, metadata, attempts, leftMs, replies?.portOf(metadata));
    if (trace !== undefined) mailboxAccess.setTrace(message, trace);
    return message;
  }

  /** What a waiting message is the reply to, if it is one. */
  correlationIdOf(record: number): string | undefined {
    const { words, bytes } = this.#layout;
    if (((words[record + HEADER] ?? 0) & HAS_EXTRA) === 0) return undefined;
    const end = this.#layout.contentOf(record) + (words[record + CONTENT_BYTES] ?? 0);
    return readExtra(bytes, startOfExtra(bytes, end)).correlationId;
  }

  /** A payload as it would be received. @throws {VigilError} `InvalidMessage`. */
  copy(payload: unknown): unknown {
    return this.#payload.copy(payload, this.#inbox, this.#payloads);
  }
}
