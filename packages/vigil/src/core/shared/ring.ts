import { VigilError } from '../errors.js';
import {
  ABANDONED,
  BELL,
  BELL_WISHED,
  BLOCKING,
  CLOSED,
  CONTENT_BYTES,
  type Counter,
  DEAD_LETTERED,
  EXPIRES_AT,
  EXTENT,
  FULL,
  GAPPED,
  GRANULE_BYTES,
  HEAD_LAPS,
  HELD,
  HEADER,
  HEADS,
  INLINE_BYTES,
  IS_MORTAL,
  KEY,
  Layout,
  type LayoutSettings,
  MAX_PARTICIPANTS,
  type Outcome,
  plain,
  PEAK,
  POSITION,
  RECEIVED,
  RECORD_WORDS,
  REPLY_BELL,
  REPLY_WISHED,
  RING_MASK,
  ROOM_BELL,
  ROOM_WISHED,
  STARTED_BY,
  STATE,
  TAIL_LAPS,
  TAILS,
  TTL_EPOCH,
} from './layout.js';

/** What a record is: the lowest bits of its state word. */
const FREE = 0;
/** Being written by its sender, or named by a cell. */
const OFFERED = 1;
/** Being read by its receiver. */
const TAKEN = 2;
const KIND_MASK = 3;
/** How many messages the receiver had settled before, modulo 2. */
const PARITY_BIT = 4;
const OWNER_SHIFT = 3;
const OWNER_MASK = 0xff;
/** Above these, how often the record was freed: a state that was read long ago is not taken for that of today. */
const LIFE_SHIFT = 11;
const BELOW_LIFE = (1 << LIFE_SHIFT) - 1;

/** What a cell names instead of a record. */
const GONE = 0;
const END = 1;
const FIRST_RECORD = 2;

/** Positions between two looks at the laps. */
const LAP_CHECK = 2 ** 20;
const LAP_BITS = 30;

/** Tails are moved on at every so many messages of a ring, but at least eight times in a lap. */
const TAIL_STRIDE = 32;

/** Wakes all who sleep. */
const EVERYBODY = Number.POSITIVE_INFINITY;

/** A thread at a ring. */
export interface Participant {
  /** More than 0, and no other thread's. */
  readonly key: number;
  /** The key of the thread that started it, with which it ends. */
  readonly startedBy?: number | undefined;
}

/** Nothing to take, no room to send: no record has this number. */
export const NONE = -1;

/**
 * The rings of one shared inbox, as one thread uses them: many senders, many receivers, nobody waits for anybody.
 *
 * The life of a record, and who moves it on:
 *
 *     free ── a sender: CAS ──▶ offered ── a receiver: CAS ──▶ taken ── the same receiver ──▶ free, one life later
 *              (writes it, then        (reads it, counts what
 *               names it in a cell)     became of it)
 *
 * *Sending.* A sender makes a free record its own, writes the message, notes which cell it is going to have, and names it in the first
 * unused cell by one CAS: that is the moment in which the message is sent. Where that cell is it knows from its last message, or finds by
 * going on from the tail: the word for the tail is moved on only now and then, and is never beyond the true one. *Receiving.* A receiver
 * goes from cell to cell, beginning at the head, and makes the records there its own by one CAS each: the moment in which a message is
 * taken. What it finds taken or gone it passes. Then it moves the head on over all that it has passed, then it reads the messages and
 * frees their records. If it does not move the head on, whoever comes next and finds them taken does. Between reading the state of a
 * record and the CAS it looks again whether the head has not passed the cell, and the cell is what it was: a record is freed only after
 * the head has passed its cell, or the cell says that it is gone, so the state belonged to the message in that cell. *Taking out of the
 * middle*, for what has expired or is somebody's reply: the same CAS, then the cell is marked as gone, then the record is freed.
 *
 * *Closing* sets the closed word, then puts an end mark into the cell at the tail of each ring, where a message would have come. Nothing
 * can be sent behind it, so a receiver that has found it knows that nothing more will come. Whoever sees the closed word puts the marks
 * that are missing.
 *
 * *Ended threads.* A thread can be ended between any two steps. Before it is named in a cell its record is nobody's message: `bury` frees
 * it. Afterwards the message is sent, whoever made it. Records that it had taken are freed by `bury`, and count as abandoned unless the
 * thread had counted them already: it counts all that it has taken by one write, which turns the parity of its counters, and the state of
 * each record keeps the parity from before. Nobody else is held up by any of this meanwhile, only the records are missing. A wake-up that
 * it owed, or had got and did not pass on, is made up for by `bury`, which rings every bell.
 *
 * *Sleeping.* Who wants to sleep raises the wish, looks once more, and sleeps on the bell's number. Who sends takes the wish down and, if
 * it was raised, changes the number and wakes one. Who was woken raises the wish again on behalf of those who sleep on.
 *
 * *Order of memory.* All words that two threads may write are changed by `Atomics` only, which are sequentially consistent in JavaScript.
 * Content, header and counters are plain: content is written before the CAS that names the record and read after the CAS that takes it;
 * counters have one writer. Heads, tails, cells and states are also read plainly, ten times quicker: where a CAS on the same word follows
 * that fails if the read was out of date, where an atomic read comes before that fixes the order, or as a hint. Positions count modulo 2^32, a cell has the lap of its position beside the record, so a CAS can succeed by
 * mistake only when a thread has stood still while exactly 2^32 messages of one priority went by, or one record was used 2^21 times.
 *
 * Invariants: the words for head and tail are never beyond the first unused cell, which is less than a lap beyond the head; each record
 * that is named by a cell between these is offered or taken; no two such cells name the same record.
 */
