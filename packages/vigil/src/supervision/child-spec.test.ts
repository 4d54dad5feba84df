import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MailboxSettings } from '../core/index.js';
import { TaskRunner } from '../processes/index.js';
import { CHILD_TYPES, type ChildSpec, checkChildSpecs, completeChildSpec, DEFAULTS, type SupervisionDefaults } from './child-spec.js';
import { RESTART_TYPES } from './restart-plan.js';
import { errorFrom, failsWith, World } from './scripted-child.suite.js';

const body = async (): Promise<void> => {};

/** A spec as JavaScript could pass it. */
const wrong = (fields: Record<string, unknown>): ChildSpec => ({ id: 'a', startFn: body, ...fields });
const complete = (fields: Record<string, unknown> = {}) => completeChildSpec(wrong(fields), DEFAULTS);

const durations = [-10, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 'soon', '100', true, {}, 10n];

/** For each field: values that it does not take. */
const refused: Record<string, readonly unknown[]> = {
  id: [null, '', 7, {}, Symbol('a')],
  startFn: [null, 'run', 7, {}, [], { create: true }],
  restartType: ['prmanent', 'Permanent', '', 7, true, {}],
  shutdownTimeoutMs: [...durations, 'infinite', 'brutal-kill'],
  type: ['wrker', '', 7, {}],
  significant: ['maybe', 'true', 0, 1, {}],
  readiness: ['ready', '', 1, true],
  startTimeoutMs: [...durations, 0, 'brutal_kill'],
  healthCheckFn: ['check', 7, {}, true],
  healthCheckIntervalMs: [...durations, 0, 'infinity'],
  inbox: [7, 'big', true, []],
  maxMemoryBytes: [0, -1, 1.5, Number.NaN, 'much', true, {}],
  maxBlockedMs: [...durations, 0, 'infinity'],
  priority: ['highest', '', 7, true, {}],
};

