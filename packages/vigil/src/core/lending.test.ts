import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../testing/index.js';
import { DeadLetterQueue } from './dead-letter-queue.js';
import { RecordingEnvironment } from './environment.suite.js';
import { isVigilError } from './errors.js';
import { LocalInbox } from './local-inbox.js';
import type { MailboxStats } from './mailbox-stats.js';
import { MESSAGE_PRIORITIES, type Message } from './message.js';
import { type MailboxOptions, MailboxSettings, type Outlet } from './process-mailbox.js';
import { noTelemetry } from './telemetry-event.js';

/** An inbox whose receiver is elsewhere: the test says when it takes, and what becomes of what it took. */
class Lender implements Outlet<string> {
  readonly clock: VirtualClock = new VirtualClock();
  readonly environment: RecordingEnvironment = new RecordingEnvironment(this.clock);
  readonly inbox: LocalInbox<string>;
  arrivals = 0;

  constructor(options: MailboxOptions<string> = {}) {
    this.inbox = new LocalInbox('box', new MailboxSettings(options), this.environment, this);
  }

  convert(payload: string): string {
    return `converted ${payload}`;
  }

  arrived(): void {
    this.arrivals += 1;
  }

  lend(isOpen: (rank: number) => boolean = () => true): Message<string> | undefined {
    return this.inbox.lend(isOpen);
  }
}

