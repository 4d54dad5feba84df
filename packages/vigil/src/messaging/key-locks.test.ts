import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runtime } from '../app/index.js';
import { isVigilError, nextTurn } from '../core/index.js';
import { DuplicateRegistry } from './duplicate-registry.js';
import { KeyLocks } from './key-locks.js';
import { Registry } from './registry.js';

const here = runtime();

describe('KeyLocks', () => {
  it('REG-11: excludes work with the same key, in the order of the calls', async () => {
    const locks = new KeyLocks();
    const steps: string[] = [];
    const work = (name: string) => async () => {
      steps.push(`${name} begins`);
      await nextTurn();
      steps.push(`${name} ends`);
      return name;
    };
    const results = await Promise.all(['a', 'b', 'c'].map((name) => locks.lock('key', work(name))));
    assert.deepEqual(results, ['a', 'b', 'c']);
    assert.deepEqual(steps, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('REG-11: excludes only the same key', async () => {
    const locks = new KeyLocks();
    const held = holding(locks, 'a');
    assert.equal(await locks.lock('b', () => 5), 5);
    held.letGo();
    await held.done;
  });

  it('REG-11: is given back when the work throws', async () => {
    const locks = new KeyLocks();
    const failed = locks.lock('key', () => {
      throw new Error('thrown at work');
    });
    const next = locks.lock('key', () => 'next');
    await assert.rejects(failed, /thrown at work/);
    assert.equal(await next, 'next');
  });

  it('REG-11: is given back when the owner ends, and not once more when its work does', async () => {
    const locks = new KeyLocks();
    const owner = here.inbox();
    const first = holding(locks, 'key', owner);
    await nextTurn();
    const second = holding(locks, 'key');
    owner.close();
    await second.begun;
    const third = holding(locks, 'key');
    first.letGo();
    await first.done;
    await nextTurn();
    assert.deepEqual([second.isAtWork, third.isAtWork], [true, false]);
    second.letGo();
    await third.begun;
    third.letGo();
    await third.done;
  });

  it('REG-11: is not given to who has gone away or has ended while it waited', async () => {
    const locks = new KeyLocks();
    const first = holding(locks, 'key');
    const [abort, owner] = [new AbortController(), here.inbox()];
    const never = () => assert.fail('it is not wanted any more');
    const aborted = locks.lock('key', never, { signal: abort.signal });
    const ended = locks.lock('key', never, { owner });
    const last = locks.lock('key', () => 'last');
    const reason = new Error('gone away');
    abort.abort(reason);
    owner.close();
    await assert.rejects(aborted, reason);
    await assert.rejects(ended, (error) => isVigilError(error, 'InboxClosed'));
    first.letGo();
    assert.equal(await last, 'last');
  });

  it('REG-11: passes on when whoever is next is gone at the very moment of its turn', async () => {
    const locks = new KeyLocks();
    const first = holding(locks, 'key');
    await first.begun;
    const [abort, owner] = [new AbortController(), here.inbox()];
    const never = () => assert.fail('it is not wanted any more');
    const aborted = assert.rejects(locks.lock('key', never, { signal: abort.signal }));
    const ended = assert.rejects(locks.lock('key', never, { owner }));
    const last = locks.lock('key', () => 'last');
    first.letGo();
    await first.done;
    abort.abort();
    owner.close();
    await Promise.all([aborted, ended]);
    assert.equal(await last, 'last');
  });

  it('is not given in the name of who is gone already', async () => {
    const locks = new KeyLocks();
    const owner = here.inbox();
    owner.close();
    await assert.rejects(
      locks.lock('key', () => 1, { owner }),
      (error) => isVigilError(error, 'InboxClosed'),
    );
    await assert.rejects(
      locks.lock('key', () => 1, { signal: AbortSignal.abort() }),
      { name: 'AbortError' },
    );
    assert.equal(await locks.lock('key', () => 2), 2);
  });

  it('is refused what is no key, no work and no owner', async () => {
    const locks = new KeyLocks();
    const isInvalid = (error: unknown) => isVigilError(error, 'InvalidConfiguration');
    await assert.rejects(
      locks.lock('', () => 1),
      isInvalid,
    );
    const work = () => 1;
    // @ts-expect-error work is a function
    await assert.rejects(locks.lock('key', 5), isInvalid);
    // @ts-expect-error an owner ends
    await assert.rejects(locks.lock('key', work, { owner: {} }), isInvalid);
    // @ts-expect-error options are an object
    await assert.rejects(locks.lock('key', work, 5), isInvalid);
    assert.equal(await locks.lock('key', () => 2), 2);
  });

  for (const kind of [Registry, DuplicateRegistry]) {
    it(`REG-11: is what a ${kind.name} has, each its own`, async () => {
      const [one, other] = [new kind(), new kind()];
      let letGo = () => {};
      const held = one.lock('key', () => new Promise<void>((resolve) => (letGo = resolve)));
      assert.equal(await other.lock('key', () => 5), 5);
      const next = one.lock('key', () => 6);
      letGo();
      await held;
      assert.equal(await next, 6);
    });
  }
});

/** Work that holds a key until it is let go. */
function holding(locks: KeyLocks, key: string, owner?: Parameters<Registry['register']>[1]) {
  let begin = () => {};
  let letGo = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const work = {
    isAtWork: false,
    begun,
    letGo,
    done: locks.lock(
      key,
      async () => {
        work.isAtWork = true;
        begin();
        await gate;
      },
      { owner },
    ),
  };
  return work;
}