describe('completeChildSpec', () => {
  it('SPEC-01: fills in the defaults', () => {
    const { runner, ...spec } = complete();
    assert.ok(runner instanceof TaskRunner);
    assert.deepEqual(spec, {
      id: 'a',
      args: undefined,
      type: 'worker',
      restartType: 'permanent',
      shutdownTimeoutMs: 5000,
      significant: false,
      readiness: 'immediate',
      maxMemoryBytes: undefined,
      maxBlockedMs: undefined,
      priority: 'normal',
      startTimeoutMs: 30_000,
      healthCheckFn: undefined,
      healthCheckIntervalMs: 5000,
      maxRestarts: undefined,
      periodMs: 5000,
      restartDelay: undefined,
      inbox: new MailboxSettings(),
    });
  });

  it('refuses a limit that the kind of process cannot obey, and takes it where it can', () => {
    const limits = { maxMemoryBytes: 1e9, maxBlockedMs: 100, priority: 'low' } as const;
    const { runner } = complete();
    for (const limit of ['maxMemoryBytes', 'maxBlockedMs', 'priority'] as const) {
      const one = { [limit]: limits[limit] };
      assert.throws(() => complete(one), { message: `child "a" is a task, which cannot obey ${limit}` });
      assert.equal(
        complete({ ...one, startFn: { kind: 'fork', obeys: [limit], create: runner.create.bind(runner) } })[limit],
        limits[limit],
      );
    }
    assert.equal(complete({ priority: 'normal' }).priority, 'normal');
  });

  it('takes the readiness of a runner that has only one, and refuses another', () => {
    const { runner } = complete();
    const startFn = { kind: 'command', readiness: 'explicit', create: runner.create.bind(runner) };
    assert.equal(complete({ startFn }).readiness, 'explicit');
    assert.equal(complete({ startFn, readiness: 'explicit' }).readiness, 'explicit');
    assert.throws(() => complete({ startFn, readiness: 'immediate' }), {
      message: 'child "a" is a command whose readiness can only be \'explicit\'',
    });
  });

  it('SPEC-01: gives a child of type supervisor all the time to stop', () => {
    assert.equal(complete({ type: 'supervisor' }).shutdownTimeoutMs, 'infinity');
  });

  it('SPEC-01: takes a supervisor for a supervisor and everything else for a worker', () => {
    const world = new World();
    const ofSupervisor = complete({ startFn: world.supervisor() });
    assert.deepEqual([ofSupervisor.type, ofSupervisor.shutdownTimeoutMs], ['supervisor', 'infinity']);
    const ofSubtree = complete({ startFn: world.subtree('sub', {}).spec.startFn });
    assert.deepEqual([ofSubtree.type, ofSubtree.shutdownTimeoutMs], ['supervisor', 'infinity']);
    assert.equal(complete({ startFn: world.child('a').spec.startFn }).type, 'worker');
  });

  it('lets a supervisor count as a worker, with the grace period of one', () => {
    const spec = complete({ startFn: new World().supervisor(), type: 'worker' });
    assert.deepEqual([spec.type, spec.shutdownTimeoutMs], ['worker', 5000]);
  });

  it('takes the figures of its parent where the spec has none', () => {
    const inbox = new MailboxSettings({ capacity: 7 });
    const defaults = { ...DEFAULTS, shutdownTimeoutMs: 1, healthCheckIntervalMs: 2, inbox };
    const spec = completeChildSpec(wrong({}), defaults);
    assert.deepEqual([spec.shutdownTimeoutMs, spec.healthCheckIntervalMs, spec.inbox], [1, 2, inbox]);
    const own = completeChildSpec(wrong({ shutdownTimeoutMs: 3, healthCheckIntervalMs: 4, inbox: { priorityQueues: false } }), defaults);
    assert.deepEqual([own.shutdownTimeoutMs, own.healthCheckIntervalMs], [3, 4]);
    assert.deepEqual([own.inbox.priorityQueues, own.inbox.capacity], [false, 7]);
  });

  it('hands its figures down to a supervisor that is made for this parent', () => {
    const defaults = { ...DEFAULTS, maxRestarts: 7 };
    const handed: unknown[] = [];
    const runner = new TaskRunner(body);
    const startFn = {
      asRunner: (given: SupervisionDefaults) => {
        handed.push(given);
        return runner;
      },
    };
    assert.equal(completeChildSpec({ id: 'sub', startFn }, defaults).runner, runner);
    assert.deepEqual(handed, [defaults]);
  });

  it('SPEC-03: refuses what is not an object, has no id or has no start, each with a reason of its own', () => {
    for (const spec of [undefined, null, 7, 'a', body]) {
      // @ts-expect-error a spec is an object
      assert.throws(() => completeChildSpec(spec, DEFAULTS), failsWith('InvalidConfiguration', { reason: 'invalid_spec' }));
    }
    assert.throws(() => complete({ id: undefined }), failsWith('InvalidConfiguration', { reason: 'missing_id' }));
    assert.throws(() => complete({ startFn: undefined }), failsWith('InvalidConfiguration', { reason: 'missing_start' }));
  });

  it('SPEC-03: ignores keys that no spec has', () => {
    assert.deepEqual(Object.keys(complete({ colour: 'red' })), Object.keys(complete()));
  });

  for (const [field, values] of Object.entries(refused)) {
    it(`SPEC-04: refuses a wrong ${field} and names it with its value`, () => {
      for (const value of values) {
        assert.throws(
          () => complete({ [field]: value }),
          failsWith('InvalidConfiguration', { option: field, value }),
          `${field}: ${String(value)}`,
        );
      }
    });
  }

  it('SPEC-04: shows the value that it refuses to people', () => {
    assert.throws(() => complete({ restartType: 'prmanent' }), {
      message: `restartType must be one of 'permanent', 'transient', 'temporary', got "prmanent"`,
    });
    assert.throws(() => complete({ shutdownTimeoutMs: Number.NaN }), { message: /^shutdownTimeoutMs must be .*, got NaN$/ });
    assert.throws(() => complete({ startFn: 'run' }), { message: /^startFn must be .*, got "run"$/ });
  });

  it('SPEC-04: refuses a wrong option of the inbox', () => {
    assert.throws(() => complete({ inbox: { capacity: 0 } }), failsWith('InvalidConfiguration', { option: 'capacity', value: 0 }));
  });

  it('SPEC-04: refuses a permanent child that is significant', () => {
    assert.throws(() => complete({ significant: true }), failsWith('InvalidConfiguration', { reason: 'invalid_spec' }));
    assert.ok(complete({ significant: true, restartType: 'transient' }).significant);
    assert.ok(complete({ significant: true, restartType: 'temporary' }).significant);
  });

  it('SPEC-05: takes every legal shutdown time with every restart type and type', () => {
    const times = fc.oneof(
      fc.constantFrom(0, 'infinity', 'brutal_kill'),
      fc.integer({ min: 1 }),
      fc.double({ min: 0, max: 1e12, noNaN: true }),
    );
    fc.assert(
      fc.property(times, fc.constantFrom(...RESTART_TYPES), fc.constantFrom(...CHILD_TYPES), (shutdownTimeoutMs, restartType, type) => {
        const spec = complete({ shutdownTimeoutMs, restartType, type });
        assert.deepEqual([spec.shutdownTimeoutMs, spec.restartType, spec.type], [shutdownTimeoutMs, restartType, type]);
      }),
    );
  });

  it('takes no limit for a start', () => {
    assert.equal(complete({ startTimeoutMs: 'infinity' }).startTimeoutMs, 'infinity');
  });
});

describe('checkChildSpecs', () => {
  it('SPEC-04: gives the verdict of addChild for every wrong field, and none for a good spec', async () => {
    checkChildSpecs([wrong({}), wrong({ id: 'b', restartType: 'temporary' })]);
    const specs = Object.entries(refused).flatMap(([field, values]) => values.map((value) => wrong({ [field]: value })));
    for (const spec of [...specs, wrong({ id: undefined }), wrong({ startFn: undefined })]) {
      const supervisor = new World().supervisor();
      const verdict = await errorFrom((async () => checkChildSpecs([spec]))());
      const same = await errorFrom((async () => supervisor.addChild(spec))());
      assert.deepEqual([same.code, same.message, same.details], [verdict.code, verdict.message, verdict.details]);
    }
  });

  it('SPEC-06: refuses two specs with one id', () => {
    assert.throws(() => checkChildSpecs([wrong({}), wrong({})]), failsWith('AlreadyMonitoring', { id: 'a', state: 'present' }));
  });

  it('SPEC-04: starts nothing', () => {
    const world = new World();
    checkChildSpecs([world.child('a').spec, world.subtree('b', { children: [world.child('x')] }).spec]);
    assert.deepEqual(world.trace, []);
    assert.deepEqual(world.events, []);
  });
});