export class SharedRing {
  readonly layout: Layout;
  readonly #slot: number;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #floats: Float64Array<SharedArrayBuffer>;
  readonly #cellCount: number;
  readonly #laps: number;
  readonly #indexMask: number;
  readonly #firstRecord: number;
  /** That of this thread's own counters. */
  #parity = 0;
  readonly #strideMask: number;
  /** What heads and true tails were when they were looked at last; they only go on. */
  readonly #knownHeads: Int32Array;
  readonly #knownTails: Int32Array;
  /** Between these. */
  #knownDepth = 0;
  /** The records that `takeBatch` has taken: as many as it said. */
  readonly #batch: number[] = [];
  /** The state of the record that `waiting` has given last, as it was when its message waited. */
  #waitingState = 0;
  #nextRecord = 0;
  #nextGranule = 0;
  #sweptEpoch = -1;
  #nextExpiryMs = Number.NEGATIVE_INFINITY;

  /**
   * Attaches a thread to the memory.
   *
   * @param thread - by which `bury` knows it.
   * @param firstPosition - where a new ring begins to count.
   * @throws {VigilError} `InvalidConfiguration` when there is not so much memory, or as many threads use it as can.
   */
  constructor(settings: LayoutSettings, thread: Participant, memory?: SharedArrayBuffer, firstPosition = 0) {
    this.layout = new Layout(settings, memory);
    this.#words = this.layout.words;
    this.#floats = this.layout.floats;
    this.#cellCount = 2 ** this.layout.cellBits;
    this.#laps = 2 ** (32 - this.layout.cellBits) - 1;
    this.#indexMask = 2 ** this.layout.indexBits - 1;
    this.#firstRecord = this.layout.record(0);
    this.#strideMask = Math.min(TAIL_STRIDE, this.#cellCount / 8) - 1;
    if (memory === undefined) this.#begin(firstPosition);
    this.#slot = this.#join(thread);
    this.#knownHeads = this.#words.slice(HEADS, HEADS + settings.rings);
    this.#knownTails = this.#knownHeads.slice();
    this.#parity = this.#parityOf(this.#slot);
    this.#nextRecord = Math.floor((this.#slot / MAX_PARTICIPANTS) * settings.capacity);
  }

  /** This thread's place among the participants. */
  get slot(): number {
    return this.#slot;
  }

