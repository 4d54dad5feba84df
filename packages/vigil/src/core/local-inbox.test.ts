import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { nextTurn } from './clock.js';
import { DeadLetterQueue } from './dead-letter-queue.js';
import { RecordingEnvironment } from './environment.suite.js';
import type { MailboxEnvironment } from './environment.js';
import { isVigilError } from './errors.js';
import { describeInbox } from './inbox.suite.js';
import { ignore, LateClock, observe, payloadOf, payloadsOf, withCode } from './inbox-bench.suite.js';
import { LocalInbox } from './local-inbox.js';
import { Message } from './message.js';
import { type MailboxOptions, MailboxSettings } from './process-mailbox.js';

const LOCAL = {
  name: 'LocalInbox',
  servesAtOnce: true,
  create: <T>(name: string, options: MailboxOptions<T>, environment: MailboxEnvironment) =>
    new LocalInbox<T>(name, new MailboxSettings(options), environment),
};

describeInbox(LOCAL);

describe('LocalInbox: who waits is served before the call returns', () => {
  it('hands a message to a waiting receiver before the send returns, so that no other can take it', async () => {
    const { inbox } = inboxOf();
    const result = inbox.recv();
    inbox.send('a');
    assert.equal(inbox.tryRecv(), undefined);
    assert.equal((await result).attemptCount, 1);
  });

  it('recvBatch admits waiting senders as it goes, and gives out theirs as well', async () => {
    const { inbox } = inboxOf({ capacity: 2 });
    inbox.sendBatch(['a', 'b']);
    const results = ['c', 'd', 'e'].map((payload) => inbox.sendWait(payload));
    assert.deepEqual(payloadsOf(inbox.recvBatch(3)), ['a', 'b', 'c']);
    assert.deepEqual(await Promise.all(results), ['queued', 'queued', 'queued']);
    assert.deepEqual(payloadsOf(inbox.peek()), ['d', 'e']);
  });

  it('receives the message of the first sender that still has one when others expired while they waited', () => {
    const { inbox, clock } = inboxOf({ capacity: 1 });
    inbox.send('expires', { ttlMs: 10 });
    ignore(inbox.sendWait('expires, too', { ttlMs: 10 }));
    ignore(inbox.sendWait('stays'));
    clock.beLateBy(10);
    assert.equal(inbox.tryRecv()?.payload, 'stays');
  });

  it('does not let a newcomer overtake those that wait for room', async () => {
    const newcomers: ((inbox: LocalInbox) => unknown)[] = [
      (inbox) => ignore(inbox.sendWait('newcomer')),
      (inbox) => assert.throws(() => inbox.send('newcomer'), withCode('MailboxFull')),
      (inbox) => assert.throws(() => inbox.sendMessage(new Message('m1', undefined, 'newcomer')), withCode('MailboxFull')),
    ];
    for (const come of newcomers) {
      const { inbox, clock } = inboxOf({ capacity: 2 });
      inbox.sendBatch(['expires', 'expires'], { ttlMs: 10 });
      const results = [inbox.sendWait('first'), inbox.sendWait('second')];
      clock.beLateBy(10);
      come(inbox);
      assert.deepEqual(payloadsOf([inbox.tryRecv(), inbox.tryRecv()]), ['first', 'second']);
      assert.deepEqual(await Promise.all(results), ['queued', 'queued']);
    }
  });
});

describe('LocalInbox.end', () => {
  it('ends with its process: sends everybody away and leaves the rest to the runtime', async () => {
    const { inbox, environment, clock } = inboxOf({ capacity: 1, enableDeadletter: true });
    inbox.send('a');
    const sent = observe(inbox.sendWait('b'));
    const letters = new DeadLetterQueue(10, clock, environment.telemetry);
    inbox.end(letters);
    assert.ok(isVigilError(await sent.settled, 'InboxClosed'));
    assert.deepEqual(
      letters.list().map(({ message, reason }) => [message.payload, reason]),
      [['a', 'process_exited']],
    );
    await assert.rejects(inbox.recv(), withCode('InboxClosed'));
  });
});

describe('LocalInbox: payloads', () => {
  it('sendBatch passes on what is no refusal', () => {
    const { inbox } = inboxOf<number>({ maxMessageSize: 10, sizeOf: failAtTwo });
    assert.throws(() => inbox.sendBatch([1, 2, 3]), /a bug in sizeOf/);
  });
});

