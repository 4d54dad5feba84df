import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SystemClock } from '../clock.js';
import { RecordingEnvironment } from '../environment.suite.js';
import { describeInbox } from '../inbox.suite.js';
import { type MailboxOptions, MailboxSettings } from '../process-mailbox.js';
import { comesTrue, observe, outcomeOf, payloadsOf, withCode } from '../inbox-bench.suite.js';
import { SharedInbox, type SharedInboxOptions } from './shared-inbox.js';

describeInbox({
  name: 'a shared inbox',
  copiesPayloads: true,
  create: (name, options, environment) => new SharedInbox(name, new MailboxSettings(options), environment),
});

/** Two sides of one inbox, as two threads have them. */
function sidesOf(options: MailboxOptions = {}, memory: SharedInboxOptions = {}): readonly [SharedInbox, SharedInbox] {
  const clock = new SystemClock();
  const one = new SharedInbox('jobs', new MailboxSettings(options), new RecordingEnvironment(clock), memory);
  return [one, SharedInbox.from(one.data(), new RecordingEnvironment(clock))];
}

describe('a shared inbox with two sides', () => {
  it('wakes a receiver of the other side for each message, however soon it waits again', async () => {
    const [one, other] = sidesOf();
    for (let number = 0; number < 500; number += 1) {
      const received = other.recv();
      one.send(number);
      assert.equal((await received).payload, number);
    }
  });

  it('wakes one of several receivers of the other side for each of many messages', async () => {
    const [one, other] = sidesOf();
    const received = Array.from({ length: 20 }, () => other.recv());
    for (let number = 0; number < 20; number += 1) one.send(number);
    assert.deepEqual(payloadsOf(await Promise.all(received)), [...new Array(20).keys()]);
  });

  it('lets a sender of the other side in when there is room', async () => {
    const [one, other] = sidesOf({ capacity: 1 });
    one.send('first');
    const sent = other.sendWait('second');
    assert.equal(one.tryRecv()?.payload, 'first');
    assert.equal(await sent, 'queued');
    assert.equal(one.tryRecv()?.payload, 'second');
  });

  it('sends those of the other side away when it closes, and tells it', async () => {
    const [one, other] = sidesOf();
    const told = new Promise<void>((resolve) => other.onClose(resolve));
    const received = other.recv();
    one.close();
    await assert.rejects(received, withCode('InboxClosed'));
    await told;
    assert.throws(() => other.send('late'), withCode('InboxClosed'));
  });

  for (const [what, find] of [
    ['a receive', (inbox: SharedInbox) => inbox.tryRecv()],
    ['a send', (inbox: SharedInbox) => inbox.send('late')],
  ] as const) {
    it(`has told the other side when ${what} is refused there because it is closed`, () => {
      const [one, other] = sidesOf();
      let calls = 0;
      other.onClose(() => (calls += 1));
      one.close();
      assert.throws(() => find(other), withCode('InboxClosed'));
      assert.equal(calls, 1);
    });
  }

  it('tells who asks after it was closed on the other side, when nobody here was told of that yet', async () => {
    const [one, other] = sidesOf();
    one.close();
    const calls: string[] = [];
    const told = new Promise<void>((resolve) => {
      other.onClose(() => calls.push('first'));
      const cancel = other.onClose(() => calls.push('never'));
      other.onClose(resolve);
      assert.deepEqual([other.isClosed(), cancel(), calls], [true, true, []], 'not before it is known what asking has returned');
    });
    await told;
    assert.deepEqual(calls, ['first']);
    assert.equal(other.onClose(() => calls.push('late'))(), false);
  });

  it('shows the same books on both sides', () => {
    const [one, other] = sidesOf({ capacity: 2 });
    other.send('a');
    one.send('b', { priority: 'high' });
    assert.throws(() => other.send('c'), withCode('MailboxFull'));
    one.tryRecv();
    assert.deepEqual(one.stats(), other.stats());
    assert.equal(one.stats().messagesRejected, 1);
  });

  it('gives no message id twice, whichever side has sent it', () => {
    const [one, other] = sidesOf();
    for (const side of [one, other, other, one]) side.send('a');
    assert.equal(new Set(one.recvBatch(4).map(({ id }) => id)).size, 4);
  });

  it('refuses a message that takes more than a quarter of its bytes, and one for which there are no bytes left now', () => {
    const [one] = sidesOf({}, { bytes: 4096 });
    assert.throws(() => one.send('x'.repeat(1025)), withCode('MessageTooLarge'));
    for (let count = 0; count < 4; count += 1) one.send('x'.repeat(1024));
    assert.throws(() => one.send('x'.repeat(1024)), withCode('MailboxFull'));
    one.tryRecv();
    assert.equal(one.send('x'.repeat(1024)), 'queued');
  });

  it('lets a blocked sender of the other side in below the low watermark, and nobody here overtake it', async () => {
    const [one, other] = sidesOf({ backpressure: { strategy: 'block', highWatermark: 4, lowWatermark: 2 } });
    one.sendBatch([1, 2, 3, 4]);
    const sent = observe(other.sendWait(5));
    one.tryRecv();
    assert.throws(() => one.send('first'), withCode('MailboxFull'));
    const sentHere = observe(one.sendWait(6));
    one.tryRecv();
    assert.deepEqual([sent.state, sentHere.state, one.stats().depth], ['pending', 'pending', 2]);
    for (let received = 2; received < 6; received += 1) await one.recv();
    assert.deepEqual([await sent.settled, await sentHere.settled], ['queued', 'queued']);
    assert.equal(one.send('then'), 'queued');
  });

  it('lets nobody overtake those who are still blocked when others were let in before them', async () => {
    const [one, other] = sidesOf({ backpressure: { strategy: 'block', highWatermark: 4, lowWatermark: 2 } });
    one.sendBatch([1, 2, 3, 4]);
    const sent = [5, 6, 7, 8].map((payload) => other.sendWait(payload));
    one.recvBatch(3);
    assert.ok(await comesTrue(() => one.stats().depth === 4));
    one.tryRecv();
    assert.throws(() => one.send('first'), withCode('MailboxFull'));
    one.recvBatch(9);
    await Promise.all(sent);
  });

  it('lets others send when who was blocked on the other side has given up', async () => {
    const [one, other] = sidesOf({ backpressure: { strategy: 'block', highWatermark: 2, lowWatermark: 1 } });
    one.sendBatch([1, 2]);
    const aborter = new AbortController();
    const sent = observe(other.sendWait(3, { signal: aborter.signal }));
    one.tryRecv();
    assert.throws(() => one.send(4), withCode('MailboxFull'));
    aborter.abort();
    await sent.settled;
    assert.ok(await comesTrue(() => outcomeOf(() => one.send(4)) === 'queued'));
  });

  it('has one rate limit for both sides', () => {
    const [one, other] = sidesOf({ rateLimit: { maxPerSecond: 0.001, burst: 3 } });
    assert.deepEqual([one.send('a'), other.send('b'), one.send('c')], ['queued', 'queued', 'queued']);
    assert.throws(() => other.send('d'), withCode('RateLimitExceeded'));
    assert.throws(() => one.send('e'), withCode('RateLimitExceeded'));
    assert.deepEqual([one.stats().flow?.throttled, other.stats().flow], [2, one.stats().flow]);
  });

  it('makes room by dropping what the other side has sent', () => {
    const [one, other] = sidesOf({ backpressure: { strategy: 'drop_oldest', highWatermark: 2 } });
    one.sendBatch(['a', 'b']);
    assert.equal(other.sendBatch(['c', 'd', 'e']), 3);
    assert.deepEqual(payloadsOf(one.recvBatch(9)), ['d', 'e']);
    assert.deepEqual([one.stats().messagesDropped, one.stats().flow?.dropped], [3, 3]);
  });

  it('is refused when there is no memory for so many messages or bytes', () => {
    assert.throws(() => sidesOf({ capacity: 2 ** 40 }), withCode('InvalidConfiguration'));
    assert.throws(() => sidesOf({}, { bytes: 2 ** 60 }), withCode('InvalidConfiguration'));
  });

  it('is refused to a thread when as many threads use it as can', () => {
    const [one] = sidesOf();
    const more = () => SharedInbox.from(one.data(), new RecordingEnvironment(new SystemClock()));
    for (let sides = 2; sides < 128; sides += 1) more();
    assert.throws(more, withCode('InvalidConfiguration'));
  });
});
