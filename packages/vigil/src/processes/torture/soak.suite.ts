import assert from 'node:assert/strict';
import { runtime, type Supervisor, type SupervisorBuilder } from '../../app/index.js';
import type { Startable } from '../../supervision/index.js';
import { type Inbox, type MailboxStats, SystemClock, systemRandom } from '../../core/index.js';
import type { ProcessRef } from '../runner.js';
import { thread } from '../thread/thread-runner.js';

/** Each with a thread that sends and one that receives. */
const PAIRS = 3;
/** How long a thread lives at the most, in milliseconds: hardly longer than its start takes, so that as many are killed as can be started. */
const MOST_LIFE_MS = 100;

const MODULES = [new URL('./soak-producer.suite.js', import.meta.url), new URL('./soak-relay.suite.js', import.meta.url)];

/** What a thread of the soak is given. */
export interface SoakArgs {
  readonly orders: Inbox<number>;
  /** The name of the relay of a pair. */
  readonly relay: string;
}

const clock = new SystemClock();

export interface Soaked {
  readonly kills: number;
  readonly sent: number;
  readonly inboxes: number;
}

/** Threads under supervisors are killed and restarted in full traffic; then the books of every inbox are looked at. */
export async function soak(durationMs: number): Promise<Soaked> {
  const own = runtime();
  const orders = own.inboxBuilder<number>().capacity(500).shared().build();
  const lives = Array.from({ length: PAIRS }, (_, pair) => {
    const args: SoakArgs = { orders, relay: `relay ${pair}` };
    return MODULES.map((module) => new Lives(own.supervisor().maxRestarts(0), thread(module), args));
  }).flat();
  const untilMs = clock.now() + durationMs;
  await Promise.all(lives.map((each) => each.killUntil(untilMs)));
  const refs = lives.flatMap((each) => each.refs);
  for (const ref of refs) assertBalanced(ref.stats(), 0);
  assertBalanced(orders.stats(), queuedIn(orders));
  const sent = refs.reduce((sum, ref) => sum + ref.stats().messagesSent, orders.stats().messagesSent);
  return { kills: refs.length, sent, inboxes: refs.length + 1 };
}

/** One thread after the other, each killed. */
class Lives {
  readonly refs: ProcessRef[] = [];
  readonly #supervisor: Supervisor;

  constructor(builder: SupervisorBuilder, runner: Startable, args: unknown) {
    this.#supervisor = builder.child('worker', runner, { args, shutdownTimeoutMs: 'brutal_kill' }).build();
  }

  async killUntil(endMs: number): Promise<void> {
    await this.#supervisor.start();
    for (;;) {
      this.refs.push(this.#supervisor.getChildInfo('worker')?.ref ?? assert.fail('it runs'));
      await new Promise<void>((resolve) => clock.after(systemRandom.next() * MOST_LIFE_MS, resolve, { keepAlive: true }));
      await this.#supervisor.terminateChild('worker');
      if (clock.now() > endMs) break;
      await this.#supervisor.restartChild('worker');
    }
    await this.#supervisor.stop();
  }
}

function queuedIn(inbox: Inbox): number {
  return Object.values(inbox.stats().depthByPriority).reduce((sum, depth) => sum + depth, 0);
}

function assertBalanced(stats: MailboxStats, queued: number): void {
  const { messagesReceived, messagesExpired, messagesDropped, messagesDeadLettered, messagesAbandoned, messagesSent, depth } = stats;
  const gone = messagesReceived + messagesExpired + messagesDropped + messagesDeadLettered + messagesAbandoned;
  assert.deepEqual([messagesSent, depth], [gone + queued, queued]);
}
