import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CloseCallbacks } from './close-callbacks.js';
import { isVigilError } from './errors.js';
import { silentLogger } from './logger.js';

describe('CloseCallbacks', () => {
  it('calls in the order of asking, each once', () => {
    const callbacks = new CloseCallbacks();
    const seen: string[] = [];
    for (const name of ['a', 'b', 'c']) callbacks.add(() => seen.push(name));
    callbacks.callAll(undefined, 'inbox "jobs"', silentLogger);
    callbacks.callAll(undefined, 'inbox "jobs"', silentLogger);
    assert.deepEqual(seen, ['a', 'b', 'c']);
  });

  it('refuses what it cannot call', () => {
    assert.throws(
      // @ts-expect-error it takes a function
      () => new CloseCallbacks().add(undefined),
      (error) => isVigilError(error, 'InvalidConfiguration'),
    );
  });

  it('tells each the news', () => {
    const callbacks = new CloseCallbacks<number>();
    const heard: number[] = [];
    for (let i = 0; i < 2; i += 1) callbacks.add((news) => heard.push(news));
    callbacks.callAll(7, 'inbox "jobs"', silentLogger);
    assert.deepEqual(heard, [7, 7]);
  });

  it('does not call who has cancelled, also while others are being called', () => {
    const callbacks = new CloseCallbacks();
    const results: boolean[] = [];
    callbacks.add(() => results.push(cancelLater()));
    const cancelNow = callbacks.add(() => assert.fail('was cancelled'));
    const cancelLater = callbacks.add(() => assert.fail('was cancelled'));
    results.push(cancelNow());
    callbacks.callAll(undefined, 'inbox "jobs"', silentLogger);
    assert.deepEqual(results, [true, true]);
  });

  it('has nothing left to cancel for a callback from the moment in which it is called', () => {
    const callbacks = new CloseCallbacks();
    const results: boolean[] = [];
    const cancel = callbacks.add(() => results.push(cancel()));
    callbacks.callAll(undefined, 'inbox "jobs"', silentLogger);
    assert.deepEqual([...results, cancel()], [false, false]);
  });

  it('logs a callback that throws, and calls the others', () => {
    const callbacks = new CloseCallbacks();
    const failure = new Error('from the callback');
    const logged: unknown[] = [];
    let calls = 0;
    callbacks.add(() => {
      throw failure;
    });
    callbacks.add(() => (calls += 1));
    callbacks.callAll(undefined, 'inbox "jobs"', { ...silentLogger, error: (message, details) => logged.push([message, details]) });
    assert.equal(calls, 1);
    assert.deepEqual(logged, [['a callback for the end of inbox "jobs" failed', failure]]);
  });
});
