import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runtime } from '../app/index.js';
import { isVigilError, type VigilErrorCode } from '../core/index.js';
import { DuplicateRegistry } from './duplicate-registry.js';
import { describeWithInboxes } from './engines.suite.js';

const here = runtime();

describeWithInboxes('DuplicateRegistry', (engine) => {
  const makeInbox = () => engine.build(here);

  it('REG-07: leads from one name to many owners, and to one owner as often as it has it', () => {
    const registry = new DuplicateRegistry<number>();
    const [ann, bob] = [makeInbox(), makeInbox()];
    registry.register('room', ann, 1);
    registry.register('room', bob, 2);
    registry.register('room', ann, 3);
    assert.deepEqual(registry.lookup('room'), [
      { mailbox: ann, value: 1 },
      { mailbox: bob, value: 2 },
      { mailbox: ann, value: 3 },
    ]);
    assert.deepEqual([registry.size, registry.lookup('hall')], [3, []]);
  });

  it('REG-07: lists the names of an owner, each as often as it has it', () => {
    const registry = new DuplicateRegistry();
    const ann = makeInbox();
    for (const name of ['room', 'hall', 'room']) registry.register(name, ann);
    assert.deepEqual([registry.namesOf(ann), registry.namesOf(makeInbox())], [['room', 'room', 'hall'], []]);
  });

  it('REG-07: takes back all that an owner has under a name, and nothing else', () => {
    const registry = new DuplicateRegistry();
    const [ann, bob] = [makeInbox(), makeInbox()];
    for (const name of ['room', 'hall', 'room']) registry.register(name, ann);
    registry.register('room', bob);
    assert.deepEqual(
      [registry.unregister('room', ann), registry.unregister('room', ann), registry.unregister('hall', bob)],
      [true, false, false],
    );
    // By identity: two inboxes are deeply equal.
    assert.equal(registry.lookup('room')[0]?.mailbox, bob);
    assert.deepEqual([registry.lookup('room').length, registry.namesOf(ann), registry.size], [1, ['hall'], 2]);
  });

  it('REG-03: forgets an owner that has ended', () => {
    const registry = new DuplicateRegistry();
    const [ann, bob] = [makeInbox(), makeInbox()];
    for (const name of ['room', 'hall', 'room']) registry.register(name, ann);
    registry.register('room', bob);
    engine.close(ann);
    assert.deepEqual([registry.lookup('hall'), registry.lookup('room').length, registry.namesOf(ann), registry.size], [[], 1, [], 1]);
    assert.throws(() => registry.register('room', ann), withCode('InboxClosed'));
  });

  it('REG-07: cannot be asked for the one that has a name, nor update a value', () => {
    const registry = new DuplicateRegistry();
    // @ts-expect-error a name leads to nobody in particular
    assert.equal(registry.whereis, undefined);
    // @ts-expect-error REG-08: nor is there one value
    assert.equal(registry.update, undefined);
  });

  it('REG-09: dispatches to all entries at once, and not at all when there are none', () => {
    const registry = new DuplicateRegistry();
    const [ann, bob] = [makeInbox(), makeInbox()];
    for (const mailbox of [ann, bob]) registry.register('room', mailbox);
    let calls = 0;
    registry.dispatch('room', (entries) => {
      calls += 1;
      for (const { mailbox } of entries) mailbox.send('hello');
    });
    registry.dispatch('hall', () => assert.fail('nobody is there'));
    assert.deepEqual([calls, ann.stats().depth, bob.stats().depth], [1, 1, 1]);
    assert.throws(
      () =>
        registry.dispatch('room', () => {
          throw new Error('thrown by dispatch');
        }),
      /thrown by dispatch/,
    );
  });

  it('REG-12: compares names exactly, and refuses what is no text', () => {
    const registry = new DuplicateRegistry();
    registry.register('1', makeInbox());
    // @ts-expect-error a name is a text
    assert.throws(() => registry.register(1, makeInbox()), withCode('InvalidConfiguration'));
    // @ts-expect-error a mailbox can be sent to
    assert.throws(() => registry.register('1', {}), withCode('InvalidConfiguration'));
    // @ts-expect-error a name is a text
    assert.deepEqual([registry.lookup(1), registry.lookup('01'), registry.lookup('__proto__')], [[], [], []]);
  });
});

function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
