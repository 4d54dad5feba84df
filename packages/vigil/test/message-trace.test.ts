import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import { VirtualClock } from 'vigiljs/testing';
import type * as traceRelay from './fixtures/trace-relay.js';

const RELAY = new URL('./fixtures/trace-relay.js', import.meta.url);

describe('traceMessages', () => {
  it('tells of the messages of one process, of those below a supervisor, or of a built inbox', async () => {
    const runtime = vigil.runtime({ clock: new VirtualClock() });
    const reading = async ({ inbox }: vigil.ProcessContext) => {
      for await (const _ of inbox);
    };
    const pool = runtime.supervisor().child('one', reading).child('two', reading).build();
    const supervisor = runtime.supervisor().name('app').child('pool', pool).child('pool_boy', reading).build();
    await supervisor.start();
    const inbox = runtime.inboxBuilder().name('orders').build();
    const shared = runtime.inboxBuilder().name('shared').shared().build();
    const heard = Object.fromEntries(
      ['app/pool/one', 'app/pool', 'app', 'orders', 'shared', 'nobody'].map((path) => [path, listen(runtime, path)]),
    );
    pool.address('one').send('x', { priority: 'high' });
    pool.address('two').send('x');
    supervisor.address('pool_boy').send('x');
    for (const each of [inbox, shared]) each.send('x');
    await supervisor.stop();
    shared.recvBatch(1);
    const both = (mailbox: string) => [`sent ${mailbox}`, `received ${mailbox}`];
    assert.deepEqual(heard['app/pool/one'], both('app/pool/one'));
    assert.deepEqual(heard['app/pool'], [...both('app/pool/one'), ...both('app/pool/two')]);
    assert.deepEqual(heard.app, [...both('app/pool/one'), ...both('app/pool/two'), ...both('app/pool_boy')]);
    assert.deepEqual([heard.orders, heard.shared, heard.nobody], [['sent orders'], both('shared'), []]);
  });

  it('tells of no more than so many a second, and of how many it does not', async () => {
    const clock = new VirtualClock();
    const runtime = vigil.runtime({ clock });
    const inbox = runtime.inboxBuilder().name('orders').build();
    const suppressed: number[] = [];
    const cancel = runtime.traceMessages('orders', (message) => suppressed.push(message.suppressed), { maxPerSecond: 2 });
    for (let count = 0; count < 5; count += 1) inbox.send('x');
    assert.deepEqual(suppressed, [0, 0]);
    await clock.advance(500);
    inbox.send('x');
    assert.deepEqual(suppressed, [0, 0, 3]);
    assert.deepEqual([cancel(), cancel()], [true, false]);
    assert.equal(runtime.telemetry.wants('message_sent') || runtime.telemetry.wants('message_received'), false);
  });

  for (const [kind, run] of [
    ['thread', vigil.thread],
    ['fork', vigil.fork],
  ] as const) {
    it(`tells of those of a ${kind}`, { timeout: 60_000 }, async () => {
      const runtime = vigil.runtime();
      const supervisor = runtime
        .supervisor()
        .name('app')
        .child('relay', run<typeof traceRelay>(RELAY, { args: {} }))
        .build();
      await supervisor.start();
      const heard: string[] = [];
      const received = new Promise<void>((resolve) => {
        runtime.traceMessages('app/relay', ({ what, mailbox }) => {
          heard.push(`${what} ${mailbox}`);
          if (heard.length === 2) resolve();
        });
      });
      await runtime.request(supervisor.address('relay'), 'x');
      await received;
      await supervisor.stop();
      assert.deepEqual(heard, ['sent app/relay', 'received app/relay']);
    });
  }
});

function listen(runtime: vigil.Runtime, path: string): string[] {
  const heard: string[] = [];
  runtime.traceMessages(path, ({ what, mailbox }) => heard.push(`${what} ${mailbox}`));
  return heard;
}
