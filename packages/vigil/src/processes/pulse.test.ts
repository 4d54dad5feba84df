import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { type Cancel, isVigilError, type Signal, type VigilError } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import type { ProcessSettings } from './runner.js';
import { processSettings } from './workbench.suite.js';
import { type Measured, type Patient, Pulse } from './pulse.js';

/** A process with an event loop that turns, or does not. */
class ScriptedPatient implements Patient {
  readonly pulse: Pulse;
  readonly clock: VirtualClock;
  readonly warnings: Signal[] = [];
  readonly failures: { readonly error: VigilError; readonly atMs: number }[] = [];
  /** What is measured from outside. */
  measured: Measured = { utilization: 0.1 };
  /** What it says of itself. */
  saidMemoryBytes = 1000;
  isBlocked = false;
  /** Whom it did not answer yet. */
  readonly unanswered: number[] = [];
  pings = 0;

  constructor(settings: Partial<ProcessSettings>, clock: VirtualClock = new VirtualClock()) {
    this.clock = clock;
    this.pulse = new Pulse(processSettings({ healthCheckIntervalMs: 1000, ...settings }), clock, this);
    this.pulse.start();
  }

  ping(number: number): void {
    this.pings += 1;
    this.unanswered.push(number);
    this.turn();
  }

  /** Its event loop turns, if it can: answers arrive in a later turn of the observer's. */
  turn(): void {
    if (this.isBlocked) return;
    for (const number of this.unanswered.splice(0)) this.clock.soon(() => this.pulse.answered(number, this.saidMemoryBytes));
  }

  measure(): Measured {
    return this.measured;
  }

  warn(signal: Signal): void {
    this.warnings.push(signal);
  }

  fail(error: VigilError): void {
    this.failures.push({ error, atMs: this.clock.now() });
  }

  get codes(): string[] {
    return this.failures.map(({ error }) => error.code);
  }
}

/** A clock whose timers can be late once, as in an event loop that was busy. */
class LateClock extends VirtualClock {
  lateMs = 0;

  override now(): number {
    return super.now() + this.lateMs;
  }

  override after(delayMs: number, callback: () => void): Cancel {
    const { lateMs } = this;
    this.lateMs = 0;
    const cancel = super.after(delayMs, callback);
    this.lateMs = lateMs;
    return cancel;
  }
}

const MB = 1024 * 1024;

const times = fc.integer({ min: 10, max: 1000 });

const ROUNDING_MS = 0.01;

