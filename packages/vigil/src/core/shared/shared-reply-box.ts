import type { Environment } from '../environment.js';
import { isVigilError } from '../errors.js';
import type { ReplyBox, ReplyListener } from '../reply-port.js';
import { BELL, CONTENT_BYTES, HEADER, NUMBER, RING_BITS } from './layout.js';
import { isPlainData } from './parcels.js';
import { keyOf, participantOf } from './participant.js';
import { PayloadReader, PayloadWriter } from './payload.js';
import { NONE, SharedRing } from './ring.js';
import { Sleeper } from './sleeper.js';
import { isLatin1, readLatin1, SHORT_TEXT, writeLatin1 } from './text.js';

/** Replies that can wait, and the bytes of those that do not fit into their record. */
const LAYOUT = { capacity: 256, rings: 1, arenaBytes: 64 * 1024 };

/** Replies that are taken out at once. */
const BATCH = 64;

/**
 * A box for replies in shared memory: a ring of its own, so that a reply needs no event loop but that of its caller. In a record the
 * correlation id stands behind the payload, and its length where a message has its number.
 *
 * What does not fit in goes the long way, by the channels between the threads: a reply of many bytes, one that cannot be written into
 * memory, and all while the box is full.
 *
 * Invariant: whoever waits for a reply that may come here either listens, or looks here before giving up.
 */
export class SharedReplyBox implements ReplyBox {
  readonly #ring: SharedRing;
  readonly #payload = new PayloadWriter();
  readonly #payloads = new PayloadReader();
  readonly #sleeper: Sleeper;
  #listener: ReplyListener | undefined;

  /** @param memory - of a box that exists; default: a new one. @throws {VigilError} `InvalidConfiguration` when too many threads use it. */
  constructor({ clock, thread }: Pick<Environment, 'clock' | 'thread'>, memory?: SharedArrayBuffer) {
    this.#ring = new SharedRing(LAYOUT, participantOf(thread), memory);
    this.#sleeper = new Sleeper(this.#ring, BELL, clock, { serve: () => this.#serve(), passOn: () => {} });
  }

  /** What another thread needs to use it. */
  get memory(): SharedArrayBuffer {
    return this.#ring.layout.memory;
  }

  get isClosed(): boolean {
    return this.#ring.isClosed;
  }

  post(correlationId: string, payload: unknown): boolean {
    if (this.isClosed || correlationId.length > SHORT_TEXT || !isLatin1(correlationId) || !this.#canMeasure(payload)) return false;
    const ring = this.#ring;
    const record = ring.claim();
    if (record === NONE) return false;
    const hasRoom = ring.reserve(record, this.#payload.sizeBytes + correlationId.length);
    if (hasRoom) this.#write(record, correlationId);
    if (!hasRoom || !ring.publish(record, 0)) {
      ring.withdraw(record);
      return false;
    }
    ring.ringBell();
    return true;
  }

  drain(listener: ReplyListener): void {
    const ring = this.#ring;
    for (let count = ring.takeBatch(BATCH); count > 0; count = ring.takeBatch(BATCH)) {
      const replies = Array.from({ length: count }, (_, index) => this.#read(ring.taken(index)));
      ring.settleBatch(count);
      for (const [correlationId, payload] of replies) listener.replied(correlationId, payload);
    }
  }

  listen(listener: ReplyListener): void {
    this.#listener = listener;
    this.#sleeper.wait();
  }

  rest(): void {
    this.#sleeper.left();
  }

  bury(threadId: number): void {
    this.#ring.bury(keyOf(threadId));
  }

  /** Its owner is gone. */
  close(): void {
    this.#ring.close();
  }

  #serve(): boolean {
    if (this.#listener?.isAwaited !== true) return false;
    this.drain(this.#listener);
    return this.#listener.isAwaited;
  }

  #canMeasure(payload: unknown): boolean {
    if (!isPlainData(payload)) return false;
    try {
      this.#payload.measure(payload, 'replies');
      return true;
    } catch (error) {
      if (isVigilError(error)) return false;
      throw error;
    }
  }

  #write(record: number, correlationId: string): void {
    const { words, floats, bytes } = this.#ring.layout;
    const content = this.#ring.layout.contentOf(record);
    this.#payload.write(bytes, content);
    writeLatin1(correlationId, bytes, content + this.#payload.sizeBytes);
    words[record + HEADER] = this.#payload.kind << RING_BITS;
    floats[record / 2 + NUMBER] = correlationId.length;
  }

  #read(record: number): readonly [correlationId: string, payload: unknown] {
    const { words, floats, bytes } = this.#ring.layout;
    const content = this.#ring.layout.contentOf(record);
    const idLength = floats[record / 2 + NUMBER] ?? 0;
    const payloadBytes = (words[record + CONTENT_BYTES] ?? 0) - idLength;
    const payload = this.#payloads.read((words[record + HEADER] ?? 0) >>> RING_BITS, bytes, content, payloadBytes);
    return [readLatin1(bytes, content + payloadBytes, idLength), payload];
  }
}
