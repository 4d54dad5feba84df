import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Inbox,
  isVigilError,
  LocalInbox,
  type MailboxEnvironment,
  MailboxSettings,
  SharedInbox,
  silentLogger,
  type VigilErrorCode,
} from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import { FlowControlledInbox } from './flow-controlled-inbox.js';

describe('FlowControlledInbox', () => {
  it('holds back who sends, by a rate limit and at its high watermark', async () => {
    const { inbox, clock } = makeInbox();
    const flow = new FlowControlledInbox(
      inbox,
      { maxPerSecond: 100, burst: 3 },
      { strategy: 'drop_oldest', highWatermark: 2, lowWatermark: 1 },
    );
    assert.deepEqual([flow.send('a'), flow.send('b'), flow.send('c')], ['queued', 'queued', 'queued']);
    assert.throws(() => flow.send('d'), withCode('RateLimitExceeded'));
    await clock.advance(10);
    assert.equal(flow.send('e'), 'queued');
    assert.equal((await flow.recv()).payload, 'c');
    assert.deepEqual(flow.stats().flow, { throttled: 1, dropped: 2, blocked: 0, delayed: 0 });
  });

  it('holds back who sends to the inbox itself: there is one queue', async () => {
    const { inbox } = makeInbox();
    const flow = new FlowControlledInbox(inbox, undefined, { strategy: 'block', highWatermark: 2, lowWatermark: 1 });
    inbox.send('a');
    flow.send('b');
    assert.throws(() => inbox.send('c'), withCode('MailboxFull'));
    const sent = flow.sendWait('d');
    inbox.tryRecv();
    assert.equal(flow.stats().waitingSenders, 1);
    inbox.tryRecv();
    assert.equal(await sent, 'queued');
  });

  it('is an inbox: what it has sent can be looked at, received and given up', async () => {
    const { inbox } = makeInbox();
    const flow = new FlowControlledInbox<string>(inbox, { maxPerSecond: 1000 });
    let closes = 0;
    flow.onClose(() => (closes += 1));
    flow.sendBatch(['a', 'b', 'c']);
    assert.equal(flow.peek(1)[0]?.payload, 'a');
    const first = flow.tryRecv() ?? assert.fail('it is there');
    assert.equal(flow.deadLetter(first).reason, 'delivery_failed');
    assert.equal(flow.deadLetters.size, 1);
    assert.equal((await flow.recvTimeout(0))?.payload, 'b');
    assert.equal(flow.recvBatch(5)[0]?.payload, 'c');
    flow.sendMessage(first);
    flow.close();
    const left: string[] = [];
    for await (const { payload } of flow) left.push(payload);
    assert.deepEqual([flow.name, flow.isClosed(), closes, left], ['jobs', true, 1, ['a']]);
  });

  it('refuses an inbox that is controlled already, or in shared memory, or none, and nothing to hold back by', () => {
    const { inbox, environment } = makeInbox();
    const shared = new SharedInbox('jobs', new MailboxSettings(), environment);
    assert.throws(() => new FlowControlledInbox(shared, { maxPerSecond: 1 }), withCode('InvalidState'));
    assert.throws(() => new FlowControlledInbox(inbox, undefined), withCode('InvalidConfiguration'));
    assert.throws(
      () => new FlowControlledInbox(inbox, undefined, { strategy: 'block', highWatermark: 6 }),
      withCode('InvalidConfiguration'),
      'its capacity is 5',
    );
    const flow: Inbox = new FlowControlledInbox(inbox, { maxPerSecond: 1 });
    assert.throws(() => new FlowControlledInbox(inbox, { maxPerSecond: 1 }), withCode('InvalidState'));
    assert.throws(() => new FlowControlledInbox(flow, { maxPerSecond: 1 }), withCode('InvalidConfiguration'));
  });
});

function makeInbox() {
  const clock = new VirtualClock();
  let made = 0;
  const telemetry = { wants: () => false, report() {} };
  const environment: MailboxEnvironment = { clock, telemetry, log: silentLogger, nextMessageId: () => (made += 1) };
  return { inbox: new LocalInbox<string>('jobs', new MailboxSettings({ capacity: 5 }), environment), clock, environment };
}

function withCode(code: VigilErrorCode) {
  return (error: unknown) => isVigilError(error, code);
}
