import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError } from './errors.js';
import { crashed, describeExit, type ExitReason, errorOf, isAbnormal, KILLED, NORMAL, ProcessExit, SHUTDOWN } from './exit-reason.js';

const error = new TypeError('no such user');
const withInfo: ExitReason = { kind: 'shutdown', info: 'the queue is gone' };

describe('isAbnormal', () => {
  it('takes normal and shutdown, with and without info, for clean', () => {
    for (const reason of [NORMAL, SHUTDOWN, withInfo]) assert.equal(isAbnormal(reason), false);
  });

  it('takes killed and crashed for abnormal', () => {
    for (const reason of [KILLED, crashed(error), crashed(undefined)]) assert.equal(isAbnormal(reason), true);
  });
});

describe('errorOf', () => {
  it('gives the error of a crash and the info of a shutdown', () => {
    assert.equal(errorOf(crashed(error)), error);
    assert.equal(errorOf(withInfo), 'the queue is gone');
  });

  it('gives nothing where there is none', () => {
    for (const reason of [NORMAL, SHUTDOWN, KILLED]) assert.equal(errorOf(reason), undefined);
  });
});

describe('describeExit', () => {
  it('says the kind in one word when there is no more to say', () => {
    assert.deepEqual([NORMAL, SHUTDOWN, KILLED].map(describeExit), ['normal', 'shutdown', 'killed']);
  });

  it('says the name and the message of an error', () => {
    assert.equal(describeExit(crashed(error)), 'crashed: TypeError: no such user');
    assert.equal(describeExit({ kind: 'shutdown', info: error }), 'shutdown: TypeError: no such user');
  });

  it('shows whatever else was thrown, even nothing', () => {
    assert.equal(describeExit(crashed('text')), 'crashed: "text"');
    assert.equal(describeExit(crashed({ a: 1 })), 'crashed: an object');
    assert.equal(describeExit(crashed(undefined)), 'crashed: undefined');
    assert.equal(describeExit(withInfo), 'shutdown: "the queue is gone"');
  });
});

describe('ProcessExit', () => {
  it('EXIT-06: ends with shutdown and keeps the info', () => {
    const info = { because: 'the queue is gone' };
    assert.deepEqual(new ProcessExit('shutdown', info).reason, { kind: 'shutdown', info });
  });

  it('ends with plain shutdown without info', () => {
    assert.equal(new ProcessExit('shutdown').reason, SHUTDOWN);
  });

  it('ends with normal, which has no info', () => {
    assert.equal(new ProcessExit('normal').reason, NORMAL);
    assert.equal(new ProcessExit('normal', 'ignored').reason, NORMAL);
  });

  it('refuses to be another kind of end', () => {
    for (const kind of ['killed', 'crashed', '', undefined]) {
      assert.throws(
        // @ts-expect-error no such kind
        () => new ProcessExit(kind),
        (thrown) => isVigilError(thrown, 'InvalidConfiguration'),
      );
    }
  });

  it('is an error that says what it is, in case somebody catches it', () => {
    const exit = new ProcessExit('shutdown');
    assert.ok(exit instanceof Error);
    assert.equal(String(exit), 'ProcessExit: the process asked to end: shutdown');
  });
});

describe('the reasons that are shared', () => {
  it('cannot be changed', () => {
    for (const reason of [NORMAL, SHUTDOWN, KILLED]) assert.ok(Object.isFrozen(reason));
  });
});
