import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failFast, isVigilError, VIGIL_ERROR_CODES, VigilError } from './errors.js';

describe('VigilError', () => {
  it('is an Error with a name, a code and a message', () => {
    const error = new VigilError('MailboxFull', 'inbox "jobs" holds 2 of 2 messages');
    assert.ok(error instanceof Error);
    assert.equal(String(error), 'VigilError: inbox "jobs" holds 2 of 2 messages');
    assert.equal(error.code, 'MailboxFull');
  });

  it('says in its stack who made it', () => {
    const error = makeHere();
    assert.match(error.stack ?? '', /makeHere/);
  });

  it('keeps the error that led to it', () => {
    const cause = new TypeError('the original');
    assert.equal(new VigilError('ProcessStartFailed', 'child "a" did not start', { cause }).cause, cause);
  });

  it('has no cause when there is none', () => {
    assert.equal(Object.hasOwn(new VigilError('InvalidState', 'no'), 'cause'), false);
  });

  it('keeps a cause that is falsy', () => {
    assert.equal(new VigilError('InvalidState', 'no', { cause: null }).cause, null);
    assert.equal(new VigilError('InvalidState', 'no', { cause: 0 }).cause, 0);
  });

  it('carries facts for programs, none by default', () => {
    assert.deepEqual(new VigilError('InvalidState', 'no', { details: { id: 'a' } }).details, { id: 'a' });
    assert.deepEqual(new VigilError('InvalidState', 'no').details, {});
  });
});

describe('VIGIL_ERROR_CODES', () => {
  it('lists no code twice', () => {
    assert.equal(new Set(VIGIL_ERROR_CODES).size, VIGIL_ERROR_CODES.length);
  });
});

describe('isVigilError', () => {
  it('knows a VigilError, whatever its code', () => {
    for (const code of VIGIL_ERROR_CODES) assert.equal(isVigilError(new VigilError(code, '')), true);
  });

  it('asks for the code when one is given', () => {
    const error = new VigilError('InboxClosed', '');
    assert.equal(isVigilError(error, 'InboxClosed'), true);
    assert.equal(isVigilError(error, 'MailboxFull'), false);
  });

  it('takes nothing else for one, whatever it looks like', () => {
    const others = [new Error('InboxClosed'), { name: 'VigilError', code: 'InboxClosed' }, 'InboxClosed', null, undefined];
    for (const other of others) {
      assert.equal(isVigilError(other), false);
      assert.equal(isVigilError(other, 'InboxClosed'), false);
    }
  });
});

describe('failFast', () => {
  it('makes a VigilError like any other', () => {
    const cause = new Error('the original');
    const error = failFast('MailboxFull', 'full', { cause, details: { size: 2 } });
    assert.equal(isVigilError(error, 'MailboxFull'), true);
    assert.equal(error.message, 'full');
    assert.equal(error.cause, cause);
    assert.deepEqual(error.details, { size: 2 });
  });

  it('leaves the stack out', () => {
    assert.equal(failFast('MailboxFull', 'full').stack, 'VigilError: full');
  });

  it('leaves the stacks of later errors as they were', () => {
    const before = Error.stackTraceLimit;
    failFast('MailboxFull', 'full');
    assert.equal(Error.stackTraceLimit, before);
    assert.match(makeHere().stack ?? '', /makeHere/);
  });

  it('leaves the stacks of later errors as they were, even when it fails itself', () => {
    const before = Error.stackTraceLimit;
    const details = {
      get details(): never {
        throw new Error('not readable');
      },
    };
    assert.throws(() => failFast('MailboxFull', 'full', details), /not readable/);
    assert.equal(Error.stackTraceLimit, before);
  });
});

function makeHere(): VigilError {
  return new VigilError('InvalidState', 'no');
}
