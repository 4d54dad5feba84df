import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError, type Logger, silentLogger } from '../core/index.js';
import { runtime } from '../app/index.js';
import { DuplicateRegistry } from './duplicate-registry.js';
import { Registry } from './registry.js';
import type { RegistryChange } from './registry-change.js';

const here = runtime();
const makeInbox = () => here.inbox<unknown>();

for (const kind of [Registry, DuplicateRegistry]) {
  describe(`${kind.name}: listeners`, () => {
    it('REG-10: hear of a registration and its end, in order, with registry, name, owner and value', () => {
      const registry = new kind<number>({ name: 'players' });
      const [ann, bob] = [makeInbox(), makeInbox()];
      const changes: RegistryChange[] = [];
      registry.listen((change) => changes.push(change));
      registry.register('a', ann, 1);
      registry.register('b', bob);
      registry.unregister('a', ann);
      assert.equal(registry.unregister('a', ann), false);
      bob.close();
      const [a, b] = [
        { registry: 'players', name: 'a', mailbox: ann, value: 1 },
        { registry: 'players', name: 'b', mailbox: bob, value: undefined },
      ];
      assert.deepEqual(changes, [
        { kind: 'registered', ...a },
        { kind: 'registered', ...b },
        { kind: 'unregistered', ...a },
        { kind: 'ended', ...b },
      ]);
    });

    it('REG-10: hear of the end of an owner for each of its names, when all of them are free', () => {
      const registry = new kind();
      const inbox = makeInbox();
      for (const name of ['a', 'b', 'c']) registry.register(name, inbox);
      const seen: unknown[] = [];
      registry.listen(({ kind: what, name }) => seen.push([what, name, registry.size, registry.namesOf(inbox)]));
      inbox.close();
      assert.deepEqual(
        seen,
        ['a', 'b', 'c'].map((name) => ['ended', name, 0, []]),
      );
    });

    it('REG-10: hear of what a listener does after what it has heard', () => {
      const registry = new kind();
      const inbox = makeInbox();
      registry.listen(({ kind: what, name }) => void (what === 'registered' && name === 'a' && registry.register('b', inbox)));
      const seen: string[] = [];
      registry.listen(({ name }) => seen.push(name));
      registry.register('a', inbox);
      assert.deepEqual(seen, ['a', 'b']);
    });

    it('REG-10: hear nothing before they listen, and nothing after they have gone', () => {
      const registry = new kind();
      const seen: string[] = [];
      const late = () => registry.listen(({ name }) => seen.push(`late ${name}`));
      const cancelFirst = registry.listen(({ name }) => {
        seen.push(`first ${name}`);
        cancelSecond();
        if (name === 'a') late();
      });
      const cancelSecond = registry.listen(({ name }) => seen.push(`second ${name}`));
      registry.register('a', makeInbox());
      registry.register('b', makeInbox());
      assert.deepEqual([cancelFirst(), cancelFirst()], [true, false]);
      registry.register('c', makeInbox());
      assert.deepEqual(seen, ['first a', 'first b', 'late b', 'late c']);
    });

    it('REG-10: keep nobody from the news by a throw, which is logged', () => {
      const errors: unknown[] = [];
      const log: Logger = { ...silentLogger, error: (message, error) => errors.push([message, error]) };
      const registry = new kind({ log });
      const thrown = new Error('thrown by a listener');
      registry.listen(() => {
        throw thrown;
      });
      const seen: string[] = [];
      registry.listen(({ name }) => seen.push(name));
      registry.register('a', makeInbox());
      assert.deepEqual([seen, errors, registry.size], [['a'], [['a listener to registry failed', thrown]], 1]);
    });

    it('is refused options that are none', () => {
      const isInvalid = (error: unknown) => isVigilError(error, 'InvalidConfiguration');
      // @ts-expect-error options are an object
      assert.throws(() => new kind(5), isInvalid);
      assert.throws(() => new kind({ name: '' }), isInvalid);
      // @ts-expect-error a logger has four methods
      assert.throws(() => new kind({ log: {} }), isInvalid);
      // @ts-expect-error a listener is a function
      assert.throws(() => new kind().listen('x'), isInvalid);
      // @ts-expect-error a callback is a function
      assert.throws(() => new kind().dispatch('x', 5), isInvalid);
    });
  });
}
