import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crashed, KILLED, SHUTDOWN } from '../core/index.js';
import { BOOM } from './scripted-child.suite.js';
import { type ChildInfo, formatTree, type SupervisorInfo } from './supervision-tree.js';

function child(id: string, facts: Partial<ChildInfo> = {}): ChildInfo {
  return {
    id,
    kind: 'task',
    type: 'worker',
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

const below = (id: string, supervisor: SupervisorInfo) => child(id, { kind: 'supervisor', type: 'supervisor', supervisor });

describe('formatTree', () => {
  it('draws one line a process, children under their supervisor', () => {
    const cache = child('cache_0', {
      uptimeMs: 2000,
      restartCount: 1,
      lastExit: { reason: BOOM, timestampMs: 0 },
    });
    const pool = tree('pool', [child('pool_0'), cache], { strategy: 'one_for_all', totalRestarts: 1, restartsLeft: 2 });
    const info = tree('app', [child('service'), below('pool', pool), child('mailer')]);
    assert.deepEqual(formatTree(info).split('\n'), [
      'app (one_for_one, 0 restarts, 3 of 3 left)',
      '├─ service: running for 12 s',
      '├─ pool (one_for_all, 1 restart, 2 of 3 left)',
      '│  ├─ pool_0: running for 12 s',
      '│  └─ cache_0: running for 2 s, 1 restart, last end crashed: Error: boom',
      '└─ mailer: running for 12 s',
    ]);
  });

  it('closes the branch of a last supervisor', () => {
    const info = tree('app', [below('pool', tree('pool', [below('deep', tree('deep', [child('x')]))]))]);
    assert.deepEqual(formatTree(info).split('\n'), [
      'app (one_for_one, 0 restarts, 3 of 3 left)',
      '└─ pool (one_for_one, 0 restarts, 3 of 3 left)',
      '   └─ deep (one_for_one, 0 restarts, 3 of 3 left)',
      '      └─ x: running for 12 s',
    ]);
  });

  it('says what a child does that does not run', () => {
    const info = tree('app', [
      child('a', { state: 'stopped', uptimeMs: undefined, lastExit: { reason: SHUTDOWN, timestampMs: 0 } }),
      child('b', { state: 'restarting', uptimeMs: undefined, restartCount: 2, lastExit: { reason: KILLED, timestampMs: 0 } }),
      child('c', { state: 'starting', uptimeMs: undefined }),
    ]);
    assert.deepEqual(formatTree(info).split('\n').slice(1), [
      '├─ a: stopped, last end shutdown',
      '├─ b: restarting, 2 restarts, last end killed',
      '└─ c: starting',
    ]);
  });

  it('says so when a supervisor does not run', () => {
    assert.equal(formatTree(tree('app', [], { state: 'stopped' })), 'app (stopped, one_for_one, 0 restarts, 3 of 3 left)');
  });

  it('says of a supervisor what became of it, when it was restarted itself', () => {
    const pool = below('pool', tree('pool', [child('x')]));
    const info = tree('app', [
      { ...pool, restartCount: 1, lastExit: { reason: BOOM, timestampMs: 0 } },
      child('other', { kind: 'supervisor', type: 'supervisor', state: 'restarting', uptimeMs: undefined }),
    ]);
    assert.deepEqual(formatTree(info).split('\n').slice(1), [
      '├─ pool (one_for_one, 0 restarts, 3 of 3 left): running for 12 s, 1 restart, last end crashed: Error: boom',
      '│  └─ x: running for 12 s',
      '└─ other (supervisor): restarting',
    ]);
  });

  it('says what else than a task a child is, and where the operating system has it', () => {
    const info = tree('app', [
      child('a', { kind: 'thread', vitals: { threadId: 3 } }),
      child('b', { kind: 'fork', vitals: { pid: 4711 } }),
      child('c', { kind: 'command', vitals: { pid: 4712 } }),
      child('d', { kind: 'command', state: 'stopped', uptimeMs: undefined }),
      child('e', { kind: 'thread', state: 'restarting', uptimeMs: undefined, vitals: {} }),
    ]);
    assert.deepEqual(formatTree(info).split('\n').slice(1), [
      '├─ a (thread 3): running for 12 s',
      '├─ b (fork, pid 4711): running for 12 s',
      '├─ c (command, pid 4712): running for 12 s',
      '├─ d (command): stopped',
      '└─ e (thread): restarting',
    ]);
  });

  it('says what it takes as far as that is known, and that its event loop is late from a second on', () => {
    const info = tree('app', [
      child('a', { kind: 'fork', vitals: { pid: 1, memoryBytes: 43_400_000, utilization: 0.974, eventLoopDelayMs: 999 } }),
      child('b', { kind: 'command', vitals: { pid: 2, memoryBytes: 400_000, utilization: 0.044 } }),
      child('c', {
        kind: 'thread',
        vitals: { threadId: 3, utilization: 0.045, eventLoopDelayMs: 1000 },
        restartCount: 2,
        lastExit: { reason: BOOM, timestampMs: 0 },
      }),
    ]);
    assert.deepEqual(formatTree(info).split('\n').slice(1), [
      '├─ a (fork, pid 1): running for 12 s, 43 MB, 97 % busy',
      '├─ b (command, pid 2): running for 12 s, 0 MB',
      '└─ c (thread 3): running for 12 s, 5 % busy, event loop 1 s late, 2 restarts, last end crashed: Error: boom',
    ]);
  });

  it('gives an uptime in the largest unit that has passed twice', () => {
    const SECOND_MS = 1000;
    const uptimes = [
      0,
      999,
      119 * SECOND_MS,
      120 * SECOND_MS,
      7_199 * SECOND_MS,
      7_200 * SECOND_MS,
      172_799 * SECOND_MS,
      172_800 * SECOND_MS,
    ];
    const info = tree(
      'app',
      uptimes.map((uptimeMs) => child('a', { uptimeMs })),
    );
    assert.deepEqual(
      formatTree(info)
        .split('\n')
        .slice(1)
        .map((line) => line.split(' running for ')[1]),
      ['0 s', '0 s', '119 s', '2 min', '119 min', '2 h', '47 h', '2 d'],
    );
  });

  it('keeps a cause in one line of bounded length, whatever the error says', () => {
    const lines: ChildInfo['lastExit'] = { reason: crashed(new Error('exit code 1\r\n\n  at line 7\nthe end')), timestampMs: 0 };
    const long: ChildInfo['lastExit'] = { reason: crashed(new Error('x'.repeat(1000))), timestampMs: 0 };
    const info = tree('app', [child('a', { lastExit: lines }), child('b', { lastExit: long })]);
    assert.deepEqual(formatTree(info).split('\n').slice(1), [
      '├─ a: running for 12 s, last end crashed: Error: exit code 1 at line 7 the end',
      `└─ b: running for 12 s, last end crashed: Error: ${'x'.repeat(183)}…`,
    ]);
  });
});
