import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../testing/index.js';
import { RecordingEnvironment } from './environment.suite.js';
import { isVigilError } from './errors.js';
import { LocalInbox } from './local-inbox.js';
import { MailboxSettings } from './process-mailbox.js';
import { ReplyExchange } from './reply-exchange.js';
import { SharedReplyBox } from './shared/index.js';

const TIMEOUT_MS = 100;

/** A call to a process in another thread, which has its request and can reply to it or end. */
async function calling() {
  const clock = new VirtualClock();
  const exchange = new ReplyExchange(clock);
  const box = new SharedReplyBox({ clock });
  exchange.useBox(() => box);
  let end: () => void = assert.fail;
  const down = new Promise<{ readonly reason: { readonly kind: 'normal' } }>((resolve) => {
    end = () => resolve({ reason: { kind: 'normal' } });
  });
  const inbox = new LocalInbox<unknown>('far', new MailboxSettings(), new RecordingEnvironment(clock));
  const target = Object.assign(inbox, { id: 'far', monitor: () => ({ down }) });
  const call = exchange.call(target, 'request', { timeoutMs: TIMEOUT_MS });
  const { metadata } = await inbox.recv();
  const there = new SharedReplyBox({ clock, thread: { id: 1, startedBy: 0, sleep: () => assert.fail() } }, box.memory);
  const reply = (payload: unknown) => there.post(metadata.correlationId ?? assert.fail('it has an id'), payload);
  return { clock, exchange, call, end, reply };
}

describe('ReplyExchange with a box', () => {
  it('takes a reply out of it', async () => {
    const { call, reply } = await calling();
    assert.ok(reply('reply'));
    assert.equal(await call, 'reply');
  });

  it('looks there before it tells that the target has ended', async () => {
    const { call, reply, end } = await calling();
    reply('last words');
    end();
    assert.equal(await call, 'last words');
  });

  it('looks there before it tells that the time is over', async () => {
    const { clock, call, reply } = await calling();
    reply('in time');
    await clock.advance(TIMEOUT_MS);
    assert.equal(await call, 'in time');
  });

  it('looks there for late ones when it is asked for their number', async () => {
    const { clock, exchange, call, reply } = await calling();
    const failed = assert.rejects(call, (error) => isVigilError(error, 'OperationTimeout'));
    await clock.advance(TIMEOUT_MS);
    await failed;
    reply('late');
    assert.equal(exchange.lateReplies, 1);
  });
});
