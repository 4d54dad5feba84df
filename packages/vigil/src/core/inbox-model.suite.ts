import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { imbalanceOf, type InboxEngine, inboxOf, outcomeOf } from './inbox-bench.suite.js';
import type { Inbox } from './inbox.js';
import { MESSAGE_PRIORITIES, type Message, type MessagePriority } from './message.js';

/** An inbox beside a model of it that keeps a list. Nobody waits here: for those who do, there are the histories. */
export function describeModel(engine: InboxEngine): void {
  describe(`${engine.name} beside a model`, () => {
    it('MBX-10: does what a list would do, and its books balance', async () => {
      await fc.assert(
        fc.asyncProperty(settings, fc.array(operations, { maxLength: 80, size: 'max' }), endings, async (options, steps, lastSteps) => {
          let poisoned = 0;
          const { inbox, clock } = inboxOf(engine, { ...options, onPoison: () => (poisoned += 1) }, () =>
            assert.equal(imbalanceOf(inbox), 0),
          );
          const model = new ModelInbox(options);
          const received: { readonly message: Message; readonly entry: Entry }[] = [];
          for (const step of [...steps, ...lastSteps]) {
            switch (step.do) {
              case 'send': {
                const { priority, ttlMs } = step;
                const entry = model.entryOf(priority, ttlMs);
                assert.equal(
                  outcomeOf(() => inbox.send(entry.payload, { priority, ttlMs, correlationId: entry.name })),
                  model.send(entry),
                );
                break;
              }
              case 'sendBatch': {
                const entries = Array.from({ length: step.count }, () => model.entryOf('normal', undefined));
                assert.equal(
                  outcomeOf(() => inbox.sendBatch(entries.map(({ payload }) => payload))),
                  model.sendBatch(entries),
                );
                break;
              }
              case 'receive': {
                const messages = await receive(inbox, step.how, step.limit);
                const entries = model.receive(step.how === 'recvBatch' ? step.limit : 1);
                if (typeof messages === 'string' || typeof entries === 'string') {
                  assert.equal(messages, entries);
                  break;
                }
                assert.deepEqual(messages.map(factsOf), entries.map(factsOfEntry));
                messages.forEach((message, index) => received.push({ message, entry: entries[index]! }));
                break;
              }
              case 'advance':
                await clock.advance(step.ms);
                model.nowMs += step.ms;
                break;
              case 'deadLetter': {
                const [given] = received.splice(step.pick % Math.max(received.length, 1), 1);
                if (given === undefined) break;
                const { reason, poisoned: isPoison } = inbox.deadLetter(given.message);
                assert.deepEqual([reason, isPoison], model.deadLetter(given.entry));
                assert.equal(
                  outcomeOf(() => inbox.deadLetter(given.message)),
                  'InvalidState',
                );
                break;
              }
              case 'replay': {
                const id = model.letterId(step.pick);
                assert.equal(inbox.deadLetters.replay(id), model.replay(id));
                break;
              }
              case 'discard': {
                const id = model.letterId(step.pick);
                assert.equal(inbox.deadLetters.discard(id), model.discard(id));
                break;
              }
              case 'discardAll':
                assert.equal(inbox.deadLetters.discardAll(), model.letters.splice(0).length);
                break;
              case 'close':
                inbox.close({ discard: step.discard });
                model.close(step.discard);
                break;
            }
            model.checkQueue(inbox);
            model.checkBooks(inbox);
            model.checkDeadLetters(inbox);
            assert.equal(poisoned, model.poisoned);
          }
        }),
        { numRuns: 300 },
      );
    });
  });
}

const ttls = fc.option(fc.nat(8), { nil: undefined, freq: 4 });

const settings = fc.record({
  capacity: fc.integer({ min: 1, max: 5 }),
  priorityQueues: fc.boolean(),
  enableDeadletter: fc.boolean(),
  deadletterCapacity: fc.integer({ min: 1, max: 3 }),
  maxAttempts: fc.integer({ min: 1, max: 3 }),
  defaultTtlMs: ttls,
});

const WAYS = ['tryRecv', 'recvTimeout', 'recv', 'recvBatch'] as const;

const receives = fc.record({ do: fc.constant('receive'), how: fc.constantFrom(...WAYS), limit: fc.integer({ min: 1, max: 3 }) });
const closes = fc.record({ do: fc.constant('close'), discard: fc.boolean() });

