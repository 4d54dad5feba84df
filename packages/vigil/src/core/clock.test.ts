import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { VirtualClock } from '../testing/index.js';
import { type Clock, nextTurn, SystemClock, settledWithin, systemTime } from './clock.js';

describe('SystemClock', () => {
  it('tells a time that never goes back', () => {
    const clock = new SystemClock();
    let beforeMs = clock.now();
    for (let i = 0; i < 1000; i += 1) {
      const nowMs = clock.now();
      assert.ok(nowMs >= beforeMs);
      beforeMs = nowMs;
    }
  });

  it('tells the time on the wall', () => {
    const beforeMs = Date.now();
    const wallMs = new SystemClock().wallTime();
    assert.ok(wallMs >= beforeMs && wallMs <= Date.now());
  });

  it('TMR-01: calls timers by deadline, never early', async () => {
    const clock = new SystemClock();
    const delays = [9.3, 0.4, 3.7, 5.5, 3.2, 0, 1.1];
    const early: number[] = [];
    const fired: number[] = [];
    await Promise.all(
      delays.map(async (delayMs) => {
        const dueMs = clock.now() + delayMs;
        await elapsed(clock, delayMs);
        if (clock.now() < dueMs) early.push(delayMs);
        fired.push(delayMs);
      }),
    );
    assert.deepEqual(early, []);
    assert.deepEqual(
      fired,
      delays.toSorted((a, b) => a - b),
    );
  });

  it('TMR-01: calls timers of one deadline in the order of their creation', async () => {
    const clock = new StandingClock();
    const fired: number[] = [];
    await Promise.all(
      [1, 2, 3, 4, 5].map(async (name) => {
        await elapsed(clock, 0);
        fired.push(name);
      }),
    );
    assert.deepEqual(fired, [1, 2, 3, 4, 5]);
  });

  it('TMR-01: calls a timer of 0 ms later, not at once', async () => {
    const clock = new SystemClock();
    const seen: string[] = [];
    const fired = new Promise<void>((resolve) => {
      const callback = () => {
        seen.push('timer');
        resolve();
      };
      clock.after(0, callback, { keepAlive: true });
    });
    seen.push('code after it');
    await Promise.resolve();
    seen.push('microtask');
    await fired;
    assert.deepEqual(seen, ['code after it', 'microtask', 'timer']);
  });

  it('fires an earlier timer in time that was made after a later one', async () => {
    const clock = new SystemClock();
    const cancelLate = clock.after(60_000, () => assert.fail('not in this test'));
    await elapsed(clock, 1);
    assert.equal(cancelLate(), true);
  });

  it('fires what is left when the timer that the native one waited for is cancelled', async () => {
    const clock = new SystemClock();
    const cancel = clock.after(1, () => assert.fail('was cancelled'));
    const fired = elapsed(clock, 2);
    cancel();
    await fired;
  });

  it('TMR-02: tells whether a cancel came in time', async () => {
    const clock = new SystemClock();
    let fired = 0;
    const cancelWaiting = clock.after(0, () => (fired += 1));
    assert.deepEqual([cancelWaiting(), cancelWaiting()], [true, false]);
    const cancelFired = await new Promise<() => boolean>((resolve) => {
      const cancel = clock.after(0, () => resolve(cancel), { keepAlive: true });
    });
    assert.equal(cancelFired(), false);
    assert.equal(fired, 0);
  });

  it('TMR-02: does not call a timer that another one cancels when both are due', async () => {
    const clock = new StandingClock();
    const cancelled = await new Promise<boolean>((resolve) => {
      const callback = () => resolve(cancelSecond());
      clock.after(0, callback, { keepAlive: true });
      const cancelSecond = clock.after(0, () => assert.fail('was cancelled'));
    });
    assert.equal(cancelled, true);
    await elapsed(clock, 0);
  });

  it('TMR-07: does not fire a timer of more than 2^31 ms at once', async () => {
    const clock = new SystemClock();
    const cancel = clock.after(2 ** 31, () => assert.fail('fired within milliseconds'));
    const cancelFurther = clock.after(30 * 24 * 3600 * 1000, () => assert.fail('fired within milliseconds'));
    // A timer of its own, since a nearer one of this clock would arm the native timer anew.
    await elapsed(new SystemClock(), 20);
    assert.deepEqual([cancel(), cancelFurther()], [true, true]);
  });

  it('sleeps until something is due, however far away, instead of looking at the time again and again', async () => {
    const clock = new CountingClock();
    const cancel = clock.after(2 ** 32, () => assert.fail('not in this test'));
    await elapsed(new SystemClock(), 20);
    cancel();
    await elapsed(clock, 20);
    assert.ok(clock.looks < 10, `looked ${clock.looks} times`);
  });

  it('lets I/O through between timers that set timers which are due at once', async () => {
    const clock = new StandingClock();
    let calls = 0;
    const again = () => {
      calls += 1;
      if (calls < 1000) clock.after(0, again, { keepAlive: true });
    };
    await new Promise<void>((resolve) => {
      const firstCall = () => {
        again();
        setImmediate(resolve);
      };
      clock.after(0, firstCall, { keepAlive: true });
    });
    assert.ok(calls < 1000, `${calls} timers in one turn`);
    calls = 1000;
  });

  it('calls back soon: after microtasks, in order', async () => {
    const clock = new SystemClock();
    const seen: string[] = [];
    const done = new Promise<void>((resolve) => {
      clock.soon(() => seen.push('soon'));
      clock.soon(resolve);
    });
    await Promise.resolve();
    seen.push('microtask');
    await done;
    assert.deepEqual(seen, ['microtask', 'soon']);
  });

  it('TMR-08: lets Node end although a timer waits', async () => {
    assert.equal(await run(`clock.after(60_000, () => console.log('fired'));`), '');
  });

  it('TMR-08: keeps Node alive for a timer that asks for it', async () => {
    const script = `
      clock.after(60_000, () => console.log('too far away'));
      clock.after(10, () => console.log('fired'), { keepAlive: true });`;
    assert.equal(await run(script), 'fired\n');
  });

  it('TMR-08: keeps Node alive for a far timer whose native timer an earlier one had armed', async () => {
    const script = `
      clock.after(5, () => console.log('first'));
      clock.after(10, () => console.log('second'), { keepAlive: true });
      clock.after(60_000, () => console.log('too far away'));`;
    assert.equal(await run(script), 'first\nsecond\n');
  });

  it('TMR-08: lets Node end when the timer that kept it alive is cancelled', async () => {
    const script = `
      const cancel = clock.after(60_000, () => console.log('fired'), { keepAlive: true });
      cancel();
      cancel();
      clock.after(5, () => console.log('fired'));`;
    assert.equal(await run(script), '');
  });

  it('TMR-08: lets Node end although nobody makes a timer after the cancel', async () => {
    assert.equal(await run(`clock.after(60_000, () => console.log('fired'), { keepAlive: true })();`), '');
  });

  it('counts each timer that keeps Node alive, so that one cancel does not let go of another', async () => {
    const script = `
      const cancel = clock.after(60_000, () => {}, { keepAlive: true });
      clock.after(10, () => console.log('fired'), { keepAlive: true });
      cancel();
      cancel();`;
    assert.equal(await run(script), 'fired\n');
  });

  it('keeps Node alive from keepAlive() until it is cancelled', async () => {
    const script = `
      const release = clock.keepAlive();
      clock.after(10, () => console.log('held', release(), release()));
      clock.after(60_000, () => console.log('too far away'));`;
    assert.equal(await run(script), 'held true false\n');
  });

  it('loses no timer to a callback that throws', async () => {
    const script = `
      process.on('uncaughtException', (error) => console.log(error.message));
      const now = clock.now();
      clock.now = () => now;
      clock.after(0, () => console.log('before'));
      clock.after(0, () => { throw new Error('thrown') });
      clock.after(0, () => console.log('after'));
      clock.after(0, () => console.log('last'), { keepAlive: true });`;
    assert.equal(await run(script), 'before\nthrown\nafter\nlast\n');
  });
});

