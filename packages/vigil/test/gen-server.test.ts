import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import type counterModule from './fixtures/counter.js';

describe('the counter of the design', () => {
  it('is typed by its module, and answers from a thread', async () => {
    const counter = await vigil.startServer(
      // oxlint-disable-next-line typescript/consistent-type-imports -- as it is printed in the documents
      vigil.thread<typeof import('./fixtures/counter.js')>(new URL('./fixtures/counter.js', import.meta.url), { args: 5 }),
    );
    const sum: number = await counter.call.add(2);
    assert.equal(sum, 7);
    counter.cast.reset();
    assert.equal(await counter.call.add(1), 1);
    assert.deepEqual(await counter.stop(), { kind: 'normal' });
  });

  it('runs as a task with the same handle, which refuses what its handlers do not take', async () => {
    const { default: module } = await import('./fixtures/counter.js');
    const counter: vigil.ServerHandle<typeof counterModule> = await vigil.startServer(module, { args: 5, name: 'counter' });
    assert.equal(await counter.call.add(2), 7);
    assert.equal(await vigil.serverOf<typeof counterModule>('counter').call.add(2, { timeoutMs: 10 }), 9);
    // @ts-expect-error it takes a number
    assert.equal(await counter.call.add('x'), '9x');
    // @ts-expect-error there is no such call
    assert.equal(typeof counter.call.subtract, 'function');
    // @ts-expect-error its args are a number
    const wrong = vigil.startServer(module, { args: 'five' });
    await (await wrong).stop();
    await counter.stop();
  });
});