  get isClosed(): boolean {
    return plain.load(this.#words, CLOSED) !== 0;
  }

  /** While it holds, nothing is given out that comes in from now on; what somebody is just taking he has. */
  get isHeld(): boolean {
    return plain.load(this.#words, HELD) !== 0;
  }

  hold(): void {
    Atomics.store(this.#words, HELD, 1);
  }

  release(): void {
    Atomics.store(this.#words, HELD, 0);
    this.ringAll();
  }

  /**
   * Makes a free record this thread's own.
   *
   * @returns its first word, or `NONE` when all are in use.
   */
  claim(): number {
    const words = this.#words;
    if (plain.load(words, FULL) === 1 && !this.isEmpty()) return NONE;
    const { capacity } = this.layout;
    const looking = this.#slot + 2;
    for (let pass = 0; pass < 2; pass += 1) {
      for (let tried = 0; tried < capacity; tried += 1) {
        const record = this.layout.record(this.#nextRecord);
        const state = plain.load(words, record + STATE);
        const isFree = (state & KIND_MASK) === FREE;
        if (!isFree && tried === 0 && this.#allRecordsWait()) return NONE;
        this.#nextRecord = this.#nextRecord + 1 === capacity ? 0 : this.#nextRecord + 1;
        if (!isFree) continue;
        const mine = (state & ~BELOW_LIFE) | OFFERED | (this.#slot << OWNER_SHIFT);
        if (Atomics.compareExchange(words, record + STATE, state, mine) !== state) continue;
        return record;
      }
      if (pass === 0) Atomics.store(words, FULL, looking);
    }
    // Who has freed a record behind this look has taken the word back: to say "full" then would be a lie until the next one is freed.
    Atomics.compareExchange(words, FULL, looking, 1);
    return NONE;
  }

  /**
   * Says how many bytes the message in a claimed record has, and gives it the granules that they need, side by side.
   *
   * @returns false when there are not so many in a row.
   */
  reserve(record: number, bytes: number): boolean {
    const words = this.#words;
    words[record + CONTENT_BYTES] = bytes;
    if (bytes <= INLINE_BYTES) return true;
    const needed = Math.ceil(bytes / GRANULE_BYTES);
    const { granules } = this.layout;
    // More than there are would be looked for behind the owners, among the records.
    if (needed > granules) return false;
    const owner = this.#indexOf(record) + 1;
    let first = this.#nextGranule + needed > granules ? 0 : this.#nextGranule;
    for (let looked = 0; looked <= granules; ) {
      if (first + needed > granules) {
        looked += granules - first;
        first = 0;
      }
      let got = 0;
      while (got < needed && Atomics.compareExchange(words, this.layout.owner(first + got), 0, owner) === 0) got += 1;
      if (got === needed) {
        words[record + EXTENT] = first + 1;
        this.#nextGranule = first + needed;
        return true;
      }
      for (let back = 0; back < got; back += 1) Atomics.store(words, this.layout.owner(first + back), 0);
      looked += got + 1;
      first += got + 1;
    }
    return false;
  }

  /**
   * Sends the message in a claimed record: names it in the next cell of a ring.
   *
   * @returns false when the ring has ended or, since many messages have expired behind one that still waits, has no cell left; the record is still claimed.
   */
  publish(record: number, ring: number): boolean {
    const words = this.#words;
    const header = words[record + HEADER] ?? 0;
    words[record + HEADER] = (header & ~RING_MASK) | ring;
    for (let tail = this.#knownTails[ring] ?? 0; ; ) {
      const cell = this.layout.cell(ring, tail);
      const content = plain.load(words, cell);
      const lap = tail >>> this.layout.cellBits;
      if (this.#lapOf(content) !== ((lap - 1) & this.#laps)) {
        if (content === this.#cellContent(lap, END)) return false;
        tail = this.#furtherTail(ring, tail);
        continue;
      }
      // The last cell is left for the end.
      if (((tail - (this.#knownHeads[ring] ?? 0)) | 0) >= this.#cellCount - 1 && this.#isOutOfCells(ring, tail)) {
        this.#knowTail(ring, tail);
        return false;
      }
      words[record + POSITION] = tail;
      if (Atomics.compareExchange(words, cell, content, this.#cellContent(lap, this.#indexOf(record) + FIRST_RECORD)) !== content) continue;
      this.#sentAt(ring, tail);
      // Now, not before it was named: who has looked for expired messages meanwhile has not seen this one, and must look again.
      if ((header & IS_MORTAL) !== 0) Atomics.add(words, TTL_EPOCH, 1);
      return true;
    }
  }

  /** Gives back a claimed record that was not sent. */
  withdraw(record: number): void {
    this.#free(record);
  }

  /** Says when the message in a claimed record expires; 0 for never. Said of every message, since a record keeps what it had. */
  setExpiry(record: number, expiresAtMs: number): void {
    const header = this.#words[record + HEADER] ?? 0;
    if (expiresAtMs === 0) {
      this.#words[record + HEADER] = header & ~IS_MORTAL;
    } else {
      this.#words[record + HEADER] = header | IS_MORTAL;
      this.#floats[record / 2 + EXPIRES_AT] = expiresAtMs;
    }
  }

  /** When the message in a record expires; 0 for never. */
  expiryOf(record: number): number {
    const isMortal = ((this.#words[record + HEADER] ?? 0) & IS_MORTAL) !== 0;
    return isMortal ? (this.#floats[record / 2 + EXPIRES_AT] ?? 0) : 0;
  }

  /** Takes the next message: that of the first ring that has one. @returns its record, or `NONE`. */
  take(): number {
    return this.takeBatch(1) === 0 ? NONE : this.taken(0);
  }

  /**
   * Takes messages of the first ring that has any, the oldest first; one with a time to live comes alone.
   *
   * @returns how many: `taken` gives their records until the next call.
   */
  takeBatch(limit: number): number {
    return this.#takeUpTo(limit, false);
  }

  /** As `take`, though it is held: nobody is left to whom it could be given out. */
  takeLeft(): number {
    return this.#takeUpTo(1, true) === 0 ? NONE : this.taken(0);
  }

  /** Takes the oldest of the least urgent messages, down to a ring, though it is held: to make room. @returns its record, or `NONE`. */
  takeLeastUrgent(downTo: number): number {
    for (let ring = this.layout.rings - 1; ring >= downTo; ring -= 1) if (this.#takeFrom(ring, 1, true) > 0) return this.taken(0);
    return NONE;
  }

  /** One of the records of the last batch. */
  taken(index: number): number {
    return this.#batch[index] ?? NONE;
  }

  /** Counts what became of a taken message and frees its record. */
  settle(record: number, outcome: Outcome): void {
    this.#tally(this.#slot, outcome, 1);
    this.#parity ^= PARITY_BIT;
    this.#free(record);
  }

  /** Counts the messages of the last batch as received and frees their records. */
  settleBatch(count: number): void {
    this.#tally(this.#slot, RECEIVED, count);
    this.#parity ^= PARITY_BIT;
    for (let index = 0; index < count; index += 1) this.#free(this.taken(index));
  }

  /** Whether nothing waits. */
  isEmpty(): boolean {
    for (let ring = 0; ring < this.layout.rings; ring += 1) {
      const head = plain.load(this.#words, HEADS + ring);
      if (!this.#isUnused(plain.load(this.#words, this.layout.cell(ring, head)), head)) return false;
    }
    return true;
  }

  /**
   * Takes out one message whose time is over, wherever it waits.
   *
   * @returns its record, or `NONE` when there is none.
   */
  takeExpired(nowMs: number): number {
    const epoch = Atomics.load(this.#words, TTL_EPOCH);
    if (epoch === this.#sweptEpoch && nowMs < this.#nextExpiryMs) return NONE;
    // What is taken out here was waiting, though no receiver may ever have seen it.
    this.#notePeak();
    let nextMs = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.layout.capacity; index += 1) {
      const record = this.layout.record(index);
      const state = Atomics.load(this.#words, record + STATE);
      if ((state & KIND_MASK) !== OFFERED || !this.#isNamed(record)) continue;
      const expiresAtMs = this.expiryOf(record);
      if (expiresAtMs === 0) continue;
      if (expiresAtMs > nowMs) nextMs = Math.min(nextMs, expiresAtMs);
      else if (this.#takeRecord(record, state)) {
        this.#unname(record);
        return record;
      }
    }
    this.#sweptEpoch = epoch;
    this.#nextExpiryMs = nextMs;
    return NONE;
  }

  /**
   * Takes out the first message that matches, wherever it waits.
   *
   * @param matches - may see anything, and may throw, when the message is taken and another one is written meanwhile.
   * @returns its record, or `NONE` when there is none, or nothing is given out.
   */
  takeWhere(matches: (record: number) => boolean): number {
    for (const record of this.waiting()) {
      const state = this.#waitingState;
      if (this.look(record, () => matches(record)) !== true) continue;
      // As in receiving: not before the cell was read.
      if (this.isHeld) return NONE;
      if (!this.#takeRecord(record, state)) continue;
      this.#notePeak();
      this.#unname(record);
      return record;
    }
    return NONE;
  }

  /** When the next message may expire, by what the last look has found. */
  get nextExpiryMs(): number {
    return Atomics.load(this.#words, TTL_EPOCH) === this.#sweptEpoch ? this.#nextExpiryMs : Number.NEGATIVE_INFINITY;
  }

  /** Ends all rings; false when they were ended already. Nothing that is sent from now on comes in. */
  close(): boolean {
    const isFirst = Atomics.compareExchange(this.#words, CLOSED, 0, 1) === 0;
    this.endRings();
    Atomics.notify(this.#words, CLOSED);
    this.ringAll();
    return isFirst;
  }

  /** Puts the end marks of a closed inbox where they are missing. */
  endRings(): void {
    for (let ring = 0; ring < this.layout.rings; ring += 1) this.#endRing(ring);
  }

  /** The records of the messages that wait, in the order of delivery, unless they are taken meanwhile. */
  *waiting(): Generator<number> {
    for (let ring = 0; ring < this.layout.rings; ring += 1) yield* this.waitingIn(ring);
  }

  *waitingIn(ring: number): Generator<number> {
    const words = this.#words;
    const tail = this.#tailOf(ring);
    for (let position = Atomics.load(words, HEADS + ring); ((tail - position) | 0) > 0; position = (position + 1) | 0) {
      const cell = this.layout.cell(ring, position);
      const content = Atomics.load(words, cell);
      const index = (content & this.#indexMask) - FIRST_RECORD;
      if (index < 0 || this.#lapOf(content) !== position >>> this.layout.cellBits) continue;
      const record = this.layout.record(index);
      const state = Atomics.load(words, record + STATE);
      if ((state & KIND_MASK) !== OFFERED) continue;
      // As in receiving: otherwise the state is that of a later message in the same record, which may be half written.
      if (Atomics.load(words, cell) !== content || ((position - Atomics.load(words, HEADS + ring)) | 0) < 0) continue;
      this.#waitingState = state;
      yield record;
    }
  }

  /**
   * Looks into a message that waits without taking it.
   *
   * @param record - the one that `waiting` has given last.
   * @param read - may see anything, and may throw, when the message is taken and another one is written meanwhile.
   * @returns what it gave, or `undefined` when the message is not there any more.
   */
  look<R>(record: number, read: () => R): R | undefined {
    const state = this.#waitingState;
    try {
      const seen = read();
      return Atomics.load(this.#words, record + STATE) === state ? seen : undefined;
    } catch (error) {
      if (Atomics.load(this.#words, record + STATE) === state) throw error;
      return undefined;
    }
  }

  /** Wakes one who waits for a message, if anybody wishes it. */
  ringBell(): void {
    this.#ring(BELL, BELL_WISHED);
  }

  /** Wakes one who waits for room, if anybody wishes it. */
  ringForRoom(): void {
    this.#ring(ROOM_BELL, ROOM_WISHED);
  }

  /**
   * Whether somebody waits for the low watermark, whom others should not overtake. It may be out of date for a moment, and somebody overtaken:
   * nobody relies on it to be woken.
   */
  get isBlocking(): boolean {
    return Atomics.load(this.#words, BLOCKING) !== 0;
  }

  set isBlocking(isBlocking: boolean) {
    if (this.isBlocking !== isBlocking) Atomics.store(this.#words, BLOCKING, Number(isBlocking));
  }

  /** Wakes all who wait for a certain message, if anybody wishes it. */
  ringForReplies(): void {
    this.#ring(REPLY_BELL, REPLY_WISHED, EVERYBODY);
  }

  /** Wakes everybody. */
  ringAll(): void {
    for (const bell of [BELL, ROOM_BELL, REPLY_BELL]) {
      Atomics.add(this.#words, bell, 1);
      Atomics.notify(this.#words, bell, EVERYBODY);
    }
  }

  /** Raises the wish to be woken and gives the number to sleep on, before the last look. */
  wish(bell: number): number {
    const number = Atomics.load(this.#words, bell);
    Atomics.store(this.#words, bell + 1, 1);
    // Whatever is read after an atomic load is read later: the last look sees what was sent before the wish was.
    Atomics.load(this.#words, bell);
    return number;
  }

  /**
   * Ends what a thread has begun that is no more, and what the threads have that it had started, which ended with it: frees their records,
   * counts what they had taken as abandoned, rings every bell.
   *
   * Only one thread may bury at a time, and only who is certain that the thread with this key does not run any more. If who buries is
   * ended in the middle of it, the next one does it again, and buries both.
   */
  bury(key: number): void {
    for (const slot of this.#family(key)) {
      this.#abandonTaken(slot);
      for (let index = 0; index < this.layout.capacity; index += 1) this.#buryRecord(this.layout.record(index), slot);
      Atomics.store(this.#words, this.layout.participant(slot) + STARTED_BY, 0);
      Atomics.store(this.#words, this.layout.participant(slot) + KEY, 0);
    }
    Atomics.store(this.#words, FULL, 0);
    Atomics.add(this.#words, TTL_EPOCH, 1);
    if (this.isClosed) {
      this.endRings();
      Atomics.notify(this.#words, CLOSED);
    }
    this.ringAll();
  }

  /** The slots of a thread and of all that it has started, its own last: whoever is ended in the middle of burying them can be followed. */
  #family(key: number): number[] {
    const words = this.#words;
    const slots: number[] = [];
    if (key === 0) return slots;
    for (let slot = 0; slot < MAX_PARTICIPANTS; slot += 1) {
      const participant = this.layout.participant(slot);
      if (Atomics.load(words, participant + STARTED_BY) === key) slots.unshift(...this.#family(Atomics.load(words, participant + KEY)));
      if (Atomics.load(words, participant + KEY) === key) slots.push(slot);
    }
    return slots;
  }

  /** Counts something that is no outcome of a taken message: those are counted as the message is settled. */
  count(counter: Exclude<Counter, Outcome>): void {
    this.#tally(this.#slot, counter, 1);
  }

  /** The sum of a counter over all participants, those that are gone among them. */
  total(counter: Counter | typeof ABANDONED): number {
    let sum = 0;
    for (let slot = 0; slot < MAX_PARTICIPANTS; slot += 1) sum += Math.floor((this.#floats[this.layout.counter(slot, counter)] ?? 0) / 2);
    return sum;
  }

  get abandoned(): number {
    return this.total(ABANDONED);
  }

  /** Whether fewer messages wait than so many. */
  holdsLessThan(count: number): boolean {
    return this.#span < count || this.depthUpTo(count) < count;
  }

  /** Messages that wait, counted one by one, up to so many. */
  depthUpTo(most: number): number {
    let depth = 0;
    for (const _ of this.waiting()) {
      depth += 1;
      if (depth >= most) break;
    }
    return depth;
  }

  /** Messages that came in, over all rings: the way that their tails have gone. */
  get sent(): number {
    for (let ring = 0; ring < this.layout.rings; ring += 1) this.#tailOf(ring);
    return this.#way(TAILS, TAIL_LAPS);
  }

  /** Of each ring, the messages that came in and the cells that its head has passed. */
  figures(): { readonly arrived: number; readonly left: number }[] {
    return Array.from({ length: this.layout.rings }, (_, ring) => {
      const left = this.#wayOf(ring, HEADS, HEAD_LAPS);
      this.#tailOf(ring);
      return { arrived: this.#wayOf(ring, TAILS, TAIL_LAPS), left };
    });
  }

  /** Cells that heads have passed. */
  get passed(): number {
    return this.#way(HEADS, HEAD_LAPS);
  }

  /**
   * The most that have waited at a time, those among them whose cells no head has passed since they were taken out of the middle. Where
   * several threads send with different priorities, each knows those of the others a stride late.
   */
  get peakDepth(): number {
    this.#notePeak();
    return Atomics.load(this.#words, PEAK);
  }

  #begin(firstPosition: number): void {
    // Cells are zero: of the lap before the first.
    const first = ((Math.floor(firstPosition / this.#cellCount) + 1) * this.#cellCount) % 2 ** 32;
    for (let ring = 0; ring < this.layout.rings; ring += 1) {
      this.#words[HEADS + ring] = first;
      this.#words[TAILS + ring] = first;
      const laps = Math.floor(first / 2 ** LAP_BITS);
      this.#words[HEAD_LAPS + ring] = laps;
      this.#words[TAIL_LAPS + ring] = laps;
      const before = this.#cellContent(((first >>> this.layout.cellBits) - 1) & this.#laps, GONE);
      for (let position = 0; position < this.#cellCount; position += 1) this.#words[this.layout.cell(ring, position)] = before;
    }
    this.#words[TTL_EPOCH] = 0;
    this.#words[HEADS + 8] = first;
  }

  #join({ key, startedBy = 0 }: Participant): number {
    for (let slot = 0; slot < MAX_PARTICIPANTS; slot += 1) {
      const participant = this.layout.participant(slot);
      if (Atomics.compareExchange(this.#words, participant + KEY, 0, key) !== 0) continue;
      Atomics.store(this.#words, participant + STARTED_BY, startedBy);
      return slot;
    }
    throw new VigilError(
      'InvalidConfiguration',
      `a shared inbox can be used by ${MAX_PARTICIPANTS} threads at a time, and this is one more`,
    );
  }

  #takeUpTo(limit: number, evenIfHeld: boolean): number {
    for (let ring = 0; ring < this.layout.rings; ring += 1) {
      const count = this.#takeFrom(ring, limit, evenIfHeld);
      if (count > 0) return count;
    }
    return 0;
  }

  #takeFrom(ring: number, limit: number, evenIfHeld: boolean): number {
    const words = this.#words;
    const head = plain.load(words, HEADS + ring);
    let position = head;
    let count = 0;
    for (let most = limit; count < most; ) {
      const cell = this.layout.cell(ring, position);
      const content = plain.load(words, cell);
      const index = content & this.#indexMask;
      if (this.#lapOf(content) !== position >>> this.layout.cellBits || index === END) {
        // Nothing is there, unless the head has moved on meanwhile.
        const next = this.#notBehind(HEADS, ring, position);
        if (next === position) break;
        position = next;
        continue;
      }
      if (index !== GONE) {
        const record = this.layout.record(index - FIRST_RECORD);
        const state = Atomics.load(words, record + STATE);
        // Whatever is read after an atomic load is read later.
        const next = this.#notBehind(HEADS, ring, position);
        if (next !== position || plain.load(words, cell) !== content) {
          position = next;
          continue;
        }
        // Not before the cell was read: what was named in it since the hold would be taken.
        if (!evenIfHeld && this.isHeld) break;
        if ((state & KIND_MASK) === OFFERED) {
          const isMortal = this.expiryOf(record) !== 0;
          if (isMortal && count > 0) break;
          if (!this.#takeRecord(record, state)) continue;
          this.#batch[count] = record;
          count += 1;
          if (isMortal) most = count;
        }
      }
      position = (position + 1) | 0;
    }
    if (position !== head) this.#raise(HEADS, ring, position);
    return count;
  }

  #takeRecord(record: number, state: number): boolean {
    const mine = (state & ~BELOW_LIFE) | TAKEN | (this.#slot << OWNER_SHIFT) | this.#parity;
    return Atomics.compareExchange(this.#words, record + STATE, state, mine) === state;
  }

  /** A position, or the end that is further on. */
  #notBehind(ends: number, ring: number, position: number): number {
    const end = plain.load(this.#words, ends + ring);
    return ((end - position) | 0) > 0 ? end : position;
  }

  /** Moves an end on to a position, unless it is further on. */
  #raise(ends: number, ring: number, position: number): void {
    const words = this.#words;
    for (;;) {
      const end = Atomics.load(words, ends + ring);
      if (((position - end) | 0) <= 0) return;
      if (Atomics.compareExchange(words, ends + ring, end, position) !== end) continue;
      const isNewLap = Math.floor((end >>> 0) / LAP_CHECK) !== Math.floor((position >>> 0) / LAP_CHECK);
      if (isNewLap) this.#noteLap((ends === HEADS ? HEAD_LAPS : TAIL_LAPS) + ring, position);
      return;
    }
  }

  /** Late is no harm: the two lowest bits tell whether it was done, or whether more was done than `position` knows of. */
  #noteLap(word: number, position: number): void {
    const laps = Atomics.load(this.#words, word);
    if (((laps + 1) & 3) === position >>> LAP_BITS) Atomics.compareExchange(this.#words, word, laps, laps + 1);
  }

  #way(ends: number, lapsOf: number): number {
    let way = 0;
    for (let ring = 0; ring < this.layout.rings; ring += 1) way += this.#wayOf(ring, ends, lapsOf);
    return way;
  }

  #wayOf(ring: number, ends: number, lapsOf: number): number {
    const first = this.#words[HEADS + 8] ?? 0;
    for (;;) {
      const position = Atomics.load(this.#words, ends + ring) >>> 0;
      this.#noteLap(lapsOf + ring, position);
      const laps = Atomics.load(this.#words, lapsOf + ring);
      // Another quarter may have begun between the two.
      if ((laps & 3) === position >>> LAP_BITS) return laps * 2 ** LAP_BITS + (position & (2 ** LAP_BITS - 1)) - (first >>> 0);
    }
  }

  /** Where the next message of a ring would come. */
  #tailOf(ring: number): number {
    const words = this.#words;
    const noted = Atomics.load(words, TAILS + ring);
    let tail = noted;
    while (!this.#isUnused(Atomics.load(words, this.layout.cell(ring, tail)), tail)) tail = this.#furtherTail(ring, tail);
    if (tail !== noted) this.#raise(TAILS, ring, tail);
    return tail;
  }

  /** A place nearer to the tail than one that is used. */
  #furtherTail(ring: number, position: number): number {
    return this.#notBehind(HEADS, ring, this.#notBehind(TAILS, ring, (position + 1) | 0));
  }

  /** Whether a cell holds no message of the lap of this position: that of the lap before, or the end of the ring. */
  #isUnused(content: number, position: number): boolean {
    const lap = position >>> this.layout.cellBits;
    return this.#lapOf(content) === ((lap - 1) & this.#laps) || content === this.#cellContent(lap, END);
  }

  /** Whether a ring has no cell left, since a message still waits at its head and many behind it have expired. */
  #isOutOfCells(ring: number, tail: number): boolean {
    this.#passGone(ring);
    this.#lookAround();
    return ((tail - (this.#knownHeads[ring] ?? 0)) | 0) >= this.#cellCount - 1;
  }

  /** Whether there are as many messages between heads and tails as records: where none was taken out of the middle, all are in use. */
  #allRecordsWait(): boolean {
    if (plain.load(this.#words, GAPPED) !== 0) return false;
    this.#lookAround();
    return this.#knownDepth >= this.layout.capacity;
  }

  /** A message was named in the cell of a position. */
  #sentAt(ring: number, position: number): void {
    const next = (position + 1) | 0;
    const isStride = (next & this.#strideMask) === 0;
    this.#knowTail(ring, next);
    if (isStride) this.#raise(TAILS, ring, next);
    // The heads and the other tails, which others write all the time, are looked at once in a stride, and where it may be a new peak.
    if (isStride || Math.min(this.#knownDepth, this.layout.capacity) > plain.load(this.#words, PEAK)) this.#lookAround();
  }

  #knowTail(ring: number, tail: number): void {
    this.#knownDepth += (tail - (this.#knownTails[ring] ?? 0)) | 0;
    this.#knownTails[ring] = tail;
  }

  /** Looks where heads and tails are. */
  #lookAround(): void {
    let depth = 0;
    for (let ring = 0; ring < this.layout.rings; ring += 1) {
      const head = plain.load(this.#words, HEADS + ring);
      const tail = this.#notBehind(TAILS, ring, this.#notBehind(HEADS, ring, this.#knownTails[ring] ?? 0));
      this.#knownHeads[ring] = head;
      this.#knownTails[ring] = tail;
      depth += Math.max((tail - head) | 0, 0);
    }
    this.#knownDepth = depth;
    this.#raisePeak(depth);
  }

  #notePeak(): void {
    this.#raisePeak(this.#span);
  }

  /** Cells between heads and tails: as many as messages wait, and were taken out of their middle. */
  get #span(): number {
    let span = 0;
    for (let ring = 0; ring < this.layout.rings; ring += 1) {
      span += (this.#tailOf(ring) - Atomics.load(this.#words, HEADS + ring)) | 0;
    }
    return span;
  }

  #raisePeak(depth: number): void {
    const words = this.#words;
    const seen = Math.min(depth, this.layout.capacity);
    for (let peak = Atomics.load(words, PEAK); seen > peak; peak = Atomics.load(words, PEAK)) {
      Atomics.compareExchange(words, PEAK, peak, seen);
    }
  }

  #endRing(ring: number): void {
    const words = this.#words;
    for (;;) {
      const tail = this.#tailOf(ring);
      const cell = this.layout.cell(ring, tail);
      const content = Atomics.load(words, cell);
      const lap = tail >>> this.layout.cellBits;
      const end = this.#cellContent(lap, END);
      if (content === end) return;
      if (this.#lapOf(content) === lap) continue;
      if (Atomics.compareExchange(words, cell, content, end) === content) return;
    }
  }

  #free(record: number): void {
    const words = this.#words;
    const extent = words[record + EXTENT] ?? 0;
    if (extent > 0) {
      const end = extent - 1 + Math.ceil((words[record + CONTENT_BYTES] ?? 0) / GRANULE_BYTES);
      for (let granule = extent - 1; granule < end; granule += 1) Atomics.store(words, this.layout.owner(granule), 0);
      words[record + EXTENT] = 0;
    }
    const state = words[record + STATE] ?? 0;
    Atomics.store(words, record + STATE, ((state & ~BELOW_LIFE) + BELOW_LIFE + 1) | FREE);
    if (plain.load(words, FULL) !== 0) Atomics.store(words, FULL, 0);
  }

  #buryRecord(record: number, slot: number): void {
    const state = Atomics.load(this.#words, record + STATE);
    const kind = state & KIND_MASK;
    if (kind === FREE || ((state >>> OWNER_SHIFT) & OWNER_MASK) !== slot) return;
    if (kind === OFFERED) {
      if (this.#isNamed(record)) return;
      // A receiver may have been quicker, when it was named after all. If not, it never will be, and is nobody's.
      if (Atomics.load(this.#words, record + STATE) !== state) return;
    } else {
      this.#unname(record);
    }
    // The thread may have been ended before it noted its granules.
    const owner = this.#indexOf(record) + 1;
    for (let granule = 0; granule < this.layout.granules; granule += 1) {
      Atomics.compareExchange(this.#words, this.layout.owner(granule), owner, 0);
    }
    this.#words[record + EXTENT] = 0;
    this.#free(record);
  }

  /** Counts what a thread had taken and not counted, by one write: if who buries is ended behind it, the parity tells the next one. */
  #abandonTaken(slot: number): void {
    const uncounted = TAKEN | (slot << OWNER_SHIFT) | this.#parityOf(slot);
    let count = 0;
    for (let index = 0; index < this.layout.capacity; index += 1) {
      if ((Atomics.load(this.#words, this.layout.record(index) + STATE) & BELOW_LIFE) === uncounted) count += 1;
    }
    if (count > 0) this.#tally(slot, ABANDONED, count);
  }

  /** Adds to a counter, and turns its lowest bit. */
  #tally(slot: number, counter: Counter | typeof ABANDONED, count: number): void {
    const place = this.layout.counter(slot, counter);
    const value = this.#floats[place] ?? 0;
    this.#floats[place] = value + 2 * count + (value % 2 === 0 ? 1 : -1);
  }

  /** Whether the cell that a record has noted names it and has not been passed. */
  #isNamed(record: number): boolean {
    const ring = (this.#words[record + HEADER] ?? 0) & RING_MASK;
    const position = Atomics.load(this.#words, record + POSITION);
    const named = this.#cellContent(position >>> this.layout.cellBits, this.#indexOf(record) + FIRST_RECORD);
    if (Atomics.load(this.#words, this.layout.cell(ring, position)) !== named) return false;
    return ((position - Atomics.load(this.#words, HEADS + ring)) | 0) >= 0;
  }

  /** The cell of a taken record says from now on that nothing is there. */
  #unname(record: number): void {
    const ring = (this.#words[record + HEADER] ?? 0) & RING_MASK;
    const position = Atomics.load(this.#words, record + POSITION);
    const lap = position >>> this.layout.cellBits;
    const named = this.#cellContent(lap, this.#indexOf(record) + FIRST_RECORD);
    if (plain.load(this.#words, GAPPED) === 0) Atomics.store(this.#words, GAPPED, 1);
    Atomics.compareExchange(this.#words, this.layout.cell(ring, position), named, this.#cellContent(lap, GONE));
    this.#passGone(ring);
  }

  /** Moves the head on over what is gone, so that its cells can be used again though nobody receives. */
  #passGone(ring: number): void {
    const words = this.#words;
    for (;;) {
      const head = Atomics.load(words, HEADS + ring);
      const content = Atomics.load(words, this.layout.cell(ring, head));
      if (content !== this.#cellContent(head >>> this.layout.cellBits, GONE)) return;
      this.#raise(HEADS, ring, (head + 1) | 0);
    }
  }

  #parityOf(slot: number): number {
    let flips = this.#floats[this.layout.counter(slot, ABANDONED)] ?? 0;
    for (let counter = RECEIVED; counter <= DEAD_LETTERED; counter += 1) flips += this.#floats[this.layout.counter(slot, counter)] ?? 0;
    return flips % 2 === 0 ? 0 : PARITY_BIT;
  }

  #ring(bell: number, wished: number, sleepers = 1): void {
    if (Atomics.load(this.#words, wished) === 0 || Atomics.exchange(this.#words, wished, 0) === 0) return;
    Atomics.add(this.#words, bell, 1);
    Atomics.notify(this.#words, bell, sleepers);
  }

  #indexOf(record: number): number {
    return (record - this.#firstRecord) / RECORD_WORDS;
  }

  #lapOf(content: number): number {
    return content >>> this.layout.indexBits;
  }

  #cellContent(lap: number, index: number): number {
    return (lap << this.layout.indexBits) | index | 0;
  }
}
