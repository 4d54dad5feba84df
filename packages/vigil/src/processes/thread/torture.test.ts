import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { ChildOptions } from '../../supervision/index.js';
import { descendants, eventually, runs } from '../os/programs.suite.js';
import { Arena, assertKilledAfterGrace, crashOf, crashWith } from '../remote/arena.suite.js';
import { type Deed, deedModule } from '../remote/deeds.suite.js';
import { assertLetsGo, assertSurvivesFlood, Host } from '../remote/host.suite.js';
import { thread } from './thread-runner.js';
import { it } from '../remote/patient-it.suite.js';

const MB = 1024 * 1024;

function arena(deed: Deed, options?: ChildOptions): Arena {
  return new Arena(thread(deedModule(deed)), options);
}

describe('torture of threads', () => {
  it('crash in start', () => arena('throws').assertGivesUp(crashOf(/^deed: thrown at the start$/)));
  it('crash after an await', () => arena('throws_after_await').assertGivesUp(crashOf(/^deed: thrown after an await$/)));
  it('crash in a microtask', () => arena('throws_in_microtask').assertGivesUp(crashOf(/^deed: thrown in a microtask$/)));
  it('crash in a timer', () => arena('throws_in_timer').assertGivesUp(crashOf(/^deed: thrown in a timer$/)));
  it('a rejection that nobody awaits', () => arena('rejects_unheard').assertGivesUp(crashOf(/^deed: nobody awaits this$/)));
  it('process.exit(3)', () => arena('exits_with_3').assertGivesUp(crashWith('AbnormalExit', { exitCode: 3 })));
  it('process.exit(0)', () => arena('exits_with_0').assertGivesUp((reason) => assert.equal(reason.kind, 'normal')));
  it('process.abort(), which throws in a thread', () => arena('aborts').assertGivesUp(crashOf(/process\.abort\(\) is not supported/)));
  it('an endless loop', () => arena('loops', { maxBlockedMs: 100 }).assertGivesUp(crashWith('HealthCheckFailed', { maxBlockedMs: 100 })));
  it('a wait that blocks for ever', () => arena('waits_atomically', { maxBlockedMs: 100 }).assertGivesUp(crashWith('HealthCheckFailed')));
  it('an exhausted heap', () => arena('exhausts_heap', { maxMemoryBytes: 20 * MB }).assertGivesUp(crashWith('OutOfMemory')));
  it('exhausted buffers', () =>
    arena('exhausts_buffers', { maxMemoryBytes: 50 * MB, healthCheckIntervalMs: 20 }).assertGivesUp(crashWith('OutOfMemory')));

  for (const deed of ['loops', 'waits_atomically', 'hangs', 'ignores_stop'] as const) {
    it(`is killed at the end of its grace period: ${deed}`, () => assertKilledAfterGrace(arena(deed)));
  }

  for (const deed of ['has_stubborn_program', 'leaves_program_behind', 'has_program_and_loops'] as const) {
    it(`does not leave a program behind: ${deed}`, async () => {
      const trial = arena(deed, { restartType: 'temporary' });
      await trial.supervisor.start();
      await trial.heardThat('entered');
      const pid = Number(await trial.heard());
      await trial.supervisor.stop();
      await eventually(() => !runs(pid));
      assert.ok(trial.logged.some(({ level, message }) => level === 'warn' && message.includes(`program ${pid}`)));
      await trial.assertEmpty();
    });
  }

  for (const stdout of ['pipe', 'ignore'] as const) {
    const whose = stdout === 'pipe' ? 'that nobody reads' : 'that goes nowhere';
    it(`100 MB on its standard output ${whose}`, () => assertSurvivesFlood(new Host('thread', 'floods_stdout', { stdout })));
  }

  for (const deed of ['obeys', 'loops'] as const) {
    it(`ends with Vigil's own process, when that is killed: ${deed}`, async () => {
      const host = new Host('thread', deed);
      await host.heardThat('entered');
      const all = descendants(host.program.pid);
      host.program.kill('SIGKILL');
      assert.equal(await host.ended(), 'SIGKILL');
      await eventually(() => !all.some(runs));
    });

    it(`keeps nobody alive when it has stopped: ${deed}`, () => assertLetsGo(new Host('thread', deed)));
  }

  it('keeps nobody alive that it is told not to', async () => {
    const host = new Host('thread', 'obeys', { keepAlive: false });
    assert.equal(await host.ended(), 0);
  });
});
