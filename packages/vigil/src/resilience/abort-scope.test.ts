import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AbortScope } from './abort-scope.js';

describe('AbortScope', () => {
  it('tells everybody once who listens, in order, and not who has stopped listening', () => {
    const scope = new AbortScope();
    const told: unknown[] = [];
    scope.onAbort((reason) => told.push(['first', reason]));
    const forget = scope.onAbort(() => told.push('gone'));
    scope.onAbort((reason) => told.push(['last', reason]));
    assert.deepEqual([forget(), forget()], [true, false]);
    scope.abort('why');
    scope.abort('again');
    assert.deepEqual(told, [
      ['first', 'why'],
      ['last', 'why'],
    ]);
  });

  it('tells nobody who begins to listen when it is told', () => {
    const scope = new AbortScope();
    let isTold = false;
    scope.onAbort(() => scope.onAbort(() => (isTold = true)));
    scope.abort('why');
    assert.equal(isTold, false);
  });

  it('is aborted with its parent, and keeps the first reason', () => {
    const parent = new AbortScope();
    const [silent, heard, own] = [new AbortScope(parent), new AbortScope(parent), new AbortScope(parent)];
    const told: unknown[] = [];
    heard.onAbort((reason) => told.push(reason));
    own.abort('own');
    parent.abort('parent');
    silent.abort('late');
    assert.deepEqual(told, ['parent']);
    assert.deepEqual(
      [silent, heard, own].map(({ aborted }) => aborted?.reason),
      ['parent', 'parent', 'own'],
    );
  });

  it('does not abort its parent', () => {
    const parent = new AbortScope();
    new AbortScope(parent).abort('child');
    assert.equal(parent.aborted, undefined);
  });

  it('shows a signal that aborts with it, made before or after', () => {
    const parent = new AbortScope();
    const scope = new AbortScope(parent);
    const { signal } = scope;
    assert.equal(scope.signal, signal);
    assert.equal(signal.aborted, false);
    parent.abort('why');
    assert.deepEqual([signal.aborted, signal.reason], [true, 'why']);
    assert.equal(new AbortScope(parent).signal.reason, 'why');
  });

  it('listens to its parent only while somebody listens to it and it has not ended', () => {
    const parent = new AbortScope();
    let listeners = 0;
    const onAbort = parent.onAbort.bind(parent);
    parent.onAbort = (listener) => {
      listeners += 1;
      const forget = onAbort(listener);
      return () => {
        if (!forget()) return false;
        listeners -= 1;
        return true;
      };
    };
    const scope = new AbortScope(parent);
    assert.equal(listeners, 0);
    const forgets = [scope.onAbort(() => {}), scope.onAbort(() => {})];
    assert.equal(listeners, 1);
    for (const forget of forgets) forget();
    assert.equal(listeners, 0);
    scope.onAbort(() => {});
    scope.end();
    assert.equal(listeners, 0);
    const aborted = new AbortScope(parent);
    aborted.onAbort(() => {});
    aborted.abort('own');
    assert.equal(listeners, 0);
  });

  it('tells nothing once it has ended', () => {
    const parent = new AbortScope();
    const scope = new AbortScope(parent);
    const { signal } = scope;
    scope.end();
    parent.abort('late');
    assert.equal(signal.aborted, false);
  });
});
