import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError } from './errors.js';
import {
  type Check,
  checkArray,
  checkBoolean,
  checkCount,
  checkDuration,
  checkFunction,
  checkMethods,
  checkName,
  checkObject,
  checkOneOf,
  checkOr,
  checkPositiveCount,
  checkPositiveNumber,
  checkWaitOptions,
  describeValue,
  invalidOption,
  optional,
} from './validation.js';

interface Rule {
  readonly name: string;
  readonly check: Check<unknown>;
  readonly accepts: readonly unknown[];
  readonly refuses: readonly unknown[];
  readonly expects: string;
}

const nothing = () => {};
const list = [1];

const rules: readonly Rule[] = [
  {
    name: 'checkCount',
    check: checkCount,
    accepts: [0, 1, Number.MAX_SAFE_INTEGER],
    refuses: [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', 1n, null, undefined],
    expects: 'an integer >= 0',
  },
  {
    name: 'checkPositiveCount',
    check: checkPositiveCount,
    accepts: [1, 1000],
    refuses: [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', undefined],
    expects: 'an integer >= 1',
  },
  { name: 'checkBoolean', check: checkBoolean, accepts: [true, false], refuses: [0, 1, 'true', null, undefined], expects: 'a boolean' },
  { name: 'checkName', check: checkName, accepts: ['a', ' '], refuses: ['', 1, null, undefined, ['a']], expects: 'a non-empty string' },
  {
    name: 'checkObject',
    check: checkObject,
    accepts: [{}, Object.create(null), new Map()],
    refuses: [null, undefined, list, 'a', 1, nothing],
    expects: 'an object',
  },
  {
    name: 'checkDuration',
    check: checkDuration,
    accepts: [0, 0.5, 1e12],
    refuses: [-1, Number.NaN, Number.POSITIVE_INFINITY, '5', null, undefined],
    expects: 'a finite number of milliseconds >= 0',
  },
  {
    name: 'checkPositiveNumber',
    check: checkPositiveNumber,
    accepts: [0.5, 1e12],
    refuses: [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', undefined],
    expects: 'a finite number > 0',
  },
  {
    name: 'checkOneOf',
    check: checkOneOf(['left', 'right']),
    accepts: ['left', 'right'],
    refuses: ['up', '', 'toString', null, undefined, 0],
    expects: "one of 'left', 'right'",
  },
  { name: 'checkFunction', check: checkFunction(), accepts: [nothing, Map], refuses: [{}, 'a', null, undefined], expects: 'a function' },
];

for (const { name, check, accepts, refuses, expects } of rules) {
  describe(name, () => {
    it('gives back what it accepts', () => {
      for (const value of accepts) assert.equal(check('option', value), value);
    });

    for (const value of refuses) {
      const shown = describeValue(value);
      it(`refuses ${shown} and says what it takes`, () => {
        assert.throws(
          () => check('the option', value),
          (error) => isVigilError(error, 'InvalidConfiguration') && error.message === `the option must be ${expects}, got ${shown}`,
        );
      });
    }
  });
}

describe('a check', () => {
  it('throws the code it is given', () => {
    assert.throws(
      () => checkName('sender', '', 'InvalidMessage'),
      (error) => isVigilError(error, 'InvalidMessage'),
    );
  });

  it('tells programs which option it was and what was found', () => {
    assert.throws(
      () => checkCount('maxRestarts', -1),
      (error) => {
        assert.ok(isVigilError(error));
        assert.deepEqual(error.details, { option: 'maxRestarts', value: -1 });
        return true;
      },
    );
  });
});

describe('checkMethods', () => {
  it('gives back an object that has the methods, its own or inherited', () => {
    const clock = { now: nothing, wallTime: nothing };
    assert.equal(checkMethods('clock', clock, ['now', 'wallTime']), clock);
    const map = new Map();
    assert.equal(checkMethods('store', map, ['get', 'set']), map);
  });

  it('refuses an object that lacks one, and says what it takes', () => {
    const clock: { now: () => void; wallTime?: () => void } = { now: nothing };
    assert.throws(
      () => checkMethods('clock', clock, ['now', 'wallTime']),
      (error) =>
        isVigilError(error, 'InvalidConfiguration') &&
        error.message === 'clock must be an object with the methods now, wallTime, got an object',
    );
  });

  it('refuses what is no object', () => {
    for (const value of [null, undefined, 'a', nothing, list]) {
      assert.throws(
        // @ts-expect-error it takes an object
        () => checkMethods('clock', value, []),
        (error) => isVigilError(error, 'InvalidConfiguration'),
      );
    }
  });
});

describe('checkArray', () => {
  it('gives back an array and refuses what only looks like one', () => {
    assert.equal(checkArray('payloads', list), list);
    for (const value of [undefined, 'text', { length: 0 }, new Set()]) {
      assert.throws(
        // @ts-expect-error it takes an array
        () => checkArray('payloads', value),
        (error) => isVigilError(error, 'InvalidConfiguration'),
      );
    }
  });
});

describe('checkWaitOptions', () => {
  it('gives back the signal, if there is one', () => {
    const { signal } = new AbortController();
    assert.equal(checkWaitOptions({ signal }), signal);
    assert.equal(checkWaitOptions({ signal: undefined }), undefined);
    assert.equal(checkWaitOptions({}), undefined);
    assert.equal(checkWaitOptions(undefined), undefined);
  });

  it('refuses options and signals that are none', () => {
    for (const options of [null, 5, { signal: null }, { signal: {} }, { signal: new AbortController() }]) {
      assert.throws(
        // @ts-expect-error it takes an object with a signal
        () => checkWaitOptions(options),
        (error) => isVigilError(error, 'InvalidConfiguration'),
      );
    }
  });
});

describe('checkOr', () => {
  it('falls back only where the option is left out', () => {
    assert.equal(checkOr(checkCount, 'limit', undefined, 7), 7);
    assert.equal(checkOr(checkCount, 'limit', 0, 7), 0);
    for (const value of [null, -1]) {
      assert.throws(
        () => checkOr(checkCount, 'limit', value, 7),
        (error) => isVigilError(error, 'InvalidConfiguration'),
      );
    }
  });
});

describe('optional', () => {
  it('lets an option be left out', () => {
    assert.equal(optional(checkCount)('limit', undefined), undefined);
  });

  it('checks an option that is there, null included', () => {
    assert.equal(optional(checkCount)('limit', 3), 3);
    for (const value of [null, -1]) {
      assert.throws(
        () => optional(checkCount)('limit', value, 'InvalidMessage'),
        (error) => isVigilError(error, 'InvalidMessage'),
      );
    }
  });
});

describe('invalidOption', () => {
  it('names the option, what it takes and what it got', () => {
    assert.equal(invalidOption('maxRestarts', 'an integer >= 0', -1).message, 'maxRestarts must be an integer >= 0, got -1');
  });
});

describe('describeValue', () => {
  it('shows each kind of value in a few words', () => {
    const shown = [undefined, null, true, 1.5, Number.NaN, 10n, 'it\'s "so"', Symbol('secret'), nothing, list, {}].map(describeValue);
    const expected = [
      'undefined',
      'null',
      'true',
      '1.5',
      'NaN',
      '10n',
      '"it\'s \\"so\\""',
      'a symbol',
      'a function',
      'an array',
      'an object',
    ];
    assert.deepEqual(shown, expected);
  });

  it('cuts a long text', () => {
    assert.equal(describeValue('x'.repeat(60)), `"${'x'.repeat(60)}"`);
    assert.equal(describeValue('x'.repeat(61)), `"${'x'.repeat(60)}…"`);
  });

  it('never runs code of the value', () => {
    const object = { toString: trap, toJSON: trap, valueOf: trap, [Symbol.toPrimitive]: trap };
    assert.equal(describeValue(object), 'an object');
    assert.equal(describeValue(new Proxy({}, { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap })), 'an object');
    assert.equal(describeValue(Object.assign(() => {}, { toString: trap })), 'a function');
  });
});

function trap(): never {
  return assert.fail('ran code of the value');
}
