import assert from 'node:assert/strict';
import {
  CONTENT_BYTES,
  DEAD_LETTERED,
  DROPPED,
  EXPIRED,
  type LayoutSettings,
  MAX_PARTICIPANTS,
  NUMBER,
  type Outcome,
  RECEIVED,
  STATE,
} from './layout.js';
import { NONE, SharedRing } from './ring.js';

export const SMALL_BYTES = 16;
/** More than a record has room for. */
export const LARGE_BYTES = 300;

/** One memory, some threads at it, and what they have seen of the messages. */
export class Scene {
  readonly settings: LayoutSettings;
  readonly threads: readonly SharedRing[];
  /** Numbers of messages that were sent, by those who learnt of it. */
  readonly published: number[] = [];
  /** Numbers of messages that were taken, by those who learnt of it. */
  readonly taken: number[] = [];
  /** Keys of threads that were ended and wait to be buried. */
  readonly dead: number[] = [];
  isClosed = false;
  /** Messages that a thread takes at once, at the most. */
  batch = 1;

  constructor(settings: LayoutSettings, threads = 3, firstPosition = 0) {
    this.settings = settings;
    const first = new SharedRing(settings, { key: 1 }, undefined, firstPosition);
    const others = Array.from({ length: threads - 1 }, (_, index) => new SharedRing(settings, { key: index + 2 }, first.layout.memory));
    this.threads = [first, ...others];
  }

  /** Whether a word is worth to stop at: keys of participants change only where somebody joins or was buried. */
  readonly isShared = (word: number): boolean => {
    const { layout } = this.threads[0]!;
    return word < layout.participant(0) || word >= layout.participant(MAX_PARTICIPANTS);
  };

  send(ring: SharedRing, number: number, bytes: number = SMALL_BYTES, at = 0, expiresAtMs = 0): boolean {
    const isSent = send(ring, number, bytes, at, expiresAtMs);
    if (isSent) this.published.push(number);
    return isSent;
  }

  /** Takes a message and settles it. */
  receive(ring: SharedRing, outcome: Outcome = RECEIVED): number | undefined {
    return this.#settle(ring, ring.take(), outcome);
  }

  /** Takes all that it can at once and settles it. */
  receiveBatch(ring: SharedRing): void {
    const count = ring.takeBatch(this.batch);
    for (let index = 0; index < count; index += 1) this.#read(ring, ring.taken(index));
    if (count > 0) ring.settleBatch(count);
  }

  /** Takes out a message that has expired and settles it. */
  expire(ring: SharedRing, nowMs: number): number | undefined {
    return this.#settle(ring, ring.takeExpired(nowMs), EXPIRED);
  }

  /** Takes out a certain message and settles it. */
  receiveThat(ring: SharedRing, number: number): number | undefined {
    return this.#settle(
      ring,
      ring.takeWhere((record) => numberOf(ring, record) === number),
      RECEIVED,
    );
  }

  buryAll(): void {
    for (const key of this.dead.splice(0)) this.observer.bury(key);
  }

  /** Who acts in no scene. */
  get observer(): SharedRing {
    return this.threads.at(-1)!;
  }

  /**
   * Empties the ring and looks whether nothing is missing: no message, no figure, no record, no granule.
   *
   * @param crashes - how many threads were ended, each of which may have taken as many messages with it as it takes at once.
   */
  assertWhole(crashes: number): void {
    const ring = this.observer;
    this.buryAll();
    const waiting = [...ring.waiting()].map((record) => numberOf(ring, record));
    const { taken } = this;
    const before = taken.length;
    assert.equal(ring.sent - settledOf(ring), waiting.length, 'as many wait as came in and are not gone');
    for (let number = this.receive(ring); number !== undefined; number = this.receive(ring));
    assert.deepEqual(taken.slice(before), waiting, 'what waits is what comes');
    assert.equal(new Set(taken).size, taken.length, 'a message was taken twice');
    const lost = this.published.filter((number) => !taken.includes(number));
    assert.ok(lost.length <= ring.abandoned, `lost ${lost.join()}`);
    assert.ok(ring.abandoned <= crashes * this.batch, 'more was abandoned than the ended threads can have had');
    assert.equal(ring.sent, settledOf(ring));
    assert.equal(ring.passed, ring.sent);
    assert.ok(ring.isEmpty() && [...ring.waiting()].length === 0);
    assertNoLeak(ring);
    this.#assertWorks();
  }

  #assertWorks(): void {
    const ring = this.observer;
    if (this.isClosed) {
      ring.close();
      assert.equal(this.send(ring, 900), false, 'sent although it is closed');
      return;
    }
    const numbers = Array.from({ length: this.settings.capacity }, (_, index) => 900 + index);
    for (const number of numbers) assert.ok(this.send(ring, number, SMALL_BYTES, 0, 1), 'no room although it is empty');
    assert.equal(this.send(ring, 999), false, 'more than the capacity');
    assert.deepEqual(
      numbers.map(() => this.expire(ring, 1)).toSorted((one, other) => one! - other!),
      numbers,
      'not all that have expired were found',
    );
    assert.equal(ring.sent, settledOf(ring));
  }

  #settle(ring: SharedRing, record: number, outcome: Outcome): number | undefined {
    if (record === NONE) return undefined;
    const number = this.#read(ring, record);
    ring.settle(record, outcome);
    return number;
  }

  #read(ring: SharedRing, record: number): number {
    const number = numberOf(ring, record);
    this.taken.push(number);
    // A step, so as to be stopped between the taking and the counting.
    Atomics.load(ring.layout.words, record + STATE);
    assertContent(ring, record, number);
    return number;
  }
}

export function send(ring: SharedRing, number: number, bytes: number = SMALL_BYTES, at = 0, expiresAtMs = 0): boolean {
  const record = ring.claim();
  if (record === NONE) return false;
  if (!ring.reserve(record, bytes)) {
    ring.withdraw(record);
    return false;
  }
  const { layout } = ring;
  layout.floats[record / 2 + NUMBER] = number;
  layout.bytes.fill(number & 0xff, layout.contentOf(record), layout.contentOf(record) + bytes);
  ring.setExpiry(record, expiresAtMs);
  if (ring.publish(record, at)) return true;
  ring.withdraw(record);
  return false;
}

export function numberOf(ring: SharedRing, record: number): number {
  return ring.layout.floats[record / 2 + NUMBER]!;
}

/** Whether each byte is what its sender has written. */
function assertContent({ layout }: SharedRing, record: number, number: number): void {
  const start = layout.contentOf(record);
  const end = start + layout.words[record + CONTENT_BYTES]!;
  for (let byte = start; byte < end; byte += 1) {
    if (layout.bytes[byte] !== (number & 0xff)) assert.fail(`byte ${byte - start} of message ${number} is ${layout.bytes[byte]}`);
  }
}

/** Messages that came in and wait no more. */
function settledOf(ring: SharedRing): number {
  return ring.total(RECEIVED) + ring.total(EXPIRED) + ring.total(DROPPED) + ring.total(DEAD_LETTERED) + ring.abandoned;
}

/** Whether all records are free, and all granules. */
function assertNoLeak(ring: SharedRing): void {
  const { capacity, arenaBytes } = ring.layout;
  const records = Array.from({ length: capacity }, () => ring.claim());
  assert.equal(new Set(records.filter((record) => record !== NONE)).size, capacity, 'a record is missing');
  assert.equal(ring.claim(), NONE);
  assert.ok(ring.reserve(records[0]!, arenaBytes), 'a part of the arena is missing');
  for (const record of records) ring.withdraw(record);
}
