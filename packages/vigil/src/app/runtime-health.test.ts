import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crashed, type InboxStats, SHUTDOWN } from '../core/index.js';
import type { ChildInfo, SupervisorInfo } from '../supervision/index.js';
import { VirtualClock } from '../testing/index.js';
import { formatSnapshot } from './debug-dump.js';
import { Runtime } from './runtime.js';
import { assessHealth } from './runtime-health.js';
import type { RuntimeSnapshot } from './runtime-snapshot.js';

describe('assessHealth', () => {
  it('finds nothing wrong with a runtime in which all is well', () => {
    const healthy = { status: 'healthy', isReady: true, reasons: [] };
    assert.deepEqual(assessHealth(snapshot({})), healthy);
    assert.deepEqual(assessHealth(snapshot({ supervisors: [tree('app', [child('a')])] })), healthy);
  });

  for (const [name, facts, status, isReady, reason] of [
    ['a drain', { isDraining: true }, 'healthy', false, 'not_ready runtime drains'],
    [
      'a tree that gave up',
      { givenUp: [{ supervisor: 'app', reason: { kind: 'shutdown', info: new Error('too much') } }] },
      'unhealthy',
      false,
      'unhealthy supervisor "app" gave up: shutdown: Error: too much',
    ],
    [
      'a tree that starts',
      { supervisors: [tree('app', [], { state: 'starting' })] },
      'healthy',
      false,
      'not_ready supervisor "app" is starting',
    ],
    [
      'a budget that is used up',
      { supervisors: [tree('app', [], { restartsLeft: 0 })] },
      'degraded',
      true,
      'degraded supervisor "app" has no restart left of 3 in 5 s',
    ],
    [
      'a budget below that is used up',
      { supervisors: [tree('app', [child('pool', { supervisor: tree('pool', [], { restartsLeft: 0 }) })])] },
      'degraded',
      true,
      'degraded supervisor "app/pool" has no restart left of 3 in 5 s',
    ],
    [
      'a child that is down',
      { supervisors: [tree('app', [child('pool', { supervisor: tree('pool', [child('a', { state: 'restarting' })]) })])] },
      'degraded',
      true,
      'degraded child "app/pool/a" is down and will be restarted',
    ],
    [
      'an event loop that stands still',
      { supervisors: [tree('app', [child('a', { vitals: { eventLoopDelayMs: 1500.4 } })])] },
      'degraded',
      true,
      'degraded child "app/a" answers 1500 ms late',
    ],
    [
      'a full inbox',
      { mailboxes: [{ name: 'orders', stats: { ...emptyStats(), depth: 5, capacity: 5 }, queues: [] }] },
      'degraded',
      true,
      'degraded inbox "orders" is full: 5 of 5',
    ],
    [
      'an open circuit',
      { circuits: [{ name: 'api', state: 'open', failures: 5, refused: 0 }] },
      'degraded',
      true,
      'degraded circuit "api" is open',
    ],
    [
      'a circuit that is tried',
      { circuits: [{ name: 'api', state: 'half_open', failures: 5, refused: 0 }] },
      'degraded',
      true,
      'degraded circuit "api" is half open',
    ],
    [
      'dead letters that get lost',
      { deadLetters: { size: 10, capacity: 10, evicted: 0 } },
      'degraded',
      true,
      'degraded dead letters are full: 10 of 10, and the oldest are lost',
    ],
  ] satisfies readonly (readonly [string, Partial<RuntimeSnapshot>, string, boolean, string])[]) {
    it(`finds ${name}`, () => {
      const report = assessHealth(snapshot(facts));
      const reasons = report.reasons.map(({ severity, part, text }) => `${severity} ${part} ${text}`);
      assert.deepEqual([report.status, report.isReady, reasons], [status, isReady, [reason]]);
    });
  }

  it('does not find what is none of its business', () => {
    const facts = {
      supervisors: [
        tree('app', [child('stopped by hand', { state: 'stopped' }), child('late', { vitals: { eventLoopDelayMs: 999 } })], {
          maxRestarts: 0,
          restartsLeft: 0,
        }),
      ],
      mailboxes: [{ name: 'orders', stats: { ...emptyStats(), depth: 4, capacity: 5 }, queues: [] }],
      circuits: [{ name: 'api', state: 'closed' as const, failures: 4, refused: 9 }],
      deadLetters: { size: 9, capacity: 10, evicted: 0 },
    };
    assert.deepEqual(assessHealth(snapshot(facts)).reasons, []);
  });

  it('names the most severe first', () => {
    const { status, reasons } = assessHealth(
      snapshot({
        isDraining: true,
        circuits: [{ name: 'api', state: 'open', failures: 5, refused: 0 }],
        givenUp: [{ supervisor: 'app', reason: crashed(new Error('boom')) }],
      }),
    );
    assert.deepEqual([status, reasons.map(({ severity }) => severity)], ['unhealthy', ['unhealthy', 'degraded', 'not_ready']]);
  });
});