describe('systemTime', () => {
  it('tells both times of the machine', () => {
    const beforeMs = performance.now();
    const wallBeforeMs = Date.now();
    assert.ok(systemTime.now() >= beforeMs && systemTime.now() <= performance.now());
    assert.ok(systemTime.wallTime() >= wallBeforeMs && systemTime.wallTime() <= Date.now());
  });
});

describe('nextTurn', () => {
  it('comes when every microtask has run', async () => {
    const seen: number[] = [];
    const chain = async () => {
      for (let i = 0; i < 100; i += 1) seen.push(await Promise.resolve(i));
    };
    const chained = chain();
    await nextTurn();
    assert.equal(seen.length, 100);
    await chained;
  });
});

describe('settledWithin', () => {
  it('gives the value in a box when it comes in time, even an undefined one', async () => {
    const clock = new VirtualClock();
    assert.deepEqual(await settledWithin(Promise.resolve(7), 100, clock), { value: 7 });
    assert.deepEqual(await settledWithin(Promise.resolve(undefined), 100, clock), { value: undefined });
  });

  it('gives nothing when the time runs out first', async () => {
    const clock = new VirtualClock();
    let result: unknown = 'not settled';
    const waiting = async () => {
      result = await settledWithin(new Promise(() => {}), 100, clock);
    };
    const waited = waiting();
    await clock.advance(99);
    assert.equal(result, 'not settled');
    await clock.advance(1);
    await waited;
    assert.equal(result, undefined);
  });

  it('passes a rejection on', async () => {
    await assert.rejects(settledWithin(Promise.reject(new Error('from the work')), 100, new VirtualClock()), /from the work/);
  });

  it('leaves no timer behind', async () => {
    const clock = new VirtualClock();
    await settledWithin(Promise.resolve(), 100, clock);
    await settledWithin(Promise.reject(new Error('from the work')), 100, clock).catch(() => {});
    assert.equal(clock.pendingTimers, 0);
  });

  it('lets nobody be surprised by a rejection that comes too late', async () => {
    const clock = new VirtualClock();
    const fail = async () => {
      await elapsed(clock, 20);
      throw new Error('too late');
    };
    const result = settledWithin(fail(), 10, clock);
    await clock.advance(10);
    assert.equal(await result, undefined);
    // An unhandled rejection would fail this test.
    await clock.advance(10);
  });

  it('keeps Node alive while it waits', async () => {
    const script = `console.log(await settledWithin(new Promise(() => {}), 10, clock));`;
    assert.equal(await run(script), 'undefined\n');
  });
});

/** Time that the test holds still, so that what is due is due at the same moment. */
class StandingClock extends SystemClock {
  override now(): number {
    return 5;
  }
}

class CountingClock extends SystemClock {
  looks = 0;

  override now(): number {
    this.looks += 1;
    return super.now();
  }
}

function elapsed(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve, { keepAlive: true });
  });
}

/** What a program printed that had a clock and ended by itself. */
async function run(script: string): Promise<string> {
  const imports = `import { settledWithin, SystemClock } from ${JSON.stringify(new URL('./clock.js', import.meta.url))};`;
  const program = `${imports} const clock = new SystemClock(); ${script}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { timeout: 30_000 });
  return stdout;
}
