import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { ChildOptions } from '../../supervision/index.js';
import { descendants, eventually, runs } from '../os/programs.suite.js';
import { Arena, assertKilledAfterGrace, crashOf, crashWith } from '../remote/arena.suite.js';
import { type Deed, deedModule } from '../remote/deeds.suite.js';
import { assertLetsGo, assertSurvivesFlood, Host } from '../remote/host.suite.js';
import { fork, type ForkOptions } from './fork-runner.js';
import { it } from '../remote/patient-it.suite.js';

const MB = 1024 * 1024;

function arena(deed: Deed, options?: ChildOptions, forkOptions?: ForkOptions): Arena {
  return new Arena(fork(deedModule(deed), forkOptions), options);
}

describe('torture of forks', () => {
  it('crash in start', () => arena('throws').assertGivesUp(crashOf(/^deed: thrown at the start$/)));
  it('crash after an await', () => arena('throws_after_await').assertGivesUp(crashOf(/^deed: thrown after an await$/)));
  it('crash in a microtask', () => arena('throws_in_microtask').assertGivesUp(crashOf(/^deed: thrown in a microtask$/)));
  it('crash in a timer', () => arena('throws_in_timer').assertGivesUp(crashOf(/^deed: thrown in a timer$/)));
  it('a rejection that nobody awaits', () => arena('rejects_unheard').assertGivesUp(crashOf(/^deed: nobody awaits this$/)));
  it('process.exit(3)', () => arena('exits_with_3').assertGivesUp(crashWith('AbnormalExit', { exitCode: 3 })));
  it('process.exit(0)', () => arena('exits_with_0').assertGivesUp((reason) => assert.equal(reason.kind, 'normal')));
  it('process.abort()', () => arena('aborts').assertGivesUp(crashWith('AbnormalExit', { signal: 'SIGABRT' })));
  it('an endless loop', () => arena('loops', { maxBlockedMs: 200 }).assertGivesUp(crashWith('HealthCheckFailed', { maxBlockedMs: 200 })));
  it('a wait that blocks for ever', () => arena('waits_atomically', { maxBlockedMs: 200 }).assertGivesUp(crashWith('HealthCheckFailed')));
  it('an exhausted heap', () =>
    arena('exhausts_heap', {}, { execArgv: ['--max-old-space-size=30'] }).assertGivesUp(crashWith('OutOfMemory', { signal: 'SIGABRT' })));
  it('exhausted memory', () =>
    arena('exhausts_buffers', { maxMemoryBytes: 120 * MB, healthCheckIntervalMs: 20 }).assertGivesUp(crashWith('OutOfMemory')));

  for (const deed of ['loops', 'waits_atomically', 'hangs', 'ignores_stop'] as const) {
    it(`is killed at the end of its grace period: ${deed}`, () => assertKilledAfterGrace(arena(deed)));
  }

  it('SIGKILL from outside', async () => {
    const trial = arena('says_pid');
    trial.supervisor.exited.then(() => trial.observer.close(), assert.fail);
    const given = trial.assertGivesUp(crashWith('AbnormalExit', { signal: 'SIGKILL' }));
    for await (const { payload } of trial.observer) if (typeof payload === 'number') process.kill(payload, 'SIGKILL');
    await given;
  });

  it('SIGSTOP from outside', async () => {
    const trial = arena('says_pid', { maxBlockedMs: 200 });
    trial.supervisor.exited.then(() => trial.observer.close(), assert.fail);
    const given = trial.assertGivesUp(crashWith('HealthCheckFailed', { maxBlockedMs: 200 }));
    for await (const { payload } of trial.observer) if (typeof payload === 'number') process.kill(payload, 'SIGSTOP');
    await given;
  });

  it('SIGSTOP from outside, and then it is to stop', async () => {
    const trial = arena('says_pid', { shutdownTimeoutMs: 5000 });
    await trial.supervisor.start();
    await trial.heardThat('entered');
    process.kill(Number(await trial.heard()), 'SIGSTOP');
    await trial.assertEmpty();
    assert.deepEqual(trial.ends, [{ kind: 'shutdown' }]);
  });

  for (const deed of ['has_stubborn_program', 'leaves_program_behind', 'has_program_and_loops'] as const) {
    it(`does not leave a program behind: ${deed}`, async () => {
      const trial = arena(deed, { restartType: 'temporary' });
      await trial.supervisor.start();
      await trial.heardThat('entered');
      const pid = Number(await trial.heard());
      await trial.assertEmpty();
      assert.equal(runs(pid), false);
    });
  }

  for (const deed of ['says_pid', 'loops', 'has_stubborn_program'] as const) {
    it(`ends with Vigil's own process, when that is killed: ${deed}`, async () => {
      const host = new Host('fork', deed);
      await host.heardThat('entered');
      await host.heard();
      const all = descendants(host.program.pid);
      assert.ok(all.length >= 2);
      host.program.kill('SIGKILL');
      await eventually(() => !all.some(runs));
    });
  }

  it("ends with Vigil's own process, when that is killed while it is suspended", async () => {
    const host = new Host('fork', 'says_pid');
    await host.heardThat('started');
    host.say('suspend');
    await host.heardThat('suspended');
    const all = descendants(host.program.pid);
    host.program.kill('SIGKILL');
    await eventually(() => !all.some(runs));
  });

  for (const stdout of ['pipe', 'ignore'] as const) {
    const whose = stdout === 'pipe' ? 'that nobody reads' : 'that goes nowhere';
    it(`100 MB on its standard output ${whose}`, () => assertSurvivesFlood(new Host('fork', 'floods_stdout', { stdout })));
  }

  for (const deed of ['says_pid', 'loops'] as const) {
    it(`keeps nobody alive when it has stopped: ${deed}`, () => assertLetsGo(new Host('fork', deed)));
  }

  it('keeps nobody alive that it is told not to', async () => {
    const host = new Host('fork', 'says_pid', { keepAlive: false });
    const all = await host.descendantsAtStart();
    assert.equal(await host.ended(), 0);
    await eventually(() => !all.some(runs));
  });
});
