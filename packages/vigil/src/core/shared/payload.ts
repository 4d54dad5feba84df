import { deserialize, serialize } from 'node:v8';
import { describeValue } from '../validation.js';
import { VigilError } from '../errors.js';
import { pathToSender } from '../path-to-sender.js';
import { Ticket } from './parcels.js';
import { isLatin1, readLatin1, SHORT_TEXT, writeLatin1 } from './text.js';

/** How a payload lies in the memory. */
const NOTHING = 0;
const LATIN1 = 1;
const UTF16 = 2;
const BYTES = 3;
const JSON_LATIN1 = 4;
const JSON_UTF16 = 5;
const CLONE = 6;
/** It lies elsewhere. */
const TICKET = 7;

/** Objects of one payload that are looked at before it is left to the structured clone. */
const MOST_OBJECTS = 32;

/**
 * One payload on its way into the memory: first measured, then written.
 *
 * Strings and bytes go as they are. A plain object goes as JSON, which is several times quicker than the structured clone, but only where
 * nothing tells the two apart: finite numbers but −0, texts, booleans, null, and plain objects and arrays of these, each in one place.
 * All else goes by structured clone, as between two Node processes.
 *
 * One for each inbox and thread, used again for each message: it holds what was measured last.
 */
export class PayloadWriter {
  kind: number = NOTHING;
  sizeBytes = 0;
  #text = '';
  #bytes: Uint8Array = new Uint8Array(0);
  readonly #seen: object[] = [];

  /** @throws {VigilError} `InvalidMessage` when it cannot be cloned, or holds a ref or an inbox. */
  measure(payload: unknown, inbox: string): void {
    if (typeof payload === 'string') this.#measureText(payload, LATIN1, UTF16);
    else if (payload === undefined) this.#set(NOTHING, 0);
    else if (payload instanceof Uint8Array) this.#measureBytes(payload, BYTES);
    else if (payload instanceof Ticket) this.#measureText(String(payload.parcel), TICKET, TICKET);
    else if (this.#isJson(payload)) this.#measureText(JSON.stringify(payload), JSON_LATIN1, JSON_UTF16);
    else this.#measureBytes(cloneOf(payload, inbox), CLONE);
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
      case JSON_LATIN1:
      case TICKET:
        if (writeLatin1(this.#text, target, at)) return;
        this.#set(UTF16, this.#text.length * 2);
        target.write(this.#text, at, 'utf16le');
        break;
      case UTF16:
      case JSON_UTF16:
        target.write(this.#text, at, 'utf16le');
        break;
      case BYTES:
      case CLONE:
        target.set(this.#bytes, at);
    }
  }

  /** A payload of its own for a message that waits elsewhere. */
  copy(payload: unknown, inbox: string): unknown {
    if (typeof payload === 'string') return payload;
    this.measure(payload, inbox);
    const buffer = Buffer.allocUnsafe(this.sizeBytes);
    this.write(buffer, 0);
    return readPayload(this.kind, buffer, 0, this.sizeBytes);
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

  #isJson(value: unknown): boolean {
    this.#seen.length = 0;
    return this.#isPlain(value);
  }

  #isPlain(value: unknown): boolean {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return true;
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0);
      case 'object':
        return value === null || this.#isPlainObject(value);
      case 'undefined':
      case 'bigint':
      case 'symbol':
      case 'function':
        return false;
    }
  }

  #isPlainObject(value: object): boolean {
    const seen = this.#seen;
    // A second way to the same object would be a second object.
    if (seen.length === MOST_OBJECTS || seen.includes(value)) return false;
    seen.push(value);
    if (Array.isArray(value)) return this.#isPlainArray(value);
    if (!isRecord(value)) return false;
    for (const key in value) if (!this.#isPlain(value[key])) return false;
    return true;
  }

  /** Without holes, and without properties beside its elements. */
  #isPlainArray(array: readonly unknown[]): boolean {
    for (const part of array) if (!this.#isPlain(part)) return false;
    return Object.keys(array).length === array.length;
  }
}

/** A payload as it was written. */
export function readPayload(kind: number, source: Buffer, at: number, sizeBytes: number): unknown {
  switch (kind) {
    case LATIN1:
      return readLatin1(source, at, sizeBytes);
    case UTF16:
      return source.toString('utf16le', at, at + sizeBytes);
    case BYTES:
      return new Uint8Array(source.subarray(at, at + sizeBytes));
    case JSON_LATIN1:
      return JSON.parse(readLatin1(source, at, sizeBytes));
    case JSON_UTF16:
      return JSON.parse(source.toString('utf16le', at, at + sizeBytes));
    case CLONE:
      return deserialize(Buffer.from(source.subarray(at, at + sizeBytes)));
    case TICKET:
      return new Ticket(Number(readLatin1(source, at, sizeBytes)));
    default:
      return undefined;
  }
}

function isRecord(value: object): value is Readonly<Record<string, unknown>> {
  return Object.getPrototypeOf(value) === Object.prototype;
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