describe('an inbox that lends its messages', () => {
  it('converts what comes in when it is sent, however it is sent', async () => {
    const lender = new Lender();
    lender.inbox.send('a');
    const message = lender.lend();
    assert.equal(message?.payload, 'converted a');
    lender.inbox.sendMessage(message);
    assert.equal(lender.lend()?.payload, 'converted converted a');
  });

  it('says so when there may be something to lend: an arrival, a release, a close', () => {
    const lender = new Lender();
    lender.inbox.send('a');
    assert.equal(lender.arrivals, 1);
    lender.inbox.hold();
    lender.inbox.send('b');
    assert.equal(lender.arrivals, 1);
    lender.inbox.release();
    assert.equal(lender.arrivals, 2);
    lender.inbox.close();
    assert.equal(lender.arrivals, 3);
  });

  it('lends nothing while it is held', () => {
    const lender = new Lender();
    lender.inbox.send('a');
    lender.inbox.hold();
    assert.equal(lender.lend(), undefined);
    lender.inbox.release();
    assert.notEqual(lender.lend(), undefined);
  });

  it('lends by priority, only from ranks that are open, and nothing that would overtake what waits for its rank', () => {
    const lender = new Lender();
    lender.inbox.send('normal');
    lender.inbox.send('critical', { priority: 'critical' });
    lender.inbox.send('batch', { priority: 'batch' });
    assert.equal(
      lender.lend((rank) => rank > 0),
      undefined,
    );
    assert.equal(lender.lend((rank) => rank === 0)?.payload, 'converted critical');
    assert.equal(lender.lend((rank) => rank > 0)?.payload, 'converted normal');
    assert.equal(
      lender.lend((rank) => rank < 4),
      undefined,
    );
    assert.equal(lender.lend()?.payload, 'converted batch');
  });

  it('counts a loan as queued until it is settled, so that it takes room', async () => {
    const lender = new Lender({ capacity: 1 });
    lender.inbox.send('a');
    const message = lender.lend()!;
    assert.equal(lender.inbox.stats().depth, 1);
    assert.throws(
      () => lender.inbox.send('b'),
      (error) => isVigilError(error, 'MailboxFull'),
    );
    const waiting = lender.inbox.sendWait('c');
    assert.equal(lender.inbox.settle(message, 'received'), true);
    assert.equal(await waiting, 'queued');
    assert.deepEqual([lender.inbox.stats().messagesReceived, lender.inbox.stats().depth], [1, 1]);
  });

  it('settles a loan once', () => {
    const lender = new Lender();
    lender.inbox.send('a');
    const message = lender.lend()!;
    assert.deepEqual([lender.inbox.settle(message, 'received'), lender.inbox.settle(message, 'expired')], [true, false]);
    assert.deepEqual([lender.inbox.stats().messagesReceived, lender.inbox.stats().messagesExpired], [1, 0]);
  });

  it('counts an attempt and reports a message when it was received, not when it was lent', () => {
    const lender = new Lender();
    lender.inbox.send('a');
    lender.environment.takeEventTypes();
    const message = lender.lend()!;
    assert.deepEqual([message.attemptCount, lender.environment.takeEventTypes()], [0, []]);
    lender.inbox.settle(message, 'received');
    assert.deepEqual([message.attemptCount, lender.environment.takeEventTypes()], [1, ['message_received']]);
  });

  it('lends nothing that has expired, and takes back that a loan has', async () => {
    const lender = new Lender();
    lender.inbox.send('short', { ttlMs: 10 });
    lender.inbox.send('long', { ttlMs: 100 });
    await lender.clock.advance(10);
    const message = lender.lend()!;
    assert.equal(message.payload, 'converted long');
    lender.inbox.settle(message, 'expired');
    assert.deepEqual([lender.inbox.stats().messagesExpired, lender.inbox.stats().depth], [2, 0]);
  });

  it('shows loans first when it is looked at', () => {
    const lender = new Lender();
    lender.inbox.send('lent');
    lender.lend();
    lender.inbox.send('urgent', { priority: 'high' });
    assert.deepEqual(
      lender.inbox.peek().map(({ payload }) => payload),
      ['converted lent', 'converted urgent'],
    );
    assert.equal(lender.inbox.stats().depthByPriority.normal, 1);
  });

  it('is drained when it is closed and nothing is left to lend', () => {
    const lender = new Lender();
    lender.inbox.send('a');
    lender.inbox.close();
    assert.equal(lender.inbox.isDrained(), false);
    lender.lend();
    assert.equal(lender.inbox.isDrained(), true);
    const open = new Lender();
    assert.equal(open.inbox.isDrained(), false);
  });

  it('gives its loans to the dead letters first when its process ends, and knows them no more', () => {
    const lender = new Lender();
    for (const payload of ['a', 'b', 'c']) lender.inbox.send(payload);
    const [first, second] = [lender.lend()!, lender.lend()!];
    lender.inbox.settle(first, 'received');
    const deadLetters = new DeadLetterQueue<unknown>(10, lender.clock, noTelemetry);
    lender.inbox.end(deadLetters);
    assert.deepEqual(
      deadLetters.list().map(({ message }) => message.payload),
      ['converted b', 'converted c'],
    );
    assert.equal(lender.inbox.settle(second, 'received'), false);
    assert.equal(lender.inbox.stats().depth, 0);
  });

  it('MBX-10: keeps books that balance, whatever is done to it', () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('send' as const),
        priority: fc.constantFrom(...MESSAGE_PRIORITIES),
        ttlMs: fc.constantFrom(undefined, 5, 50),
      }),
      fc.record({ do: fc.constantFrom('lend' as const, 'receive' as const, 'expire' as const, 'pass' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, isEnded) => {
        const lender = new Lender({ capacity: 6 });
        const lent: Message<string>[] = [];
        for (const one of steps) {
          if (one.do === 'send') ignoring(() => lender.inbox.send('x', { priority: one.priority, ttlMs: one.ttlMs }));
          if (one.do === 'lend') lent.push(...[lender.lend()].filter((message) => message !== undefined));
          if (one.do === 'receive' || one.do === 'expire') {
            const message = lent.shift();
            if (message !== undefined) lender.inbox.settle(message, one.do === 'receive' ? 'received' : 'expired');
          }
          if (one.do === 'pass') void lender.clock.advance(7);
          assert.ok(balances(lender.inbox.stats()));
        }
        if (isEnded) lender.inbox.end(new DeadLetterQueue<unknown>(10, lender.clock, noTelemetry));
        assert.ok(balances(lender.inbox.stats()));
        if (isEnded) assert.equal(lender.inbox.stats().depth, 0);
      }),
    );
  });
});

function balances(stats: MailboxStats): boolean {
  const { messagesSent, messagesReceived, messagesExpired, messagesDropped, messagesDeadLettered, depth } = stats;
  return messagesSent === messagesReceived + messagesExpired + messagesDropped + messagesDeadLettered + depth;
}

function ignoring(send: () => unknown): void {
  try {
    send();
  } catch (error) {
    assert.ok(isVigilError(error, 'MailboxFull'));
  }
}
