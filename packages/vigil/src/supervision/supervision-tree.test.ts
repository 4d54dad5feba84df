import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KILLED, SHUTDOWN } from '../core/index.js';
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
});
