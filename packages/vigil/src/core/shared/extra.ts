import type { Message } from '../message.js';
import type { TraceContext } from '../trace-context.js';
import { isLatin1, readLatin1, writeLatin1 } from './text.js';

/** What a sender said that has no place in the header of a record. */
export interface Extra {
  /** Of a message that was made for no inbox. */
  readonly id: string | undefined;
  readonly sender: string | undefined;
  readonly correlationId: string | undefined;
  readonly replyTo: string | undefined;
  readonly topic: string | undefined;
  readonly trace: TraceContext | undefined;
  readonly ttlMs: number | undefined;
  readonly attempts: number;
}

/**
 * As it lies behind the payload: a byte that tells what there is, the numbers, the texts in this order, each behind four bytes with its
 * length, which is negative where letters have two bytes, and at the very end four bytes with the length of all that.
 */
const ID = 1;
const SENDER = 2;
const CORRELATION_ID = 4;
const REPLY_TO = 8;
const TOPIC = 16;
const TTL = 32;
const ATTEMPTS = 64;
const TRACE = 128;

const FLAGS_BYTES = 1;
const NUMBER_BYTES = 8;
const LENGTH_BYTES = 4;

/** Puts into memory what was said with a message: first measured, then written. */
export class ExtraWriter {
  /** 0 when nothing was said. */
  sizeBytes = 0;
  #flags = 0;
  #ttlMs = 0;
  #attempts = 0;
  readonly #texts: string[] = [];
  /** Of these, negative where letters have two bytes. */
  readonly #lengths: number[] = [];

  /** Nothing was said. */
  clear(): void {
    // To empty an array takes longer than all the rest of a send.
    if (this.sizeBytes === 0) return;
    this.sizeBytes = 0;
    this.#flags = 0;
    this.#texts.length = 0;
    this.#lengths.length = 0;
  }

  /** @param hasOwnId - whether its id is no number of the inbox. */
  measure(message: Message, hasOwnId: boolean): void {
    this.clear();
    const { sender, ttlMs, attemptCount, trace } = message;
    const { correlationId, replyTo, topic } = message.metadata;
    if (hasOwnId) this.#addText(ID, message.id);
    this.#addText(SENDER, sender);
    this.#addText(CORRELATION_ID, correlationId);
    this.#addText(REPLY_TO, replyTo);
    this.#addText(TOPIC, topic);
    this.#addText(TRACE, trace && textOf(trace));
    if (ttlMs !== undefined) {
      this.#ttlMs = ttlMs;
      this.#add(TTL, NUMBER_BYTES);
    }
    if (attemptCount > 0) {
      this.#attempts = attemptCount;
      this.#add(ATTEMPTS, NUMBER_BYTES);
    }
    if (this.#flags !== 0) this.sizeBytes += FLAGS_BYTES + LENGTH_BYTES;
  }

  write(target: Buffer, at: number): void {
    if (this.#flags === 0) return;
    target[at] = this.#flags;
    let next = at + FLAGS_BYTES;
    if ((this.#flags & TTL) !== 0) next = target.writeDoubleLE(this.#ttlMs, next);
    if ((this.#flags & ATTEMPTS) !== 0) next = target.writeDoubleLE(this.#attempts, next);
    for (const [index, text] of this.#texts.entries()) {
      const length = this.#lengths[index] ?? 0;
      next = target.writeInt32LE(length, next);
      if (length >= 0) writeLatin1(text, target, next);
      else target.write(text, next, 'utf16le');
      next += bytesOf(length);
    }
    target.writeUInt32LE(this.sizeBytes, next);
  }

  #addText(flag: number, text: string | undefined): void {
    if (text === undefined) return;
    const length = isLatin1(text) ? text.length : -text.length;
    this.#texts.push(text);
    this.#lengths.push(length);
    this.#add(flag, LENGTH_BYTES + bytesOf(length));
  }

  #add(flag: number, bytes: number): void {
    this.#flags |= flag;
    this.sizeBytes += bytes;
  }
}

/** Where it begins that ends before a byte. */
export function startOfExtra(source: Buffer, end: number): number {
  return end - source.readUInt32LE(end - LENGTH_BYTES);
}

export function readExtra(source: Buffer, at: number): Extra {
  const flags = source[at] ?? 0;
  let next = at + FLAGS_BYTES;
  const number = (flag: number): number | undefined => {
    if ((flags & flag) === 0) return undefined;
    next += NUMBER_BYTES;
    return source.readDoubleLE(next - NUMBER_BYTES);
  };
  const text = (flag: number): string | undefined => {
    if ((flags & flag) === 0) return undefined;
    const length = source.readInt32LE(next);
    const bytes = bytesOf(length);
    next += LENGTH_BYTES + bytes;
    return length >= 0 ? readLatin1(source, next - bytes, bytes) : source.toString('utf16le', next - bytes, next);
  };
  const ttlMs = number(TTL);
  const attempts = number(ATTEMPTS) ?? 0;
  // In the order in which they lie there.
  return {
    ttlMs,
    attempts,
    id: text(ID),
    sender: text(SENDER),
    correlationId: text(CORRELATION_ID),
    replyTo: text(REPLY_TO),
    topic: text(TOPIC),
    trace: traceOf(text(TRACE)),
  };
}

/** In one text, which has no line break of its own. */
function textOf({ traceparent, tracestate }: TraceContext): string {
  return tracestate === undefined ? traceparent : `${traceparent}\n${tracestate}`;
}

function traceOf(text: string | undefined): TraceContext | undefined {
  const [traceparent, tracestate] = text?.split('\n') ?? [];
  if (traceparent === undefined) return undefined;
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}

function bytesOf(length: number): number {
  return length >= 0 ? length : -2 * length;
}
