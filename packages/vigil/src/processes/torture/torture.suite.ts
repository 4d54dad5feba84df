import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import { isVigilError, MailboxSettings, nextTurn, noTelemetry, SharedInbox, SystemClock, systemRandom } from '../../core/index.js';
import { BLOCK, Ledger } from './ledger.suite.js';
import { numberOf } from './orders.suite.js';
import { type Assignment, FIRST_PLACE, MOST_AT_ONCE, OUT_OF_ORDER, PAUSED, RUNNING, silentLog, STARTING } from './stage.suite.js';

const WORKER = new URL('./worker.suite.js', import.meta.url);
const PLACES = 3;
const INBOXES = 4;
const CAPACITY = 50;
const BYTES = 16 * 1024;
/** Kills between two looks at the books. */
const KILLS_PER_LOOK = 20;
/** Turns of the event loop that a thread lives at the most once it runs; each takes about a microsecond. */
const MOST_TURNS = 3000;

export interface Tortured {
  readonly kills: number;
  readonly sent: number;
  readonly abandoned: number;
}

/** Ends threads at any moment of what they do with shared inboxes, and looks whether nothing is lost, doubled, out of order or stuck. */
export async function torture(kills: number): Promise<Tortured> {
  const scene = new TortureScene(kills);
  try {
    for (let kill = 1; kill <= kills; kill += 1) {
      await scene.killOne();
      if (kill % KILLS_PER_LOOK === 0) await scene.look();
    }
  } finally {
    await scene.end();
  }
  return scene.result(kills);
}

class TortureScene {
  readonly #stage = new Int32Array(new SharedArrayBuffer(4 * (FIRST_PLACE + PLACES)));
  readonly #inboxes: readonly SharedInbox[];
  readonly #ledger: Ledger;
  readonly #workers: Worker[] = [];
  #started = 0;
  #next = 0;
  /** Messages that were sent to see whether there is room. */
  #fillers = 0;

  constructor(kills: number) {
    const clock = new SystemClock();
    this.#ledger = new Ledger((kills + PLACES) * BLOCK);
    const environment = { clock, log: silentLog, telemetry: noTelemetry, nextMessageId: () => 'm-main' };
    const settings = new MailboxSettings({ capacity: CAPACITY });
    this.#inboxes = Array.from({ length: INBOXES }, () => new SharedInbox('orders', settings, environment, { bytes: BYTES }));
    for (let index = 0; index < PLACES; index += 1) this.#workers.push(this.#start(index));
  }

  /** At an instant of chance. */
  async killOne(): Promise<void> {
    const index = this.#next % PLACES;
    this.#next += 1;
    const worker = this.#workers[index];
    assert.ok(worker);
    await this.#reached(index, RUNNING);
    const turns = Math.floor(systemRandom.next() * MOST_TURNS);
    for (let turn = 0; turn < turns; turn += 1) await nextTurn();
    await this.#bury(worker);
    this.#workers[index] = this.#start(index);
  }

  /** Has everybody pause, and looks at the books. */
  async look(): Promise<void> {
    Atomics.store(this.#stage, 0, PAUSED);
    await Promise.all(this.#workers.map((_, index) => this.#reached(index, PAUSED)));
    for (const inbox of this.#inboxes) assertBalanced(inbox);
    Atomics.store(this.#stage, 0, RUNNING);
    Atomics.notify(this.#stage, 0);
    assert.equal(Atomics.load(this.#stage, OUT_OF_ORDER), 0, 'messages of one sender came out of order');
  }

  async end(): Promise<void> {
    Atomics.store(this.#stage, 0, RUNNING);
    Atomics.notify(this.#stage, 0);
    for (const worker of this.#workers) await this.#bury(worker);
  }

  result(kills: number): Tortured {
    for (const inbox of this.#inboxes) {
      for (const { payload } of received(inbox)) this.#ledger.received(numberOf(payload));
      assertBalanced(inbox);
      this.#fillers += assertTakesAll(inbox);
    }
    const sums = { messagesSent: 0, messagesReceived: 0, messagesExpired: 0, messagesAbandoned: 0 };
    const names = ['messagesSent', 'messagesReceived', 'messagesExpired', 'messagesAbandoned'] as const;
    for (const inbox of this.#inboxes) for (const name of names) sums[name] += inbox.stats()[name];
    assert.deepEqual(this.#ledger.doubled(), []);
    // What a thread had received and not written down when it was ended.
    const inHand = sums.messagesReceived - this.#fillers - this.#ledger.receipts();
    assert.ok(inHand >= 0 && inHand <= kills * MOST_AT_ONCE, `${inHand} were in the hands of ended threads`);
    const missing = this.#ledger.missing();
    const accountedFor = inHand + sums.messagesExpired + sums.messagesAbandoned;
    assert.ok(missing.length <= accountedFor, `${missing.length} messages are missing, and only ${accountedFor} are accounted for`);
    return { kills, sent: sums.messagesSent, abandoned: sums.messagesAbandoned };
  }

  #start(index: number): Worker {
    Atomics.store(this.#stage, FIRST_PLACE + index, STARTING);
    const workerData: Assignment = {
      inboxes: this.#inboxes.map((inbox) => inbox.data()),
      ledger: this.#ledger.memory,
      stage: this.#stage,
      place: FIRST_PLACE + index,
      firstNumber: this.#started * BLOCK,
    };
    this.#started += 1;
    return new Worker(WORKER, { workerData });
  }

  async #bury(worker: Worker): Promise<void> {
    const { threadId } = worker;
    await worker.terminate();
    for (const inbox of this.#inboxes) inbox.bury(threadId);
  }

  async #reached(index: number, state: number): Promise<void> {
    const place = FIRST_PLACE + index;
    for (let seen = Atomics.load(this.#stage, place); seen !== state; seen = Atomics.load(this.#stage, place)) {
      await Atomics.waitAsync(this.#stage, place, seen).value;
    }
  }
}

/** By the ring's own indices and state words. */
function assertBalanced(inbox: SharedInbox): void {
  const stats = inbox.stats();
  const queued = Object.values(stats.depthByPriority).reduce((sum, depth) => sum + depth, 0);
  const { messagesReceived, messagesExpired, messagesDropped, messagesDeadLettered, messagesAbandoned } = stats;
  const gone = messagesReceived + messagesExpired + messagesDropped + messagesDeadLettered + messagesAbandoned;
  assert.equal(stats.messagesSent, gone + queued, 'the books do not balance');
  assert.equal(stats.depth, queued);
}

function received(inbox: SharedInbox) {
  return inbox.recvBatch(CAPACITY + 1);
}

/** No record and no byte was lost. @returns how many messages that took. */
function assertTakesAll(inbox: SharedInbox): number {
  const fill = (payload: unknown): number => {
    let sent = 0;
    try {
      for (;;) {
        inbox.send(payload);
        sent += 1;
      }
    } catch (error) {
      assert.ok(isVigilError(error, 'MailboxFull'));
    }
    assert.equal(received(inbox).length, sent);
    return sent;
  };
  assert.equal(fill('small'), CAPACITY);
  assert.equal(fill('x'.repeat(BYTES / 4)), 4);
  return CAPACITY + 4;
}
