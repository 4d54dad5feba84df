import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError, type Logger, silentLogger } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import { ShutdownManager, type ShutdownReport } from './shutdown-manager.js';

const ALL_WELL = { failures: [], unfinished: 0 };

describe('ShutdownManager', () => {
  it('HOOK-01: runs the last registered hook first', async () => {
    const { manager, ran } = withHooks('a', 'b', 'c');
    assert.deepEqual(await manager.shutdown(), { completed: 3, ...ALL_WELL });
    assert.deepEqual(ran, ['c', 'b', 'a']);
  });

  it('HOOK-01: runs them in the order of registration when asked to', async () => {
    const { manager, ran } = withHooks('a', 'b', 'c');
    await manager.shutdown({ order: 'forward' });
    assert.deepEqual(ran, ['a', 'b', 'c']);
  });

  it('HOOK-01: starts a hook when the one before it has ended', async () => {
    const clock = new VirtualClock();
    const manager = new ShutdownManager(clock);
    const trace: string[] = [];
    for (const name of ['first', 'second']) {
      manager.onShutdown(async () => {
        trace.push(`+${name}`);
        await passing(clock, 10);
        trace.push(`-${name}`);
      });
    }
    await outcomeAfter(clock, 20, manager.shutdown({ order: 'forward' }));
    assert.deepEqual(trace, ['+first', '-first', '+second', '-second']);
  });

  it('runs a function twice that was registered twice', async () => {
    const manager = new ShutdownManager();
    let runs = 0;
    const hook = () => {
      runs += 1;
    };
    manager.onShutdown(hook);
    const takeBack = manager.onShutdown(hook);
    manager.onShutdown(hook);
    takeBack();
    await manager.shutdown();
    assert.equal(runs, 2);
  });

  it('resolves with an empty report when there are no hooks', async () => {
    assert.deepEqual(await new ShutdownManager().shutdown(), { completed: 0, ...ALL_WELL });
  });

  it('HOOK-02: reports what hooks throw or reject with, and runs the rest', async () => {
    const { log, errors } = recordingLog();
    const manager = new ShutdownManager(new VirtualClock(), log);
    const [thrown, rejected] = [new Error('thrown'), new Error('rejected')];
    const ran: string[] = [];
    manager.onShutdown(() => void ran.push('last'));
    manager.onShutdown(() => Promise.reject(rejected));
    manager.onShutdown(() => {
      throw thrown;
    });
    assert.deepEqual(await manager.shutdown(), { completed: 1, failures: [thrown, rejected], unfinished: 0 });
    assert.deepEqual(ran, ['last']);
    assert.deepEqual(
      errors.map(({ details }) => details),
      [thrown, rejected],
    );
  });

  it('HOOK-02: is not disturbed by a log that throws', async () => {
    const manager = new ShutdownManager(new VirtualClock(), { debug: fail, info: fail, warn: fail, error: fail });
    manager.onShutdown(fail);
    assert.equal((await manager.shutdown({ timeoutMs: 10 })).failures.length, 1);
  });

  it('HOOK-03: counts the time of all hooks together and starts none when it is over', async () => {
    const clock = new VirtualClock();
    const { log, errors } = recordingLog();
    const manager = new ShutdownManager(clock, log);
    const started: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      manager.onShutdown(() => {
        started.push(name);
        return passing(clock, 60);
      });
    }
    const shutdown = manager.shutdown({ timeoutMs: 100, order: 'forward' });
    assert.equal(await outcomeAfter(clock, 99, shutdown), undefined);
    assert.deepEqual(await outcomeAfter(clock, 1, shutdown), { completed: 1, failures: [], unfinished: 2 });
    await clock.advance(1000);
    assert.deepEqual(started, ['a', 'b']);
    assert.deepEqual(
      errors.map(({ message }) => message),
      ['2 of 3 shutdown hooks had not ended within 100 ms'],
    );
  });

  it('HOOK-03: starts no hook at the very end of the time', async () => {
    const clock = new VirtualClock();
    const manager = new ShutdownManager(clock);
    // A hook that blocks the event loop until the deadline, and so cannot be left behind.
    manager.onShutdown(() => assert.fail('started after the deadline'));
    manager.onShutdown(() => {
      clock.now = () => 100;
    });
    assert.deepEqual(await manager.shutdown({ timeoutMs: 100 }), { completed: 1, failures: [], unfinished: 1 });
  });

  it('HOOK-03: runs no hook in 0 ms', async () => {
    const { manager, ran } = withHooks('a', 'b');
    assert.deepEqual(await manager.shutdown({ timeoutMs: 0 }), { completed: 0, failures: [], unfinished: 2 });
    assert.deepEqual(ran, []);
  });

  it('HOOK-03: leaves a hanging hook behind after 30 s when it was told no time', async () => {
    const clock = new VirtualClock();
    const manager = new ShutdownManager(clock);
    manager.onShutdown(() => new Promise(() => {}));
    const shutdown = manager.shutdown();
    assert.equal(await outcomeAfter(clock, 29_999, shutdown), undefined);
    assert.deepEqual(await outcomeAfter(clock, 1, shutdown), { completed: 0, failures: [], unfinished: 1 });
  });

  it('HOOK-03: swallows what a hook throws that was left behind', async () => {
    const clock = new VirtualClock();
    const manager = new ShutdownManager(clock);
    manager.onShutdown(async () => {
      await passing(clock, 50);
      throw new Error('too late');
    });
    const report = await outcomeAfter(clock, 10, manager.shutdown({ timeoutMs: 10 }));
    // An unhandled rejection would fail this test.
    await clock.advance(100);
    assert.deepEqual(report, { completed: 0, failures: [], unfinished: 1 });
  });

  it('leaves no timer behind when the hooks end in time', async () => {
    const clock = new VirtualClock();
    const manager = new ShutdownManager(clock);
    manager.onShutdown(() => {});
    manager.onShutdown(() => Promise.reject(new Error('boom')));
    await manager.shutdown();
    assert.equal(clock.pendingTimers, 0);
  });

  describe('HOOK-04: runs its hooks once', () => {
    it('when it is asked again afterwards, whatever it is asked for then', async () => {
      const { manager, ran } = withHooks('a', 'b');
      const first = await manager.shutdown({ order: 'forward' });
      assert.equal(await manager.shutdown({ order: 'reverse', timeoutMs: 0 }), first);
      assert.deepEqual(ran, ['a', 'b']);
    });

    it('when it is asked twice at a time', async () => {
      const { manager, ran } = withHooks('a', 'b');
      const reports = await Promise.all([manager.shutdown(), manager.shutdown(), manager.shutdown()]);
      assert.deepEqual(new Set(reports).size, 1);
      assert.deepEqual(ran, ['b', 'a']);
    });

    it('when a hook asks, too', async () => {
      const { manager, ran } = withHooks('a');
      const askedByHook: Promise<ShutdownReport>[] = [];
      manager.onShutdown(() => {
        ran.push('asks');
        askedByHook.push(manager.shutdown());
      });
      const report = await manager.shutdown();
      assert.deepEqual(await Promise.all(askedByHook), [report]);
      assert.deepEqual(ran, ['asks', 'a']);
    });

    it('when a hook waits for the end of its own shutdown: both settle at the deadline', async () => {
      const clock = new VirtualClock();
      const manager = new ShutdownManager(clock);
      let reportOfHook: ShutdownReport | undefined;
      manager.onShutdown(async () => {
        reportOfHook = await manager.shutdown();
      });
      const report = await outcomeAfter(clock, 500, manager.shutdown({ timeoutMs: 500 }));
      assert.deepEqual(report, { completed: 0, failures: [], unfinished: 1 });
      assert.equal(reportOfHook, report);
    });
  });

  describe('HOOK-04: refuses a hook that would never run', () => {
    it('as soon as the shutdown was asked for', async () => {
      const manager = new ShutdownManager();
      const shutdown = manager.shutdown();
      assert.throws(() => manager.onShutdown(() => {}), isTooLate);
      await shutdown;
    });

    it('from a hook', async () => {
      const manager = new ShutdownManager();
      manager.onShutdown(() => void manager.onShutdown(() => {}));
      const { failures } = await manager.shutdown();
      assert.equal(failures.length, 1);
      assert.ok(isTooLate(failures[0]));
    });

    it('after it', async () => {
      const manager = new ShutdownManager();
      await manager.shutdown();
      assert.throws(() => manager.onShutdown(() => {}), isTooLate);
    });
  });

  it('does not run a hook that was taken back, and says whether there was one to take', async () => {
    const { manager, ran } = withHooks('a');
    const takeBack = manager.onShutdown(() => void ran.push('taken back'));
    assert.deepEqual([takeBack(), takeBack()], [true, false]);
    assert.deepEqual(await manager.shutdown(), { completed: 1, ...ALL_WELL });
    assert.deepEqual(ran, ['a']);
  });

  it('has not begun when it was asked with a bad option', async () => {
    const { manager, ran } = withHooks('a');
    await assert.rejects(manager.shutdown({ timeoutMs: -1 }), (error) => isVigilError(error, 'InvalidConfiguration'));
    manager.onShutdown(() => void ran.push('b'));
    await manager.shutdown();
    assert.deepEqual(ran, ['b', 'a']);
  });
});

function fail(): never {
  throw new Error('boom');
}

function isTooLate(error: unknown): boolean {
  return isVigilError(error, 'InvalidState');
}

function withHooks(...names: readonly string[]): { manager: ShutdownManager; ran: string[] } {
  const manager = new ShutdownManager(new VirtualClock());
  const ran: string[] = [];
  for (const name of names) manager.onShutdown(() => void ran.push(name));
  return { manager, ran };
}

/** Resolves when so much time has passed on the clock. */
function passing(clock: VirtualClock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

/** What a promise has resolved with after `ms`, or `undefined`. */
async function outcomeAfter<T>(clock: VirtualClock, ms: number, promise: Promise<T>): Promise<T | undefined> {
  let outcome: T | undefined;
  const keep = async () => {
    outcome = await promise;
  };
  await Promise.race([keep(), clock.advance(ms)]);
  await clock.advance(0);
  return outcome;
}

function recordingLog(): { log: Logger; errors: { message: string; details: unknown }[] } {
  const errors: { message: string; details: unknown }[] = [];
  return { log: { ...silentLogger, error: (message, details) => errors.push({ message, details }) }, errors };
}