describe('the pulse of a process elsewhere', () => {
  let patient: ScriptedPatient;

  describe('with a limit for blocks', () => {
    beforeEach(() => {
      patient = new ScriptedPatient({ maxBlockedMs: 200, healthCheckIntervalMs: 5000 });
    });

    it('ends who has blocked, between one and one and a half times the limit after it began', async () => {
      await fc.assert(
        fc.asyncProperty(times, times, times, async (beginMs, maxBlockedMs, healthCheckIntervalMs) => {
          const blocked = new ScriptedPatient({ maxBlockedMs, healthCheckIntervalMs });
          await blocked.clock.advance(beginMs);
          blocked.isBlocked = true;
          await blocked.clock.advance(maxBlockedMs * 3);
          assert.deepEqual(blocked.codes, ['HealthCheckFailed']);
          const silentMs = blocked.failures[0]!.atMs - beginMs;
          assert.ok(
            silentMs > maxBlockedMs - ROUNDING_MS && silentMs < maxBlockedMs * 1.5 + ROUNDING_MS,
            `after ${silentMs} of ${maxBlockedMs} ms`,
          );
        }),
      );
    });

    it('never ends who has blocked for less', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 99 })), { maxLength: 20 }),
          async (blocks) => {
            const busy = new ScriptedPatient({ maxBlockedMs: 100, healthCheckIntervalMs: 5000 });
            for (const [idleMs, blockedMs] of blocks) {
              await busy.clock.advance(idleMs);
              busy.isBlocked = true;
              await busy.clock.advance(blockedMs);
              busy.isBlocked = false;
              busy.turn();
            }
            assert.deepEqual(busy.failures, []);
          },
        ),
      );
    });

    it('says for how long it stood still, and that it was a deadlock', async () => {
      patient.isBlocked = true;
      await patient.clock.advance(400);
      const { error } = patient.failures[0]!;
      assert.ok(isVigilError(error, 'HealthCheckFailed'));
      assert.equal(error.message, 'its event loop has not turned for 200 ms, and maxBlockedMs is 200');
      assert.deepEqual([error.details['blockedMs'], error.details['maxBlockedMs']], [200, 200]);
      assert.deepEqual(patient.warnings, ['deadlockDetected']);
    });

    it('ends it once', async () => {
      patient.isBlocked = true;
      await patient.clock.advance(5000);
      assert.equal(patient.failures.length, 1);
      assert.equal(patient.clock.pendingTimers, 0);
    });

    it('asks again when it was answered, and not before', async () => {
      await patient.clock.advance(1000);
      const asked = patient.pings;
      assert.ok(asked >= 5);
      patient.isBlocked = true;
      await patient.clock.advance(100);
      await patient.clock.advance(50);
      assert.equal(patient.pings, asked + 1);
    });

    it('does not count the time in which nobody looked', async () => {
      await patient.clock.advance(1000);
      patient.isBlocked = true;
      patient.pulse.stop();
      await patient.clock.advance(100_000);
      assert.deepEqual(patient.failures, []);
      patient.pulse.start();
      await patient.clock.advance(199);
      assert.deepEqual(patient.failures, []);
      patient.isBlocked = false;
      patient.turn();
      await patient.clock.advance(10_000);
      assert.deepEqual(patient.failures, []);
    });

    it('counts an answer to an older question as no answer', async () => {
      await patient.clock.advance(100);
      patient.isBlocked = true;
      await patient.clock.advance(100);
      for (let ms = 0; ms < 400; ms += 50) {
        patient.pulse.answered(-1, 0);
        await patient.clock.advance(50);
      }
      assert.deepEqual(patient.codes, ['HealthCheckFailed']);
    });

    it('can be started twice and stopped twice', async () => {
      patient.pulse.start();
      assert.equal(patient.clock.pendingTimers, 1);
      patient.pulse.stop();
      patient.pulse.stop();
      assert.equal(patient.clock.pendingTimers, 0);
    });
  });

  it('does not hold its own lateness against anybody', async () => {
    const clock = new LateClock();
    patient = new ScriptedPatient({ maxBlockedMs: 200, healthCheckIntervalMs: 5000 }, clock);
    await clock.advance(100);
    patient.isBlocked = true;
    await clock.advance(100);
    // The observer's own loop stood still for a minute: the answer may lie unread.
    clock.lateMs = 60_000;
    await clock.advance(100);
    assert.deepEqual(patient.failures, []);
    patient.isBlocked = false;
    patient.turn();
    await clock.advance(1000);
    assert.deepEqual(patient.failures, []);
  });

  it('still ends a blocked one when the observer was late once', async () => {
    const clock = new LateClock();
    patient = new ScriptedPatient({ maxBlockedMs: 200, healthCheckIntervalMs: 5000 }, clock);
    patient.isBlocked = true;
    await clock.advance(200);
    clock.lateMs = 60_000;
    await clock.advance(400);
    assert.deepEqual(patient.codes, ['HealthCheckFailed']);
  });

  it('first hears what has come in, and then judges', async () => {
    patient = new ScriptedPatient({ maxBlockedMs: 200, healthCheckIntervalMs: 5000 });
    patient.clock.after(400, () => {
      patient.isBlocked = false;
      patient.turn();
    });
    await patient.clock.advance(150);
    patient.isBlocked = true;
    // Asked at 200, it answers at 400, at the moment when its time is up: the answer lies there when the timer calls.
    await patient.clock.advance(1000);
    assert.deepEqual(patient.failures, []);
  });

  describe('without limits', () => {
    beforeEach(() => {
      patient = new ScriptedPatient({});
    });

    it('ends nobody, whatever is measured', async () => {
      patient.isBlocked = true;
      patient.measured = { utilization: 1, memoryBytes: 2 ** 40 };
      await patient.clock.advance(600_000);
      assert.deepEqual(patient.failures, []);
      assert.deepEqual(patient.warnings, ['cpuWarning']);
    });

    it('knows how long an answer takes, and how long it is owed', async () => {
      await patient.clock.advance(1000);
      assert.equal(patient.pulse.vitals().eventLoopDelayMs, 0);
      patient.isBlocked = true;
      await patient.clock.advance(1000);
      await patient.clock.advance(3000);
      assert.equal(patient.pulse.vitals().eventLoopDelayMs, 3000);
      patient.isBlocked = false;
      await patient.clock.advance(500);
      patient.turn();
      await patient.clock.advance(0);
      assert.equal(patient.pulse.vitals().eventLoopDelayMs, 3500);
    });

    it('measures at once when nothing was measured yet, but for how busy it is, which takes time', () => {
      patient.measured = { pid: 5, memoryBytes: 7, utilization: 0.5 };
      assert.deepEqual(patient.pulse.vitals(), { pid: 5, memoryBytes: 7, utilization: undefined, eventLoopDelayMs: undefined });
    });
  });

  it('warns of a busy processor once for each time it comes to be so', async () => {
    patient = new ScriptedPatient({});
    for (const utilization of [1, 0.99, 0.2, 0.96, 0.94]) {
      patient.measured = { utilization };
      await patient.clock.advance(1000);
    }
    assert.deepEqual(patient.warnings, ['cpuWarning', 'cpuWarning']);
  });

  describe('with a limit for memory', () => {
    beforeEach(() => {
      patient = new ScriptedPatient({ maxMemoryBytes: 100 * MB });
    });

    /** It takes that much for as long as the next measurement takes. */
    const takes = async (megabytes: number): Promise<void> => {
      patient.measured = { memoryBytes: megabytes * MB };
      await patient.clock.advance(1000);
    };

    it('warns at four fifths, once for each crossing', async () => {
      for (const megabytes of [79, 80, 95, 100, 60, 85, 79, 90]) await takes(megabytes);
      assert.deepEqual(patient.warnings, ['memoryWarning', 'memoryWarning', 'memoryWarning']);
      assert.deepEqual(patient.failures, []);
    });

    it('ends who takes more than the limit, by its name, with the figures', async () => {
      await takes(101);
      assert.deepEqual(patient.codes, ['OutOfMemory']);
      assert.deepEqual(patient.failures[0]!.error.details, { memoryBytes: 101 * MB, maxMemoryBytes: 100 * MB });
    });

    it('goes by what it says of itself where nothing can be seen from outside', async () => {
      patient.measured = {};
      patient.saidMemoryBytes = 101 * MB;
      await patient.clock.advance(2000);
      assert.deepEqual(patient.codes, ['OutOfMemory']);
    });

    it('does not go by an old figure of its own for ever', async () => {
      patient.measured = {};
      patient.saidMemoryBytes = 90 * MB;
      await patient.clock.advance(2000);
      patient.saidMemoryBytes = 10 * MB;
      await patient.clock.advance(2000);
      patient.saidMemoryBytes = 90 * MB;
      await patient.clock.advance(2000);
      assert.deepEqual(patient.warnings, ['memoryWarning', 'memoryWarning']);
    });
  });

  it('measures those together that were started at about the same time, and nobody less often than the interval says', async () => {
    const clock = new VirtualClock();
    const looks: number[][] = [];
    const watch = (): void => {
      const own: number[] = [];
      looks.push(own);
      new Pulse(processSettings({ healthCheckIntervalMs: 1000 }), clock, {
        measure: () => {
          own.push(clock.now());
          return {};
        },
        fail: assert.fail,
        warn: () => {},
      }).start();
    };
    watch();
    await clock.advance(30);
    watch();
    await clock.advance(10_000);
    const [first = [], second = []] = looks;
    assert.deepEqual(first.slice(1), second.slice(1));
    const gaps = first.map((atMs, index) => atMs - (first[index - 1] ?? 0)).slice(1);
    assert.ok(gaps.length >= 10 && gaps.every((gapMs) => gapMs >= 900 && gapMs <= 1000));
  });
});
