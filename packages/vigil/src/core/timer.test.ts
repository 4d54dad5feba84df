import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../testing/index.js';
import { DeadLetterQueue } from './dead-letter-queue.js';
import { RecordingEnvironment } from './environment.suite.js';
import { isVigilError } from './errors.js';
import { LocalInbox } from './local-inbox.js';
import { MailboxSettings } from './process-mailbox.js';
import { noTelemetry } from './telemetry-event.js';
import { Timer } from './timer.js';

function scene() {
  const clock = new VirtualClock();
  const environment = new RecordingEnvironment(clock);
  const deadLetters = new DeadLetterQueue<unknown>(10, clock, noTelemetry);
  const timer = new Timer({ clock, log: environment.log, deadLetters, nextMessageId: () => 'm-1' });
  const calls: string[] = [];
  const note = (name: string) => () => void calls.push(`${name} at ${clock.now()}`);
  const inboxOf = (capacity: number) => new LocalInbox<string>('jobs', new MailboxSettings({ capacity }), environment);
  return { clock, timer, calls, note, deadLetters, errors: environment.errors, inboxOf };
}

describe('Timer', () => {
  it('TMR-01: calls back by deadline, then in the order of making, never early and never at once', async () => {
    const { clock, timer, calls, note } = scene();
    timer.setTimeout(10, note('b'));
    timer.setTimeout(5, note('a'));
    timer.setTimeout(10, note('c'));
    timer.setTimeout(0, note('now'));
    assert.deepEqual(calls, []);
    await clock.advance(9);
    assert.deepEqual(calls, ['now at 0', 'a at 5']);
    await clock.advance(1);
    assert.deepEqual(calls.slice(2), ['b at 10', 'c at 10']);
  });

  it('TMR-02: can be cancelled once, also when it is due in the same turn', async () => {
    const { clock, timer, calls, note } = scene();
    let cancelLate: () => boolean = assert.fail;
    timer.setTimeout(5, () => calls.push(`cancels: ${cancelLate()}`));
    cancelLate = timer.setTimeout(5, note('cancelled'));
    const fired = timer.setTimeout(1, note('fired'));
    const cancel = timer.setTimeout(3, note('cancelled'));
    assert.deepEqual([cancel(), cancel()], [true, false]);
    await clock.advance(10);
    assert.deepEqual(calls, ['fired at 1', 'cancels: true']);
    assert.ok(!fired());
  });

  it('TMR-03: repeats without drift until it is cancelled, from within its own callback as well', async () => {
    const { clock, timer, calls } = scene();
    const cancel = timer.setInterval(4, () => {
      calls.push(`at ${clock.now()}`);
      if (clock.now() === 12) cancel();
    });
    await clock.advance(40);
    assert.deepEqual(calls, ['at 4', 'at 8', 'at 12']);
    assert.ok(!cancel());
  });

  it('TMR-03: makes one call of what was missed, and goes on in step', () => {
    const { timer, calls, clock } = scene();
    // An event loop that stands still whenever it likes.
    let nowMs = 0;
    let next: { readonly dueMs: number; readonly callback: () => void } | undefined;
    const stalling = Object.assign(clock, {
      now: () => nowMs,
      after: (delayMs: number, callback: () => void) => {
        next = { dueMs: nowMs + delayMs, callback };
        return () => true;
      },
    });
    const goOnAt = (ms: number) => {
      nowMs = ms;
      next?.callback();
      calls.push(`${ms}, then ${next?.dueMs}`);
    };
    timer.setInterval(10, () => calls.push('called'));
    assert.equal(stalling.now(), 0);
    goOnAt(35);
    goOnAt(40);
    assert.deepEqual(calls, ['called', '35, then 40', 'called', '40, then 50']);
  });

  it('TMR-03: refuses what is no period', () => {
    const { timer, note } = scene();
    for (const periodMs of [0, -1, Number.NaN, Infinity]) {
      assert.throws(
        () => timer.setInterval(periodMs, note('never')),
        (error) => isVigilError(error, 'InvalidInterval'),
      );
    }
    assert.equal(timer.snapshot().pending, 0);
  });

  it('TMR-06: sends once and later, and not when it is cancelled', async () => {
    const { clock, timer, inboxOf } = scene();
    const inbox = inboxOf(10);
    timer.sendAfter(5, inbox, 'sent', { priority: 'high' });
    timer.sendAfter(5, inbox, 'cancelled')();
    await clock.advance(4);
    assert.equal(inbox.tryRecv(), undefined);
    await clock.advance(1);
    const message = inbox.tryRecv();
    assert.deepEqual([message?.payload, message?.priority, inbox.tryRecv()], ['sent', 'high', undefined]);
  });

  it('TMR-06: has a dead letter where the target is full or gone at that time', async () => {
    const { clock, timer, deadLetters, errors, inboxOf } = scene();
    const full = inboxOf(1);
    full.send('first');
    const gone = inboxOf(1);
    timer.sendAfter(1, full, 'to the full one');
    timer.sendAfter(2, gone, 'to the one that is gone');
    gone.close();
    await clock.advance(2);
    assert.deepEqual(
      deadLetters.list().map(({ message, reason, mailbox }) => [message.payload, reason, mailbox]),
      [
        ['to the full one', 'mailbox_full', 'jobs'],
        ['to the one that is gone', 'inbox_closed', 'jobs'],
      ],
    );
    assert.deepEqual(errors, []);
  });

  it('TMR-07: waits 30 days', async () => {
    const { clock, timer, calls, note } = scene();
    const delayMs = 30 * 24 * 3_600_000;
    timer.setTimeout(delayMs, note('month'));
    await clock.advance(delayMs - 1);
    assert.deepEqual(calls, []);
    await clock.advance(1);
    assert.equal(calls.length, 1);
  });

  it('TMR-10: tells how many wait, have fired and were cancelled', async () => {
    const { clock, timer, note } = scene();
    timer.setTimeout(1, note('a'));
    timer.setInterval(2, note('b'));
    timer.setTimeout(9, note('c'))();
    await clock.advance(4);
    assert.deepEqual(timer.snapshot(), { pending: 1, fired: 3, cancelled: 1 });
    timer.cancel();
    assert.deepEqual(timer.snapshot(), { pending: 0, fired: 3, cancelled: 2 });
    await clock.advance(10);
    assert.equal(timer.snapshot().fired, 3);
  });

  it('logs what a callback throws, and goes on', async () => {
    const { clock, timer, calls, note, errors } = scene();
    timer.setInterval(1, () => {
      throw new Error('scripted');
    });
    timer.setTimeout(2, note('other'));
    await clock.advance(2);
    assert.deepEqual([calls, errors.length], [['other at 2'], 2]);
  });
});
