import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Cancel, isVigilError, type VigilError } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import { CRASH, World } from './scripted-child.suite.js';
import type { HealthCheck } from './child-spec.js';
import { watchHealth } from './health-check.js';

const INTERVAL_MS = 1000;

interface Watch {
  readonly clock: VirtualClock;
  /** When each check began. */
  readonly checkedAt: number[];
  readonly failures: VigilError[];
  readonly end: Cancel;
}

function watching(check: HealthCheck): Watch {
  const clock = new VirtualClock();
  const checkedAt: number[] = [];
  const failures: VigilError[] = [];
  const noted: HealthCheck = () => {
    checkedAt.push(clock.now());
    return check();
  };
  const end = watchHealth(noted, INTERVAL_MS, clock, (error) => failures.push(error));
  return { clock, checkedAt, failures, end };
}

describe('watchHealth', () => {
  it('VIG-05: checks on the interval, first after one', async () => {
    const { clock, checkedAt, failures } = watching(() => true);
    await clock.advance(3500);
    assert.deepEqual(checkedAt, [1000, 2000, 3000]);
    assert.deepEqual(failures, []);
  });

  it('VIG-05: waits an interval from the last answer, so that two checks never overlap', async () => {
    let pending = 0;
    let most = 0;
    const watch: Watch = watching(async () => {
      pending += 1;
      most = Math.max(most, pending);
      await new Promise<void>((resolve) => watch.clock.after(700, resolve));
      pending -= 1;
      return true;
    });
    await watch.clock.advance(5000);
    assert.deepEqual(watch.checkedAt, [1000, 2700, 4400]);
    assert.equal(most, 1);
    assert.deepEqual(watch.failures, []);
  });

  const failing: Record<string, { check: HealthCheck; atMs: number; text: RegExp; cause?: unknown }> = {
    'answers false': { check: () => false, atMs: 1000, text: /answered false/ },
    'answers false later': { check: () => Promise.resolve(false), atMs: 1000, text: /answered false/ },
    throws: {
      check: () => {
        throw CRASH;
      },
      atMs: 1000,
      text: /failed/,
      cause: CRASH,
    },
    rejects: { check: () => Promise.reject(CRASH), atMs: 1000, text: /failed/, cause: CRASH },
    'does not answer within the interval': { check: () => new Promise(() => {}), atMs: 2000, text: /within 1000 ms/ },
  };
  for (const [name, { check, atMs, text, cause }] of Object.entries(failing)) {
    it(`VIG-05: fails once, and checks no more, when the check ${name}`, async () => {
      const { clock, failures, checkedAt } = watching(check);
      await clock.advance(atMs - 1);
      assert.equal(failures.length, 0);
      await clock.advance(1);
      assert.equal(failures.length, 1);
      assert.equal(failures[0]!.code, 'HealthCheckFailed');
      assert.match(failures[0]!.message, text);
      assert.equal(failures[0]!.cause, cause);
      await clock.advance(10_000);
      assert.equal(failures.length, 1);
      assert.deepEqual(checkedAt, [1000]);
      assert.equal(clock.pendingTimers, 0);
    });
  }

  it('does not fail for an answer that comes after the check was overdue', async () => {
    const watch: Watch = watching(() => new Promise((_, reject) => watch.clock.after(1500, () => reject(CRASH))));
    await watch.clock.advance(5000);
    assert.equal(watch.failures.length, 1);
    assert.match(watch.failures[0]!.message, /within/);
  });

  it('leaves no timer when it ends while it waits', async () => {
    const { clock, checkedAt, end } = watching(() => true);
    await clock.advance(1500);
    assert.equal(end(), true);
    assert.equal(end(), false);
    assert.equal(clock.pendingTimers, 0);
    await clock.advance(5000);
    assert.deepEqual(checkedAt, [1000]);
  });

  for (const [name, answer] of [
    ['true', true],
    ['false', false],
  ] as const) {
    it(`does nothing more when it ended during a check that then answers ${name}`, async () => {
      const watch: Watch = watching(() => new Promise((resolve) => watch.clock.after(500, () => resolve(answer))));
      await watch.clock.advance(1200);
      watch.end();
      await watch.clock.advance(5000);
      assert.deepEqual(watch.failures, []);
      assert.deepEqual(watch.checkedAt, [1000]);
      assert.equal(watch.clock.pendingTimers, 0);
    });
  }
});