describe('formatSnapshot', () => {
  it('shows all that is there, what is wrong first', () => {
    const facts = snapshot({
      uptimeMs: 65_999,
      supervisors: [tree('app', [child('a')])],
      givenUp: [{ supervisor: 'other', reason: SHUTDOWN }],
      mailboxes: [
        {
          name: 'orders',
          stats: { ...emptyStats(), depth: 2, capacity: 5, messagesSent: 9, deadLetters: 1 },
          queues: [
            { priority: 'high', depth: 2, oldestAgeMs: 12.3 },
            { priority: 'low', depth: 0, oldestAgeMs: undefined },
          ],
        },
      ],
      names: [{ name: 'db', depth: 1, capacity: 10, deadLetters: 0 }],
      groups: [{ name: 'workers', members: 2, joined: 3, left: 1, delivered: 4, failed: 5 }],
      topics: { subscribers: 1, patterns: 2, published: 3, delivered: 4, failed: 5 },
      circuits: [{ name: 'api', state: 'open', failures: 5, refused: 6 }],
      bulkheads: [{ name: 'database', inFlight: 1, queued: 2, refused: 3 }],
      rateLimiters: [{ name: 'clients', available: 7, waiting: 8 }],
      keyedRateLimiters: [{ name: 'addresses', keys: 9 }],
      timers: { pending: 1, fired: 2, cancelled: 3 },
      shutdownHooks: 4,
      deadLetters: { size: 5, capacity: 6, evicted: 0 },
      requests: { pending: 7, lateReplies: 8 },
      crashes: 9,
    });
    assert.equal(
      formatSnapshot(facts, assessHealth(facts)),
      `runtime: unhealthy, not ready, up 65 s

wrong
  unhealthy: supervisor "other" gave up: shutdown
  degraded: circuit "api" is open

trees
  app (one_for_one, 0 restarts, 3 of 3 left)
  └─ a: running for 12 s

gave up
  other: shutdown

mailboxes
  orders: 2 of 5 messages, 9 sent, 1 dead letters, oldest high 12 ms

names
  db: 1 of 10 messages

groups
  workers: 2 members, 4 delivered, 5 refused

topics
  2 patterns of 1 subscribers, 3 published

circuits
  api: open, 5 failures, 6 refused

bulkheads
  database: 1 in flight, 2 queued, 3 refused

rate limiters
  clients: 7 available, 8 waiting
  addresses: 9 keys

figures
  timers: 1 pending, 2 fired, 3 cancelled
  requests: 7 pending, 8 late replies
  dead letters: 5 of 6
  crashes: 9
  shutdown hooks: 4`,
    );
  });

  it('leaves out what there is none of, and is what debugDump gives', () => {
    const runtime = new Runtime({ clock: new VirtualClock() });
    assert.equal(
      runtime.debugDump(),
      `runtime: healthy, ready, up 0 s

figures
  timers: 0 pending, 0 fired, 0 cancelled
  requests: 0 pending, 0 late replies
  dead letters: 0 of 1000
  crashes: 0
  shutdown hooks: 0`,
    );
  });
});

function snapshot(facts: Partial<RuntimeSnapshot>): RuntimeSnapshot {
  return { ...new Runtime({ clock: new VirtualClock() }).snapshot(), ...facts };
}

function emptyStats(): InboxStats {
  return new Runtime().inbox().stats();
}

function tree(name: string, children: ChildInfo[], facts: Partial<SupervisorInfo> = {}): SupervisorInfo {
  return {
    name,
    state: 'running',
    strategy: 'one_for_one',
    autoShutdown: 'never',
    maxRestarts: 3,
    maxSeconds: 5,
    restartsLeft: 3,
    totalRestarts: 0,
    childCount: children.length,
    activeChildren: children.length,
    children,
    ...facts,
  };
}

function child(id: string, facts: Partial<ChildInfo> = {}): ChildInfo {
  return {
    id,
    kind: 'task',
    type: facts.supervisor === undefined ? 'worker' : 'supervisor',
    state: 'running',
    restartType: 'permanent',
    incarnation: 1,
    restartCount: 0,
    uptimeMs: 12_900,
    lastExit: undefined,
    ref: undefined,
    vitals: undefined,
    inbox: undefined,
    supervisor: undefined,
    ...facts,
  };
}
