import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError, type VigilErrorCode } from '../core/index.js';
import { TestContext } from './test-context.js';

const withCode = (code: VigilErrorCode) => (error: unknown) => isVigilError(error, code);

describe('a mock inbox', () => {
  it('keeps what it is sent, in the order of sending, to be counted, looked at and taken', async () => {
    const context = new TestContext();
    const inbox = context.mockInbox<string>();
    inbox.send('first', { priority: 'low', from: 'a' });
    inbox.sendMessage(context.runtime.msg('second').priority('critical').signal('alert').build());
    assert.equal(await inbox.sendWait('third'), 'queued');
    assert.equal(inbox.count(), 3);
    assert.deepEqual(
      [0, 1, 2, 3].map((index) => inbox.peek(index)?.payload),
      ['first', 'second', 'third', undefined],
    );
    const first = inbox.recv();
    assert.deepEqual([first?.payload, first?.sender, first?.priority], ['first', 'a', 'low']);
    assert.deepEqual([inbox.recv()?.signal, inbox.count()], ['alert', 1]);
    inbox.clear();
    assert.deepEqual([inbox.count(), inbox.recv()], [0, undefined]);
  });

  it('takes the place of a process: it can have a name, and answer', async () => {
    await using context = new TestContext();
    const inbox = context.mockInbox<number>('doubler');
    context.runtime.registry.register('doubler', inbox);
    const answer = context.runtime.request<number>('doubler', 4);
    const asked = inbox.recv();
    assert.ok(asked);
    context.runtime.reply(asked, asked.payload * 2);
    assert.equal(await answer, 8);
    inbox.close();
    assert.equal(context.runtime.registry.whereis('doubler'), undefined);
    assert.throws(() => inbox.send(1), withCode('InboxClosed'));
    assert.ok(inbox.isClosed() && inbox.recv() === undefined);
  });

  it('refuses as often as it is told to', async () => {
    const inbox = new TestContext().mockInbox<string>('full');
    inbox.refuseNext('MailboxFull', 2);
    assert.throws(() => inbox.send('a'), withCode('MailboxFull'));
    await assert.rejects(inbox.sendWait('b'), withCode('MailboxFull'));
    assert.equal(inbox.send('c'), 'queued');
    assert.equal(inbox.count(), 1);
    assert.throws(() => inbox.refuseNext('MailboxFull', 0), withCode('InvalidConfiguration'));
  });

  it('checks what it is sent, and lets it expire on the clock of the test', async () => {
    const context = new TestContext();
    const inbox = context.mockInbox();
    assert.throws(() => inbox.send('a', { ttlMs: -1 }), withCode('InvalidMessage'));
    inbox.send('short', { ttlMs: 10 });
    await context.advanceTime(10);
    assert.equal(inbox.recv(), undefined);
    assert.throws(() => inbox.peek(-1), withCode('InvalidConfiguration'));
  });
});