const operations = fc.oneof(
  { weight: 16, arbitrary: fc.record({ do: fc.constant('send'), priority: fc.constantFrom(...MESSAGE_PRIORITIES), ttlMs: ttls }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sendBatch'), count: fc.nat(4) }) },
  { weight: 8, arbitrary: receives },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('deadLetter'), pick: fc.nat() }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('replay'), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('discard'), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('discardAll') }) },
);

const endings = fc.tuple(
  closes,
  fc.record({ do: fc.constant('send'), priority: fc.constant('normal'), ttlMs: fc.constant(undefined) }),
  receives,
  fc.record({ do: fc.constant('replay'), pick: fc.nat() }),
  closes,
  receives,
);

/** Takes messages in one of the ways that there are, none of which waits here; the code of the refusal when it is refused. */
async function receive(inbox: Inbox, how: (typeof WAYS)[number], limit: number): Promise<Message[] | string> {
  if (how === 'recvBatch') return outcomeOf(() => inbox.recvBatch(limit));
  if (how === 'tryRecv' || (how === 'recv' && inbox.peek(1).length === 0)) return outcomeOf(() => listOf(inbox.tryRecv()));
  try {
    return listOf(await (how === 'recv' ? inbox.recv() : inbox.recvTimeout(0)));
  } catch (error) {
    return outcomeOf(() => {
      throw error;
    });
  }
}

function listOf(message: Message | undefined): Message[] {
  return message === undefined ? [] : [message];
}

/** A message in the model. */
interface Entry {
  readonly name: string;
  readonly payload: unknown;
  readonly priority: MessagePriority;
  readonly ttlMs: number | undefined;
  expiresAtMs: number;
  attempts: number;
}

function factsOf({ payload, priority, attemptCount }: Message): unknown[] {
  return [payload, priority, attemptCount];
}

function factsOfEntry({ payload, priority, attempts }: Entry): unknown[] {
  return [payload, priority, attempts];
}

interface ModelOptions {
  readonly capacity: number;
  readonly priorityQueues: boolean;
  readonly enableDeadletter: boolean;
  readonly deadletterCapacity: number;
  readonly maxAttempts: number;
  readonly defaultTtlMs: number | undefined;
}

/**
 * What an inbox should do, without regard to speed. When an expired message is found is left to the engine: the model keeps only
 * those that are alive, and how many have expired.
 */
