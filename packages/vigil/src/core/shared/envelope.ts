import type { Clock } from '../clock.js';
import { MadeId, MESSAGE_PRIORITIES, Message, mailboxAccess, type MessagePriority, SIGNALS } from '../message.js';
import type { ReplyExchange } from '../reply-exchange.js';
import type { MessageMetadata } from '../reply-port.js';
import { ATTEMPTS, EXPIRES_AT, EXTRA_BYTES, HEADER, type Layout, MAKER, NUMBER, PAYLOAD_BYTES } from './layout.js';
import { PayloadWriter, readPayload } from './payload.js';

/** The header of a record: how the payload lies there, then the priority, then the signal plus one, then whether the id is a number. */
const KIND_MASK = 0xf;
const RANK_SHIFT = 4;
const RANK_MASK = 7;
const SIGNAL_SHIFT = 7;
const SIGNAL_MASK = 0x1f;
const IS_NUMBERED = 1 << 12;

const NORMAL_RANK = MESSAGE_PRIORITIES.indexOf('normal');

/** What a sender said that has no place in the header: as JSON behind the payload. */
type Extra = readonly [
  id: string | undefined,
  sender: string | undefined,
  correlationId: string | undefined,
  replyTo: string | undefined,
  topic: string | undefined,
  ttlMs: number | undefined,
];

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
  readonly #makers: string[] = [];
  #header = 0;
  #number = 0;
  #attempts = 0;
  #extra = '';
  #extraBytes = 0;

  constructor(inbox: string, layout: Layout, reading: Reading) {
    this.#inbox = inbox;
    this.#layout = layout;
    this.#reading = reading;
  }

  get sizeBytes(): number {
    return this.#payload.sizeBytes + this.#extraBytes;
  }

  /** The id of the `number`-th message that a participant makes. */
  idOf(maker: number, number: number): MadeId {
    return new MadeId((this.#makers[maker] ??= `${this.#reading.label}.${maker}`), number);
  }

  /** A payload with which nothing was said. @throws {VigilError} `InvalidMessage`. */
  sealPayload(payload: unknown, number: number): void {
    this.#payload.measure(payload, this.#inbox);
    this.#header = this.#payload.kind | (NORMAL_RANK << RANK_SHIFT) | IS_NUMBERED;
    this.#number = number;
    this.#attempts = 0;
    this.#extraBytes = 0;
  }

  /** @param number - of a message that was made for this inbox; any other keeps its id. @throws {VigilError} `InvalidMessage`. */
  seal(message: Message, number?: number): void {
    const { payload, signal, priority, attemptCount } = message;
    this.#payload.measure(payload, this.#inbox);
    const signalCode = signal === undefined ? 0 : SIGNALS.indexOf(signal) + 1;
    this.#header =
      this.#payload.kind |
      (MESSAGE_PRIORITIES.indexOf(priority) << RANK_SHIFT) |
      (signalCode << SIGNAL_SHIFT) |
      (number === undefined ? 0 : IS_NUMBERED);
    this.#number = number ?? 0;
    this.#attempts = attemptCount;
    const extra = extraOf(message, number !== undefined);
    this.#extra = extra === undefined ? '' : JSON.stringify(extra);
    this.#extraBytes = Buffer.byteLength(this.#extra);
  }

  write(record: number, maker: number): void {
    const { words, floats, bytes } = this.#layout;
    words[record + HEADER] = this.#header;
    words[record + PAYLOAD_BYTES] = this.#payload.sizeBytes;
    words[record + EXTRA_BYTES] = this.#extraBytes;
    words[record + MAKER] = maker;
    words[record + ATTEMPTS] = this.#attempts;
    floats[record / 2 + NUMBER] = this.#number;
    const content = this.#layout.contentOf(record);
    this.#payload.write(bytes, content);
    if (this.#extraBytes > 0) bytes.write(this.#extra, content + this.#payload.sizeBytes);
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
    const payloadBytes = words[record + PAYLOAD_BYTES] ?? 0;
    const payload = readPayload(header & KIND_MASK, bytes, content, payloadBytes);
    const attempts = words[record + ATTEMPTS] ?? 0;
    const extraBytes = words[record + EXTRA_BYTES] ?? 0;
    const isNumbered = (header & IS_NUMBERED) !== 0;
    const signal = SIGNALS[((header >>> SIGNAL_SHIFT) & SIGNAL_MASK) - 1];
    const priority = MESSAGE_PRIORITIES[(header >>> RANK_SHIFT) & RANK_MASK] ?? 'normal';
    const { clock } = this.#reading;
    const id = isNumbered ? this.idOf(words[record + MAKER] ?? 0, floats[record / 2 + NUMBER] ?? 0) : '';
    if (extraBytes === 0 && attempts === 0) return new Message(id, undefined, payload, signal, priority, undefined, clock);

    const extraAt = content + payloadBytes;
    const extra = extraBytes === 0 ? NO_EXTRA : parseExtra(bytes.toString('utf8', extraAt, extraAt + extraBytes));
    const [ownId, sender, correlationId, replyTo, topic, ttlMs] = extra;
    const message = new Message(ownId ?? id, sender, payload, signal, priority, ttlMs, clock);
    const metadata: MessageMetadata = topic === undefined ? { correlationId, replyTo } : { correlationId, replyTo, topic };
    mailboxAccess.revive(message, metadata, attempts, this.#leftMs(record), this.#reading.replies?.portOf(metadata));
    return message;
  }

  /** A payload as it would be received. @throws {VigilError} `InvalidMessage`. */
  copy(payload: unknown): unknown {
    return this.#payload.copy(payload, this.#inbox);
  }

  #leftMs(record: number): number | undefined {
    const expiresAtMs = this.#layout.floats[record / 2 + EXPIRES_AT] ?? 0;
    return expiresAtMs === 0 ? undefined : expiresAtMs - this.#reading.offsetMs - this.#reading.clock.now();
  }
}

const NO_EXTRA: Extra = [undefined, undefined, undefined, undefined, undefined, undefined];

function extraOf(message: Message, isNumbered: boolean): Extra | undefined {
  const { sender, ttlMs } = message;
  const { correlationId, replyTo, topic } = message.metadata;
  const hasMore =
    sender !== undefined || correlationId !== undefined || replyTo !== undefined || topic !== undefined || ttlMs !== undefined;
  if (isNumbered && !hasMore) return undefined;
  return [isNumbered ? undefined : message.id, sender, correlationId, replyTo, topic, ttlMs];
}

/** What is absent is null in JSON. It was written by the same version of this file. */
function parseExtra(text: string): Extra {
  return JSON.parse(text, (_key, value: unknown) => value ?? undefined);
}
