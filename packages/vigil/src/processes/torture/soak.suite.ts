import assert from 'node:assert/strict';
import { runtime } from '../../app/index.js';
import { type Inbox, type MailboxStats, nextTurn, systemRandom, systemTime } from '../../core/index.js';
import type { ProcessRef } from '../runner.js';
import { moduleOf } from '../remote/outpost.suite.js';
import { thread } from '../thread/thread-runner.js';

const KILLS_PER_SECOND = 20;
const PAIRS = 2;

/** Sends as fast as it can: to the shared inbox of all, and to the own inbox of a relay, wherever that is just now. */
const PRODUCER = `
  const { orders, relay } = ctx.args;
  for (let number = 0; ; number += 1) {
    try {
      if (number % 2 === 0) await orders.sendWait(number, { ttlMs: number % 10 === 0 ? 1 : undefined });
      else ctx.whereis(relay)?.send({ number });
    } catch (error) {
      if (error.code === 'InboxClosed') return;
    }
    if (number % 100 === 0) await new Promise(setImmediate);
  }`;

/** Receives from both. */
const RELAY = `
  const { orders, relay } = ctx.args;
  ctx.register(relay);
  for (;;) {
    ctx.inbox.recvBatch(64);
    orders.recvBatch(64);
    await new Promise(setImmediate);
  }`;

export interface Soaked {
  readonly kills: number;
  readonly sent: number;
  readonly inboxes: number;
}

/** Threads under a supervisor are killed and restarted in full traffic; then the books of every inbox are looked at. */
export async function soak(durationMs: number): Promise<Soaked> {
  const own = runtime();
  const orders = own.inboxBuilder<number>().capacity(500).shared().build();
  const supervisor = own.supervisor().build();
  await supervisor.start();
  const ids: string[] = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const args = { orders, relay: `relay ${pair}` };
    for (const [role, body] of [
      ['producer', PRODUCER],
      ['relay', RELAY],
    ] as const) {
      const id = `${role} ${pair}`;
      await supervisor.startChild({
        id,
        startFn: thread(moduleOf(body)),
        args,
        restartType: 'permanent',
        shutdownTimeoutMs: 'brutal_kill',
      });
      ids.push(id);
    }
  }
  const refs = new Set<ProcessRef>();
  const remember = () => {
    for (const id of ids) {
      const ref = supervisor.getChildInfo(id)?.ref;
      if (ref !== undefined) refs.add(ref);
    }
  };
  const began = systemTime.now();
  let kills = 0;
  while (systemTime.now() - began < durationMs) {
    remember();
    const id = ids[Math.floor(systemRandom.next() * ids.length)] ?? '';
    await supervisor.terminateChild(id);
    await supervisor.restartChild(id);
    kills += 1;
    while (systemTime.now() - began < (kills * 1000) / KILLS_PER_SECOND) await nextTurn();
  }
  remember();
  await supervisor.stop();
  for (const ref of refs) assertBalanced(ref.stats(), 0);
  assertBalanced(orders.stats(), queuedIn(orders));
  const sent = [...refs].reduce((sum, ref) => sum + ref.stats().messagesSent, orders.stats().messagesSent);
  return { kills, sent, inboxes: refs.size + 1 };
}

function queuedIn(inbox: Inbox): number {
  return Object.values(inbox.stats().depthByPriority).reduce((sum, depth) => sum + depth, 0);
}

function assertBalanced(stats: MailboxStats, queued: number): void {
  const { messagesReceived, messagesExpired, messagesDropped, messagesDeadLettered, messagesAbandoned, messagesSent, depth } = stats;
  const gone = messagesReceived + messagesExpired + messagesDropped + messagesDeadLettered + messagesAbandoned;
  assert.deepEqual([messagesSent, depth], [gone + queued, queued]);
}
