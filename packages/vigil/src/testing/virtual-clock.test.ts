import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Cancel, type Clock, isVigilError, nextTurn } from '../core/index.js';
import { VirtualClock } from './virtual-clock.js';

describe('VirtualClock', () => {
  it('stands at 0, and at the first moment of 2020 for people, until it is moved', async () => {
    const clock = new VirtualClock();
    await nextTurn();
    assert.equal(clock.now(), 0);
    assert.equal(new Date(clock.wallTime()).toISOString(), '2020-01-01T00:00:00.000Z');
  });

  it('moves both times by what it is advanced', async () => {
    const clock = new VirtualClock();
    await clock.advance(1500.5);
    assert.equal(clock.now(), 1500.5);
    assert.equal(clock.wallTime(), Date.UTC(2020, 0, 1) + 1500.5);
  });

  it('calls a timer at its time: not before, and once', async () => {
    const clock = new VirtualClock();
    const firedAt = recordTimers(clock, [10]);
    await clock.advance(9.9);
    assert.deepEqual(firedAt, []);
    await clock.advance(0.1);
    await clock.advance(100);
    assert.deepEqual(firedAt, ['10@10']);
  });

  it('calls timers in the order of their deadlines, then of their creation', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    for (const [name, delayMs] of [
      ['late', 20],
      ['first', 10],
      ['second', 10],
      ['early', 5],
      ['third', 10],
    ] as const) {
      clock.after(delayMs, () => fired.push(name));
    }
    await clock.advance(20);
    assert.deepEqual(fired, ['early', 'first', 'second', 'third', 'late']);
  });

  it('OBS-07: fires an interval of 4 and a time-out of 10 at 4, 8, 10, 12', async () => {
    const clock = new VirtualClock();
    const firedAt: number[] = [];
    every(clock, 4, () => firedAt.push(clock.now()));
    clock.after(10, () => firedAt.push(clock.now()));

    await clock.advance(3);
    assert.deepEqual(firedAt, []);
    await clock.advance(9);
    assert.deepEqual(firedAt, [4, 8, 10, 12]);
    assert.equal(clock.now(), 12);
  });

  it('calls a timer of 0 ms with the next advance, never at once', async () => {
    const clock = new VirtualClock();
    const firedAt = recordTimers(clock, [0]);
    await nextTurn();
    assert.deepEqual(firedAt, []);
    await clock.advance(0);
    assert.deepEqual(firedAt, ['0@0']);
  });

  it('refuses a delay that is no duration, which would upset the order of all timers', () => {
    const clock = new VirtualClock();
    for (const delayMs of [-5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(
        () => clock.after(delayMs, () => {}),
        (error) => isVigilError(error, 'InvalidConfiguration'),
      );
    }
    assert.equal(clock.pendingTimers, 0);
  });

  it('counts a timer that is made on the way from the moment of its making', async () => {
    const clock = new VirtualClock();
    let firedAtMs: number | undefined;
    clock.after(3, () => {
      clock.after(4, () => {
        firedAtMs = clock.now();
      });
    });
    await clock.advance(100);
    assert.equal(firedAtMs, 7);
  });

  it('lets microtasks run before the next timer, so that what they start counts from there', async () => {
    const clock = new VirtualClock();
    const firedAt: number[] = [];
    const sleepTwice = async () => {
      await sleep(clock, 5);
      firedAt.push(clock.now());
      await sleep(clock, 5);
      firedAt.push(clock.now());
    };
    await Promise.all([sleepTwice(), clock.advance(100)]);
    assert.deepEqual(firedAt, [5, 10]);
  });

  it('lets what waits for no time run before time moves', async () => {
    const clock = new VirtualClock();
    const firedAt: number[] = [];
    const nap = async () => {
      await nextTurn();
      await sleep(clock, 1);
      firedAt.push(clock.now());
    };
    await Promise.all([nap(), clock.advance(5)]);
    assert.deepEqual(firedAt, [1]);
  });

  it('waits between two timers for callbacks of soon, and for those that these ask for', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.after(1, () => {
      clock.soon(() => {
        seen.push(`soon@${clock.now()}`);
        clock.soon(() => seen.push(`later@${clock.now()}`));
      });
    });
    clock.after(2, () => seen.push('next timer'));
    await clock.advance(2);
    assert.deepEqual(seen, ['soon@1', 'later@1', 'next timer']);
  });

  it('waits for callbacks of soon at the end', async () => {
    const clock = new VirtualClock();
    let hasRun = false;
    clock.after(1, () => clock.soon(() => clock.soon(() => (hasRun = true))));
    await clock.advance(1);
    assert.equal(hasRun, true);
  });

  it('calls back soon without being advanced, in order, and not at once', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const done = new Promise<void>((resolve) => {
      clock.soon(() => seen.push(1));
      clock.soon(() => seen.push(2));
      clock.soon(resolve);
    });
    assert.deepEqual(seen, []);
    await done;
    assert.deepEqual(seen, [1, 2]);
    assert.equal(clock.now(), 0);
  });

  it('tells whether a cancel came in time', async () => {
    const clock = new VirtualClock();
    const cancelWaiting = clock.after(10, () => assert.fail('was cancelled'));
    const cancelFired = clock.after(10, () => {});
    assert.deepEqual([cancelWaiting(), cancelWaiting()], [true, false]);
    await clock.advance(10);
    assert.equal(cancelFired(), false);
  });

  it('TMR-02: does not call a timer that was cancelled in the turn in which both are due', async () => {
    const clock = new VirtualClock();
    const cancels: Cancel[] = [];
    clock.after(10, () =>
      assert.deepEqual(
        cancels.map((cancel) => cancel()),
        [true],
      ),
    );
    cancels.push(clock.after(10, () => assert.fail('was cancelled')));
    await clock.advance(10);
  });

  it('counts the timers that wait', async () => {
    const clock = new VirtualClock();
    const cancel = clock.after(5, () => {});
    clock.after(10, () => {});
    clock.after(15, () => {});
    assert.equal(clock.pendingTimers, 3);
    cancel();
    assert.equal(clock.pendingTimers, 2);
    await clock.advance(10);
    assert.equal(clock.pendingTimers, 1);
  });

  it('carries out concurrent advances one after the other', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const finish = (name: string) => () => seen.push(`${name}@${clock.now()}`);
    clock.after(5, () => seen.push(`timer@${clock.now()}`));
    await Promise.all([clock.advance(3).then(finish('first')), clock.advance(4).then(finish('second'))]);
    assert.deepEqual(seen, ['first@3', 'timer@5', 'second@7']);
  });

  it('takes an advance that is asked for during another one, which does not wait for it', async () => {
    const clock = new VirtualClock();
    let inner: Promise<void> | undefined;
    clock.after(5, () => {
      inner = clock.advance(10);
    });
    await clock.advance(6);
    assert.equal(clock.now(), 6);
    await inner;
    assert.equal(clock.now(), 16);
  });

  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    it(`refuses to advance by ${ms}`, async () => {
      const clock = new VirtualClock();
      await assert.rejects(clock.advance(ms), (error) => isVigilError(error, 'InvalidConfiguration'));
      assert.equal(clock.now(), 0);
      await clock.advance(1);
      assert.equal(clock.now(), 1);
    });
  }

  it('rejects with the error of a callback and can be advanced further', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.after(5, () => {
      throw new Error('from the callback');
    });
    clock.after(5, () => seen.push('the next one'));
    await assert.rejects(clock.advance(10), /from the callback/);
    assert.equal(clock.now(), 5);
    await clock.advance(0);
    assert.deepEqual(seen, ['the next one']);
  });

  it('rejects with the error of a callback of soon', async () => {
    const clock = new VirtualClock();
    clock.soon(() => {
      throw new Error('from the callback');
    });
    await assert.rejects(clock.advance(1), /from the callback/);
  });

  it('refuses to wait for ever for a loop that only yields', async () => {
    const clock = new VirtualClock();
    let isLooping = true;
    const loop = () => {
      if (isLooping) clock.soon(loop);
    };
    loop();
    await assert.rejects(clock.advance(1), (error) => isVigilError(error, 'InvalidState') && /soon/.test(error.message));
    isLooping = false;
    await clock.advance(1);
    assert.equal(clock.now(), 1);
  });

  it('refuses to follow timers for ever that set timers of 0 ms', async () => {
    const clock = new VirtualClock();
    const again = () => {
      clock.after(0, again);
    };
    again();
    await assert.rejects(clock.advance(1), (error) => isVigilError(error, 'InvalidState') && /due at once/.test(error.message));
  });

  it('follows a program for as long as it needs while its time moves', async () => {
    const clock = new VirtualClock();
    let ticks = 0;
    every(clock, 1, () => (ticks += 1));
    await clock.advance(12_000);
    assert.equal(ticks, 12_000);
  });

  it('gives back a cancel for keepAlive, as every clock does', () => {
    const cancel = new VirtualClock().keepAlive();
    assert.deepEqual([cancel(), cancel()], [true, false]);
  });

  it('comes to the same end in one advance as in many', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(50), { minLength: 1 }), fc.array(fc.nat(20), { minLength: 1 }), async (delays, steps) => {
        const total = steps.reduce((sum, step) => sum + step, 0);
        const [atOnce, inSteps] = [new VirtualClock(), new VirtualClock()];
        const firedAtOnce = recordTimers(atOnce, delays);
        const firedInSteps = recordTimers(inSteps, delays);
        await atOnce.advance(total);
        for (const step of steps) await inSteps.advance(step);
        assert.deepEqual(firedInSteps, firedAtOnce);
        const due = delays.filter((delay) => delay <= total).toSorted((a, b) => a - b);
        assert.deepEqual(
          firedAtOnce,
          due.map((delay) => `${delay}@${delay}`),
        );
      }),
      { numRuns: 30 },
    );
  });
});

/** Sets a timer for each delay; what comes back fills with `delay@time`. */
function recordTimers(clock: Clock, delays: readonly number[]): string[] {
  const fired: string[] = [];
  for (const delayMs of delays) clock.after(delayMs, () => fired.push(`${delayMs}@${clock.now()}`));
  return fired;
}

function every(clock: Clock, intervalMs: number, callback: () => void): void {
  clock.after(intervalMs, () => {
    callback();
    every(clock, intervalMs, callback);
  });
}

function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
