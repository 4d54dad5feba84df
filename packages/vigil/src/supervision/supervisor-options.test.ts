import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULTS } from './child-spec.js';
import { failsWith, World } from './scripted-child.suite.js';
import { completeChildren, completeLifecycleOptions } from './supervisor-options.js';

const complete = (options: Record<string, unknown>) => completeLifecycleOptions(options, DEFAULTS);

/** For each option: values that it does not take. */
const refused: Record<string, readonly unknown[]> = {
  name: ['', 7, {}],
  strategy: ['one_for_none', 'oneForOne', '', 1, {}],
  maxRestarts: [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3', true, {}],
  maxSeconds: [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', true, {}],
  autoShutdown: ['always', '', true, 1],
  restartDelay: [null, 7, 'a', true],
  onCrash: ['log', 7, {}, true],
  telemetry: ['yes', 0, 1, {}],
  keepAlive: ['yes', 0, 1, {}],
};

describe('completeLifecycleOptions', () => {
  it('SPEC-02: fills in the defaults', () => {
    assert.deepEqual(complete({}), {
      name: 'supervisor',
      strategy: 'one_for_one',
      maxRestarts: 3,
      periodMs: 5000,
      autoShutdown: 'never',
      onCrash: undefined,
      telemetry: true,
      keepAlive: true,
      defaults: { ...DEFAULTS, restartDelay: undefined },
    });
  });

  it('SPEC-02: takes the budget of its parent where it has none of its own', () => {
    const defaults = { ...DEFAULTS, maxRestarts: 7, maxSeconds: 60 };
    const { maxRestarts, periodMs } = completeLifecycleOptions({}, defaults);
    assert.deepEqual([maxRestarts, periodMs], [7, 60_000]);
    assert.equal(completeLifecycleOptions({ maxRestarts: 0 }, defaults).maxRestarts, 0);
  });

  it('SPEC-02: hands the figures of its parent on to its children', () => {
    const defaults = { ...DEFAULTS, shutdownTimeoutMs: 7 };
    const [child] = completeChildren([new World().child('a').spec], completeLifecycleOptions({}, defaults));
    assert.equal(child?.shutdownTimeoutMs, 7);
  });

  it('takes fractions of a second', () => {
    assert.equal(complete({ maxSeconds: 0.25 }).periodMs, 250);
  });

  for (const [option, values] of Object.entries(refused)) {
    it(`SPEC-04: refuses a wrong ${option} and names it with its value`, () => {
      for (const value of values) {
        assert.throws(() => complete({ [option]: value }), failsWith('InvalidConfiguration', { option, value }));
      }
    });
  }

  it('SPEC-04: refuses options that are no object', () => {
    for (const options of [null, 7, 'a', []]) {
      // @ts-expect-error options are an object
      assert.throws(() => complete(options), failsWith('InvalidConfiguration'));
    }
  });

  it('SPEC-04: refuses a significant child where the supervisor never shuts down for one', () => {
    const children = [new World().child('a', { restartType: 'transient', significant: true }).spec];
    assert.throws(
      () => completeChildren(children, complete({})),
      failsWith('InvalidConfiguration', { option: 'significant', value: true }),
    );
    assert.equal(completeChildren(children, complete({ autoShutdown: 'any_significant' })).length, 1);
    assert.equal(completeChildren(children, complete({ autoShutdown: 'all_significant' })).length, 1);
  });

  it('SPEC-06: refuses two children with one id', () => {
    const world = new World();
    const children = [world.child('a').spec, world.child('a').spec];
    assert.throws(() => completeChildren(children, complete({})), failsWith('AlreadyMonitoring', { id: 'a', state: 'present' }));
  });

  it('SPEC-04: refuses children that are no array', () => {
    for (const value of [null, 'a', 7, {}, true]) {
      // @ts-expect-error children are an array
      assert.throws(() => completeChildren(value, complete({})), failsWith('InvalidConfiguration', { option: 'children', value }));
    }
  });
});
