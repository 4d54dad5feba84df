import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { crashed, type ExitReason, KILLED, NORMAL, SHUTDOWN } from '../core/index.js';
import { isRestarted, planRestart, RESTART_STRATEGIES, RESTART_TYPES, type RestartType } from './restart-plan.js';

interface Named {
  readonly id: string;
  readonly restartType: RestartType;
}

const strategies = fc.constantFrom(...RESTART_STRATEGIES);
const restartTypes = fc.constantFrom(...RESTART_TYPES);

/** Children in start order and which of them failed: never a temporary one, since that is not restarted. */
const failures = fc.record({ types: fc.array(restartTypes, { minLength: 1, maxLength: 8 }), pick: fc.nat() }).map(({ types, pick }) => {
  const at = pick % types.length;
  const children = types.map((restartType, index): Named => ({ id: `c${index}`, restartType }));
  if (types[at] === 'temporary') children[at] = { id: `c${at}`, restartType: 'permanent' };
  return { children, failed: children[at]!, at };
});

const ids = (children: readonly Named[]) => children.map(({ id }) => id);

describe('isRestarted', () => {
  const INFO: ExitReason = { kind: 'shutdown', info: 'because' };
  const ERROR = crashed(new Error('boom'));
  const matrix: Record<RestartType, readonly boolean[]> = {
    permanent: [true, true, true, true, true],
    transient: [false, false, false, true, true],
    temporary: [false, false, false, false, false],
  };
  for (const restartType of RESTART_TYPES) {
    it(`EXIT-01: answers the ends of a ${restartType} child by its row of the matrix`, () => {
      const row = [NORMAL, SHUTDOWN, INFO, ERROR, KILLED].map((reason) => isRestarted(restartType, reason));
      assert.deepEqual(row, matrix[restartType]);
    });
  }
});

describe('planRestart', () => {
  const children: Named[] = ['a', 'b', 'c', 'd'].map((id) => ({ id, restartType: 'permanent' }));
  const [, b] = children;

  it('STRAT-01: one_for_one stops nobody and starts the failed child', () => {
    const plan = planRestart(children, b!, 'one_for_one');
    assert.deepEqual([ids(plan.stop), ids(plan.forget), ids(plan.start)], [[], [], ['b']]);
  });

  it('STRAT-01: one_for_one does not look at the other children', () => {
    const untouchable: Iterable<Named> = {
      [Symbol.iterator]: () => {
        throw new Error('read');
      },
    };
    assert.deepEqual(ids(planRestart(untouchable, b!, 'one_for_one').start), ['b']);
  });

  it('STRAT-02: one_for_all stops all the others in reverse and starts all in order', () => {
    const plan = planRestart(children, b!, 'one_for_all');
    assert.deepEqual([ids(plan.stop), ids(plan.forget), ids(plan.start)], [['d', 'c', 'a'], [], ['a', 'b', 'c', 'd']]);
  });

  it('STRAT-03: rest_for_one leaves those before the failed child alone', () => {
    const plan = planRestart(children, b!, 'rest_for_one');
    assert.deepEqual([ids(plan.stop), ids(plan.forget), ids(plan.start)], [['d', 'c'], [], ['b', 'c', 'd']]);
  });

  it('STRAT-04: a temporary bystander is stopped and forgotten', () => {
    const withTemporary: Named[] = [b!, { id: 't', restartType: 'temporary' }];
    for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
      const plan = planRestart(withTemporary, b!, strategy);
      assert.deepEqual([ids(plan.stop), ids(plan.forget), ids(plan.start)], [['t'], ['t'], ['b']]);
    }
  });

  it('starts again what it stops, in the opposite order, but for what it forgets', () => {
    fc.assert(
      fc.property(failures, strategies, ({ children: all, failed }, strategy) => {
        const plan = planRestart(all, failed, strategy);
        const stoppedInOrder = ids(plan.stop).toReversed();
        const startedOthers = ids(plan.start).filter((id) => id !== failed.id);
        assert.deepEqual(
          startedOthers,
          stoppedInOrder.filter((id) => !ids(plan.forget).includes(id)),
        );
      }),
    );
  });

  it('agrees with a naive model', () => {
    fc.assert(
      fc.property(failures, strategies, ({ children: all, failed, at }, strategy) => {
        const isTaken = (index: number) => strategy === 'one_for_all' || (strategy === 'rest_for_one' && index > at) || index === at;
        const group = all.filter((_, index) => isTaken(index));
        const plan = planRestart(all, failed, strategy);
        assert.deepEqual(
          plan.start,
          group.filter(({ restartType }) => restartType !== 'temporary'),
        );
        assert.deepEqual(new Set(plan.stop), new Set(group.filter((child) => child !== failed)));
        assert.deepEqual(new Set(plan.forget), new Set(group.filter(({ restartType }) => restartType === 'temporary')));
      }),
    );
  });

  it('leaves the list of children as it was', () => {
    fc.assert(
      fc.property(failures, strategies, ({ children: all, failed }, strategy) => {
        const before = [...all];
        planRestart(all, failed, strategy);
        assert.deepEqual(all, before);
      }),
    );
  });
});