describe('a supervisor and health checks', () => {
  it('VIG-05: an unhealthy child has crashed, and is restarted at the cost of one restart', async () => {
    const world = new World();
    let isHealthy = true;
    const a = world.child('a', { healthCheckFn: () => isHealthy, healthCheckIntervalMs: INTERVAL_MS });
    const supervisor = await world.started({ children: [a] });
    await world.clock.advance(3000);
    assert.deepEqual(world.takeTrace(), []);

    isHealthy = false;
    await world.clock.advance(999);
    assert.deepEqual(world.takeTrace(), []);
    await world.clock.advance(1);
    assert.deepEqual(world.takeTrace(), ['-a(error)', '+a']);
    const [event] = supervisor.getRestartHistory();
    assert.ok(event?.reason.kind === 'crashed' && isVigilError(event.reason.error, 'HealthCheckFailed'));
    assert.equal(supervisor.inspect().restartsLeft, 2);
    await supervisor.stop();
  });

  it('VIG-05: a transient child that is unhealthy is restarted, a temporary one is not', async () => {
    const world = new World();
    const options = { healthCheckFn: () => false, healthCheckIntervalMs: INTERVAL_MS };
    const children = [
      world.child('a', { ...options, restartType: 'transient' }),
      world.child('b', { ...options, restartType: 'temporary' }),
    ];
    const supervisor = await world.started({ children });
    await world.clock.advance(INTERVAL_MS);
    assert.deepEqual(world.takeTrace(), ['-a(error)', '+a', '-b(error)']);
    await supervisor.stop();
  });

  it('VIG-05: is checked only while it runs: from when it is ready until it is asked to stop', async () => {
    const world = new World();
    const checkedAt: number[] = [];
    const a = world.child('a', {
      readiness: 'explicit',
      startsAfterMs: 500,
      stopsAfterMs: 3000,
      healthCheckIntervalMs: INTERVAL_MS,
      healthCheckFn: () => {
        checkedAt.push(world.clock.now());
        return true;
      },
    });
    const supervisor = world.supervisor({ children: [a] });
    const starting = supervisor.start();
    await world.clock.advance(500);
    await starting;
    await world.clock.advance(2000);
    assert.deepEqual(checkedAt, [1500, 2500]);
    const stopping = supervisor.stop();
    await world.clock.advance(3000);
    await stopping;
    await world.clock.advance(10_000);
    assert.deepEqual(checkedAt, [1500, 2500]);
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('VIG-05: a new incarnation is checked anew, and the old one no more', async () => {
    const world = new World();
    const checkedAt: number[] = [];
    const healthCheckFn = () => checkedAt.push(world.clock.now()) > 0;
    const a = world.child('a', { healthCheckIntervalMs: INTERVAL_MS, healthCheckFn });
    const supervisor = await world.started({ children: [a] });
    await world.clock.advance(600);
    a.crash();
    await world.clock.advance(2000);
    assert.deepEqual(checkedAt, [1600, 2600]);
    await supervisor.stop();
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('VIG-05: a child that was stopped by request is checked no more', async () => {
    const world = new World();
    let checks = 0;
    const healthCheckFn = () => {
      checks += 1;
      return true;
    };
    const a = world.child('a', { healthCheckIntervalMs: INTERVAL_MS, healthCheckFn });
    const supervisor = await world.started({ children: [a] });
    await supervisor.terminateChild('a');
    await world.clock.advance(5000);
    assert.equal(checks, 0);
    await supervisor.stop();
  });

  it('hears the signal healthCheck before each check, and telemetry tells of it', async () => {
    const world = new World();
    const heard: number[] = [];
    const healthCheckFn = () => heard.length > 0;
    const a = world.child('a', { healthCheckIntervalMs: INTERVAL_MS, healthCheckFn });
    const supervisor = await world.started({ name: 's', children: [a] });
    a.context.onSignal('healthCheck', () => heard.push(world.clock.now()));
    await world.clock.advance(2000);
    assert.deepEqual(heard, [1000, 2000]);
    assert.equal(a.starts, 1);
    const told = world.events.filter(({ eventType }) => eventType === 'process_signalled').map(({ metadata }) => metadata);
    const facts = { id: 'a', incarnation: 1, supervisor: 's', signal: 'healthCheck' };
    assert.deepEqual(told, [facts, facts]);
    await supervisor.stop();
  });
});
