import { VigilError } from '../errors.js';

/**
 * What lies where in the memory of a shared inbox, in words of 32 bits unless it says otherwise. `ring.ts` has who may change which
 * word when.
 *
 *     control        closed, bells and wishes, heads, tails, laps: each group on cache lines of its own
 *     participants   one slot for each thread that is attached: its key, and counters that only it writes
 *     cells          for each priority a ring of 2^n words; a cell names a record and the lap in which it does
 *     owners         one word for each granule of the arena: the record that it belongs to, plus one; 0 for nobody
 *     records        one for each message that can wait: a state word, a header, and room for a small message
 *     arena          granules of 256 bytes, of which larger messages take as many as they need, side by side
 */

const WORD_BYTES = 4;
const LINE_WORDS = 32;

/** Words of the control block. */
export const CLOSED = 0;
/** 1 while nothing is given out. */
export const HELD = 1;
/**
 * 1 when all records are in use: since a sender has found none and none was freed while it looked. What stands here while a sender looks
 * is its own (more than 1), and 0 as soon as a record is freed.
 */
export const FULL: number = LINE_WORDS;
/** Rung for receivers; raised before they sleep: they wish to be woken. */
export const BELL: number = 2 * LINE_WORDS;
export const BELL_WISHED: number = BELL + 1;
/** The same for senders that wait for room. */
export const ROOM_BELL: number = 3 * LINE_WORDS;
export const ROOM_WISHED: number = ROOM_BELL + 1;
/** The same for those who wait for a message with a certain correlation id. All of them are woken: only the right one can take it. */
export const REPLY_BELL: number = ROOM_BELL + 2;
export const REPLY_WISHED: number = REPLY_BELL + 1;
/** 1 while somebody waits until fewer messages wait than the low watermark says, as far as is known. */
export const BLOCKING: number = ROOM_BELL + 4;
export const HEADS: number = 4 * LINE_WORDS;
export const TAILS: number = 5 * LINE_WORDS;
/** How often a head, then a tail, has passed a quarter of the range of a position. */
export const HEAD_LAPS: number = 6 * LINE_WORDS;
export const TAIL_LAPS: number = HEAD_LAPS + 8;
/** Counts the messages with a time to live that came in. */
export const TTL_EPOCH: number = 7 * LINE_WORDS;
export const PEAK: number = TTL_EPOCH + 1;
/** 1 when a message was ever taken out of the middle: since then there may be fewer messages than positions between heads and tails. */
export const GAPPED: number = TTL_EPOCH + 2;
/** When the bucket of the rate limit is full again, if none is taken: a float of 64 bits, by place among these. */
export const BUCKET: number = (TTL_EPOCH + LINE_WORDS / 2) / 2;
const CONTROL_WORDS = 8 * LINE_WORDS;

export const MAX_PARTICIPANTS = 128;
/** So many that no two participants share a line; what is counted with every message is in the first half. */
const PARTICIPANT_WORDS = 32;
/** The first words of a participant: its key, 0 while the slot is free, and that of who started it. The counters follow, floats of 64 bits. */
export const KEY = 0;
export const STARTED_BY = 1;

/**
 * What a participant counts, by place among its floats. Outcomes and what was abandoned are counted twice over, and the lowest bit turns
 * each time, so that one write both counts any number of messages and shows that it was done.
 */
export const RECEIVED = 1;
export const EXPIRED = 2;
export const DROPPED = 3;
export const DEAD_LETTERED = 4;
export const REJECTED = 5;
/** The number of the last message that it made. */
export const LAST_MESSAGE = 6;
/** Messages that a thread had taken when it was ended. Who buries writes it: the thread does no more. */
export const ABANDONED = 7;
/** Counted where there is flow control. */
export const THROTTLED = 8;
export const FLOW_DROPPED = 9;
export const BLOCKED = 10;
export const DELAYED = 11;
export type FlowCounter = typeof THROTTLED | typeof FLOW_DROPPED | typeof BLOCKED | typeof DELAYED;
export type Outcome = typeof RECEIVED | typeof EXPIRED | typeof DROPPED | typeof DEAD_LETTERED;
export type Counter = Outcome | typeof REJECTED | FlowCounter;

/**
 * Two cache lines. Memory may begin in the middle of a line, so what every message needs stands at the beginning, and a short one behind
 * it: up to 20 bytes then lie on the same line.
 */