describe('LocalInbox that is held', () => {
  it('takes messages within its capacity and gives out none until it is released, then in their order', async () => {
    const { inbox } = inboxOf({ capacity: 3 });
    const early = observe(inbox.recv());
    inbox.hold();
    inbox.sendBatch(['a', 'b']);
    const late = observe(inbox.recv());
    assert.deepEqual([inbox.tryRecv(), inbox.recvBatch(5), await inbox.recvTimeout(0)], [undefined, [], undefined]);
    inbox.send('c');
    assert.throws(() => inbox.send('d'), withCode('MailboxFull'));
    await nextTurn();
    assert.deepEqual([early.state, late.state], ['pending', 'pending']);
    assert.deepEqual(payloadsOf(inbox.peek()), ['a', 'b', 'c']);
    inbox.release();
    assert.deepEqual(payloadsOf([await early.settled, await late.settled, inbox.tryRecv()]), ['a', 'b', 'c']);
  });

  it('lets waiting senders in as soon as it is released', async () => {
    const { inbox } = inboxOf({ capacity: 1 });
    inbox.hold();
    inbox.send('a');
    const sent = inbox.sendWait('b');
    const received = [inbox.recv(), inbox.recv()];
    inbox.release();
    assert.equal(await sent, 'queued');
    assert.deepEqual(payloadsOf(await Promise.all(received)), ['a', 'b']);
  });

  it('lets receivers wait on when it is released and has nothing for them', async () => {
    const { inbox } = inboxOf();
    inbox.hold();
    const received = inbox.recv();
    inbox.release();
    assert.equal(inbox.stats().waitingReceivers, 1);
    inbox.send('a');
    assert.equal((await received).payload, 'a');
  });

  it('lets time-outs and signals end a receive', async () => {
    const { inbox, clock } = inboxOf();
    inbox.hold();
    inbox.send('a');
    const aborter = new AbortController();
    const [timedOut, aborted] = [observe(inbox.recvTimeout(10)), observe(inbox.recv({ signal: aborter.signal }))];
    await clock.advance(10);
    aborter.abort();
    assert.equal(await timedOut.settled, undefined);
    await aborted.settled;
    assert.deepEqual([timedOut.state, aborted.state], ['fulfilled', 'rejected']);
  });

  it('ends every receive when it closes, and gives out what is left once it is released', async () => {
    const { inbox } = inboxOf();
    inbox.hold();
    inbox.send('a');
    const waiting = observe(inbox.recv());
    inbox.close();
    assert.ok(isVigilError(await waiting.settled, 'InboxClosed'));
    const [first, second] = [observe(inbox.recv()), observe(inbox.recv())];
    inbox.release();
    assert.equal(payloadOf(await first.settled), 'a');
    assert.ok(isVigilError(await second.settled, 'InboxClosed'));
  });
});

describe('Node', () => {
  it('stays alive for a receive with a time-out, for a send with one, and for a sender who waits for an expiry', async () => {
    const program = `
      const here = ${JSON.stringify(new URL('.', import.meta.url))};
      const { SystemClock } = await import(here + 'clock.js');
      const { LocalInbox } = await import(here + 'local-inbox.js');
      const { MailboxSettings } = await import(here + 'process-mailbox.js');
      const { noTelemetry } = await import(here + 'telemetry-event.js');
      const environment = { clock: new SystemClock(), telemetry: noTelemetry, nextMessageId: () => 1 };
      const inbox = new LocalInbox('jobs', new MailboxSettings({ capacity: 1 }), environment);
      console.log(await inbox.recvTimeout(5));
      inbox.send('a', { ttlMs: 30 });
      console.log(await inbox.sendWait('b', { timeoutMs: 5 }).catch((error) => error.code));
      console.log(await inbox.sendWait('c'));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { timeout: 30_000 });
    assert.equal(stdout, 'undefined\nDeliveryTimeout\nqueued\n');
  });
});

function failAtTwo(payload: number): number {
  if (payload === 2) throw new TypeError('a bug in sizeOf');
  return 0;
}

function inboxOf<T = unknown>(options: MailboxOptions<T> = {}) {
  const clock = new LateClock();
  const environment = new RecordingEnvironment(clock);
  return { inbox: LOCAL.create<T>('jobs', options, environment), clock, environment };
}