class ModelInbox {
  readonly options: ModelOptions;
  readonly letters: { readonly id: number; readonly entry: Entry; readonly reason: string }[] = [];
  nowMs = 0;
  poisoned = 0;
  #isClosed = false;
  #queue: Entry[] = [];
  #made = 0;
  #lastLetter = 0;
  #evicted = 0;
  readonly #books = {
    messagesSent: 0,
    messagesReceived: 0,
    messagesDropped: 0,
    messagesDeadLettered: 0,
    messagesAbandoned: 0,
    messagesRejected: 0,
  };

  constructor(options: ModelOptions) {
    this.options = options;
  }

  entryOf(priority: MessagePriority, ownTtlMs: number | undefined): Entry {
    this.#made += 1;
    const ttlMs = ownTtlMs ?? this.options.defaultTtlMs;
    const name = `message ${this.#made}`;
    const payload = [this.#made, name, { name, made: [this.#made] }][this.#made % 3];
    return { name, payload, priority, ttlMs, expiresAtMs: this.nowMs + (ttlMs ?? Number.POSITIVE_INFINITY), attempts: 0 };
  }

  send(entry: Entry): string {
    if (!this.#isClosed && !this.#isPast(entry) && this.#hasRoom()) {
      this.#enqueue(entry);
      return 'queued';
    }
    this.#books.messagesRejected += 1;
    if (this.#isClosed) return 'InboxClosed';
    if (this.#isPast(entry)) return 'MessageExpired';
    if (!this.options.enableDeadletter || this.letters.length === this.options.deadletterCapacity) return 'MailboxFull';
    this.#bury(entry, 'mailbox_full');
    return 'dead_lettered';
  }

  sendBatch(entries: readonly Entry[]): string | number {
    for (const [accepted, entry] of entries.entries()) {
      const outcome = this.send(entry);
      if (outcome !== 'queued' && outcome !== 'dead_lettered') return accepted === 0 ? outcome : accepted;
    }
    return entries.length;
  }

  receive(limit: number): Entry[] | string {
    const entries = this.#alive().slice(0, limit);
    if (entries.length === 0 && this.#isClosed) return 'InboxClosed';
    this.#queue = this.#queue.filter((entry) => !entries.includes(entry));
    for (const entry of entries) entry.attempts += 1;
    this.#books.messagesReceived += entries.length;
    return entries;
  }

  deadLetter(entry: Entry): [string, boolean] {
    const isPoison = entry.attempts >= this.options.maxAttempts;
    if (isPoison) this.poisoned += 1;
    const reason = isPoison ? 'max_attempts' : 'delivery_failed';
    this.#bury(entry, reason);
    return [reason, isPoison];
  }

  replay(id: number): string {
    const letter = this.letters.find((other) => other.id === id);
    if (letter === undefined) return 'not_found';
    if (letter.reason === 'max_attempts') return 'poison';
    if (this.#isClosed || !this.#hasRoom()) return 'retained';
    this.discard(id);
    letter.entry.expiresAtMs = this.nowMs + (letter.entry.ttlMs ?? Number.POSITIVE_INFINITY);
    this.#enqueue(letter.entry);
    return 'replayed';
  }

  /** One of those that there are, or one too many. */
  letterId(pick: number): number {
    return this.letters[pick % (this.letters.length + 1)]?.id ?? this.#lastLetter + 1;
  }

  discard(id: number): boolean {
    const index = this.letters.findIndex((letter) => letter.id === id);
    if (index >= 0) this.letters.splice(index, 1);
    return index >= 0;
  }

  close(discard: boolean): void {
    this.#isClosed = true;
    if (!discard) return;
    for (const entry of this.#alive()) {
      this.#books[this.options.enableDeadletter ? 'messagesDeadLettered' : 'messagesDropped'] += 1;
      if (this.options.enableDeadletter) this.#bury(entry, 'inbox_closed');
    }
    this.#queue = [];
  }

  checkQueue(inbox: Inbox): void {
    assert.equal(inbox.isClosed(), this.#isClosed);
    assert.deepEqual(inbox.peek().map(factsOf), this.#alive().map(factsOfEntry));
  }

  checkBooks(inbox: Inbox): void {
    // How many have expired follows from the rest of the books, which balance.
    const { capacity, depth, depthByPriority, peakDepth, messagesExpired: _, ...rest } = inbox.stats();
    assert.deepEqual(rest, { ...this.#books, deadLetters: this.letters.length, waitingReceivers: 0, waitingSenders: 0 });
    assert.equal(imbalanceOf(inbox), 0);
    assert.equal(
      Object.values(depthByPriority).reduce((sum, one) => sum + one, 0),
      depth,
    );
    const alive = this.#alive();
    for (const priority of MESSAGE_PRIORITIES) {
      assert.ok(depthByPriority[priority] >= alive.filter((entry) => entry.priority === priority).length);
    }
    assert.equal(capacity, this.options.capacity);
    assert.ok(depth <= peakDepth && peakDepth <= capacity);
  }

  checkDeadLetters({ deadLetters }: Inbox): void {
    assert.deepEqual(
      deadLetters.list().map(({ id, message, reason, poisoned }) => [id, ...factsOf(message), reason, poisoned]),
      this.letters.map(({ id, entry, reason }) => [id, ...factsOfEntry(entry), reason, reason === 'max_attempts']),
    );
    const isFull = this.letters.length === this.options.deadletterCapacity;
    assert.deepEqual([deadLetters.size, deadLetters.isFull, deadLetters.evicted], [this.letters.length, isFull, this.#evicted]);
  }

  #isPast(entry: Entry): boolean {
    return this.nowMs >= entry.expiresAtMs;
  }

  /** In the order of delivery. */
  #alive(): Entry[] {
    this.#queue = this.#queue.filter((entry) => !this.#isPast(entry));
    if (!this.options.priorityQueues) return this.#queue;
    return this.#queue.toSorted((a, b) => MESSAGE_PRIORITIES.indexOf(a.priority) - MESSAGE_PRIORITIES.indexOf(b.priority));
  }

  #hasRoom(): boolean {
    return this.#alive().length < this.options.capacity;
  }

  #enqueue(entry: Entry): void {
    this.#books.messagesSent += 1;
    this.#queue.push(entry);
  }

  #bury(entry: Entry, reason: string): void {
    this.#lastLetter += 1;
    this.letters.push({ id: this.#lastLetter, entry, reason });
    if (this.letters.length <= this.options.deadletterCapacity) return;
    this.letters.shift();
    this.#evicted += 1;
  }
}
