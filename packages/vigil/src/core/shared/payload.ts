import { deserialize, serialize } from 'node:v8';
import { describeValue } from '../validation.js';
import { VigilError } from '../errors.js';
import { pathToSender } from '../path-to-sender.js';
import { Ticket } from './parcels.js';
import { NOT_PLAIN, PlainDataReader, PlainDataWriter } from './plain-data.js';
import { isLatin1, readLatin1, SHORT_TEXT, writeLatin1 } from './text.js';

/** How a payload lies in the memory. */
const NOTHING = 0;
const LATIN1 = 1;
const UTF16 = 2;
const BYTES = 3;
const PLAIN = 4;
const CLONE = 5;
/** It lies elsewhere. */
const TICKET = 6;

/** Bytes that are written one by one. */
const FEW_BYTES = 64;

/**
 * One payload on its way into the memory: first measured, then written.
 *
 * Strings and bytes go as they are, other plain data as `plain-data.ts` has it, and all else by structured clone, as between two Node
 * processes.
 *
 * One for each inbox and thread, used again for each message: it holds what was measured last.
 */
export class PayloadWriter {
  kind: number = NOTHING;
  sizeBytes = 0;
  #text = '';
  #bytes: Uint8Array = new Uint8Array(0);
  readonly #plain = new PlainDataWriter();

  /** @throws {VigilError} `InvalidMessage` when it cannot be cloned, or holds a ref or an inbox. */
  measure(payload: unknown, inbox: string): void {
    if (typeof payload === 'string') this.#measureText(payload, LATIN1, UTF16);
    else if (payload === undefined) this.#set(NOTHING, 0);
    else if (payload instanceof Uint8Array) this.#measureBytes(payload, BYTES);
    else if (payload instanceof Ticket) this.#measureText(String(payload.parcel), TICKET, TICKET);
    else this.#measureData(payload, inbox);
  }

  /**
   * The same, but what letters a short text has is seen only when it is written, which may change its kind and double its size: to look at it
   * once takes a third off the time of a send. It fits into its record either way.
   */
  estimate(payload: unknown, inbox: string): void {
    if (typeof payload !== 'string' || payload.length > SHORT_TEXT) return this.measure(payload, inbox);
    this.#text = payload;
    this.#set(LATIN1, payload.length);
  }

  write(target: Buffer, at: number): void {
    switch (this.kind) {
      case NOTHING:
        return;
      case LATIN1:
      case TICKET:
        if (writeLatin1(this.#text, target, at)) return;
        this.#set(UTF16, this.#text.length * 2);
        target.write(this.#text, at, 'utf16le');
        break;
      case UTF16:
        target.write(this.#text, at, 'utf16le');
        break;
      default:
        writeBytes(this.#bytes, this.sizeBytes, target, at);
    }
  }

  /** A payload of its own for a message that waits elsewhere. */
  copy(payload: unknown, inbox: string, reader: PayloadReader): unknown {
    if (typeof payload === 'string') return payload;
    this.measure(payload, inbox);
    const buffer = Buffer.allocUnsafe(this.sizeBytes);
    this.write(buffer, 0);
    return reader.read(this.kind, buffer, 0, this.sizeBytes);
  }

  #set(kind: number, sizeBytes: number): void {
    this.kind = kind;
    this.sizeBytes = sizeBytes;
  }

  #measureText(text: string, latin1: number, utf16: number): void {
    this.#text = text;
    if (isLatin1(text)) this.#set(latin1, text.length);
    else this.#set(utf16, text.length * 2);
  }

  #measureBytes(bytes: Uint8Array, kind: number): void {
    this.#bytes = bytes;
    this.#set(kind, bytes.byteLength);
  }

  #measureData(payload: unknown, inbox: string): void {
    const sizeBytes = this.#plain.write(payload);
    if (sizeBytes === NOT_PLAIN) return this.#measureBytes(cloneOf(payload, inbox), CLONE);
    this.#bytes = this.#plain.bytes;
    this.#set(PLAIN, sizeBytes);
  }
}

/** Reads payloads as they were written. One for each inbox and thread. */
export class PayloadReader {
  readonly #plain = new PlainDataReader();

  read(kind: number, source: Buffer, at: number, sizeBytes: number): unknown {
    switch (kind) {
      case LATIN1:
        return readLatin1(source, at, sizeBytes);
      case UTF16:
        return source.toString('utf16le', at, at + sizeBytes);
      case BYTES:
        return new Uint8Array(source.subarray(at, at + sizeBytes));
      case PLAIN:
        return this.#plain.read(source, at, sizeBytes);
      case CLONE:
        return deserialize(Buffer.from(source.subarray(at, at + sizeBytes)));
      case TICKET:
        return new Ticket(Number(readLatin1(source, at, sizeBytes)));
      default:
        return undefined;
    }
  }
}

function cloneOf(payload: unknown, inbox: string): Uint8Array {
  const path = pathToSender(payload);
  if (path !== undefined)
    throw new VigilError('InvalidMessage', `inbox "${inbox}": ${path || 'it'} is a ref or an inbox, which does not travel; a name does`);
  try {
    return serialize(payload);
  } catch (cause) {
    throw new VigilError('InvalidMessage', `inbox "${inbox}" cannot take ${describeValue(payload)}: it cannot be cloned`, { cause });
  }
}

/** A few one by one: a call of Node's own function takes longer. */
function writeBytes(bytes: Uint8Array, count: number, target: Buffer, at: number): void {
  if (count > FEW_BYTES) target.set(count === bytes.length ? bytes : bytes.subarray(0, count), at);
  else for (let index = 0; index < count; index += 1) target[at + index] = bytes[index] ?? 0;
}