export const RECORD_WORDS = 32;
/** Words of a record. */
export const STATE = 0;
/** Which position its cell has, or is about to have. */
export const POSITION = 1;
/** In its lowest bits the ring of that cell and whether the message can expire; the rest is what `envelope.ts` says of the message. */
export const HEADER = 2;
export const RING_MASK = 0b111;
export const IS_MORTAL = 0b1000;
/** Bits of the header below those of `envelope.ts`. */
export const RING_BITS = 4;
/** Bytes of the message. */
export const CONTENT_BYTES = 3;
/** Floats of 64 bits, by place among the floats of the record: its maker's number of it, and when it expires, if it can. */
export const NUMBER = 2;
export const EXPIRES_AT = 15;
/** The first granule of its extent plus one; 0 when the message lies in the record itself. */
export const EXTENT = 6;
/** Where a small message begins, and how many bytes it may have. */
const INLINE_WORD = 7;
export const INLINE_BYTES: number = (2 * EXPIRES_AT - INLINE_WORD) * WORD_BYTES;

export const GRANULE_BYTES = 256;

export interface LayoutSettings {
  /** Messages that can wait. */
  readonly capacity: number;
  /** Rings, one for each priority. */
  readonly rings: number;
  /** Bytes for messages that do not fit into their record. */
  readonly arenaBytes: number;
}

/**
 * Reads that are hints: ten times quicker than those of `Atomics`, and they may see what a word was a moment ago. In an object, so that the
 * exploration of the protocol can stop before them as well.
 */
export const plain = {
  load: (words: Int32Array<SharedArrayBuffer>, index: number): number => words[index] ?? 0,
};

/** The memory of one shared inbox, as one thread sees it. */
export class Layout {
  readonly capacity: number;
  readonly rings: number;
  readonly granules: number;
  /** A ring has 2^cellBits cells. */
  readonly cellBits: number;
  /** Bits of a cell that name a record. */
  readonly indexBits: number;
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly floats: Float64Array<SharedArrayBuffer>;
  readonly bytes: Buffer<SharedArrayBuffer>;
  readonly #cells: number;
  readonly #owners: number;
  readonly #records: number;
  readonly #arena: number;

  /**
   * @param memory - that of an inbox that exists; a new one is made without it.
   * @throws {VigilError} `InvalidConfiguration` when there is not so much memory.
   */
  constructor({ capacity, rings, arenaBytes }: LayoutSettings, memory?: SharedArrayBuffer) {
    this.capacity = capacity;
    this.rings = rings;
    this.granules = Math.ceil(arenaBytes / GRANULE_BYTES);
    // Two more than there are records: a cell whose message is gone, and the end of the ring.
    this.indexBits = bitsFor(capacity + 2);
    // Four times as many cells as messages: a message that was taken out of the middle keeps its cell until the head passes it.
    this.cellBits = Math.max(this.indexBits + 2, 6);
    this.#cells = CONTROL_WORDS + MAX_PARTICIPANTS * PARTICIPANT_WORDS;
    this.#owners = this.#cells + rings * 2 ** this.cellBits;
    this.#records = roundUp(this.#owners + this.granules, LINE_WORDS);
    this.#arena = this.#records + capacity * RECORD_WORDS;
    const shared = memory ?? allocate(this.#arena * WORD_BYTES + this.granules * GRANULE_BYTES);
    this.words = new Int32Array(shared);
    this.floats = new Float64Array(shared);
    this.bytes = Buffer.from(shared);
  }

  get memory(): SharedArrayBuffer {
    return this.words.buffer;
  }

  get arenaBytes(): number {
    return this.granules * GRANULE_BYTES;
  }

  /** The first word of a participant. */
  participant(slot: number): number {
    return CONTROL_WORDS + slot * PARTICIPANT_WORDS;
  }

  /** One of a participant's counters, among the floats. */
  counter(slot: number, counter: number): number {
    return this.participant(slot) / 2 + counter;
  }

  /** The cell of a position in a ring. */
  cell(ring: number, position: number): number {
    return this.#cells + (ring << this.cellBits) + (position & ((1 << this.cellBits) - 1));
  }

  /** The word that says whose a granule is. */
  owner(granule: number): number {
    return this.#owners + granule;
  }

  /** The first word of a record. */
  record(index: number): number {
    return this.#records + index * RECORD_WORDS;
  }

  /** The first byte of the message of a record. */
  contentOf(record: number): number {
    const extent = this.words[record + EXTENT] ?? 0;
    return extent === 0 ? (record + INLINE_WORD) * WORD_BYTES : this.#arena * WORD_BYTES + (extent - 1) * GRANULE_BYTES;
  }
}

function allocate(sizeBytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(sizeBytes);
  } catch (cause) {
    throw new VigilError('InvalidConfiguration', `a shared inbox of this capacity needs ${sizeBytes} bytes, which cannot be had`, {
      cause,
    });
  }
}

function bitsFor(values: number): number {
  return 32 - Math.clz32(values - 1);
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
