import assert, { AssertionError } from 'node:assert';
import { describe, it } from 'node:test';
import type { ExpectedMessage } from './expectations.js';
import { drainInbox, expectMessage, expectSignal, fillInbox } from './expectations.js';
import { TestContext } from './test-context.js';

const context = new TestContext();

/** The same message in a mock inbox and in a real one. */
function inboxes() {
  const message = context.runtime
    .msg<unknown>({ order: 1 })
    .from('shop')
    .priority('high')
    .signal('alert')
    .ttl(5_000)
    .withCorrelation('c-1')
    .replyTo('desk')
    .build();
  return [context.mockInbox('jobs'), context.runtime.inboxBuilder().name('jobs').build()].map((inbox) => {
    inbox.sendMessage(message);
    return inbox;
  });
}

const failure = (check: () => unknown): AssertionError => {
  try {
    check();
  } catch (error) {
    if (error instanceof AssertionError) return error;
    throw error;
  }
  return assert.fail('it did not fail');
};

describe('expectMessage', () => {
  it('OBS-06: takes a message of which every given field is as expected', () => {
    const whole: ExpectedMessage = {
      payload: { order: 1 },
      sender: 'shop',
      priority: 'high',
      signal: 'alert',
      ttlMs: 5_000,
      correlationId: 'c-1',
      replyTo: 'desk',
    };
    for (const expected of [whole, { priority: 'high' }, {}] satisfies ExpectedMessage[]) {
      for (const inbox of inboxes()) {
        assert.deepEqual(expectMessage(inbox, expected).payload, { order: 1 });
        assert.deepEqual(drainInbox(inbox), []);
      }
    }
  });

  it('OBS-06: names the first field that differs, and leaves the message where it is', () => {
    const wrong = {
      payload: { order: 2 },
      sender: 'x',
      priority: 'low',
      signal: undefined,
      ttlMs: 1,
      correlationId: 'c',
      replyTo: undefined,
    } as const;
    for (const [field, value] of Object.entries(wrong)) {
      for (const inbox of inboxes()) {
        const { message, actual, expected, operator, stack } = failure(() =>
          expectMessage(inbox, { [field]: value, ...(field !== 'replyTo' && { replyTo: 'nobody' }) }),
        );
        assert.equal(message, `the ${field} of the next message in inbox "jobs" is not as expected`);
        assert.deepEqual([expected, operator], [value, 'expectMessage']);
        assert.notDeepEqual(actual, value);
        assert.doesNotMatch(stack ?? '', /expectations\.js/);
        assert.equal(drainInbox(inbox).length, 1);
      }
    }
  });

  it('OBS-06: fails on an empty inbox', () => {
    for (const inbox of [context.mockInbox('none'), context.runtime.inboxBuilder().name('none').build()]) {
      assert.equal(failure(() => expectMessage(inbox, { payload: 1 })).message, 'inbox "none" has no message');
    }
  });
});

describe('expectSignal', () => {
  it('OBS-06: takes a message with the signal, and no other', () => {
    for (const inbox of inboxes()) {
      assert.equal(
        failure(() => expectSignal(inbox, 'healthCheck')).message,
        'the signal of the next message in inbox "jobs" is not as expected',
      );
      assert.equal(expectSignal(inbox, 'alert').sender, 'shop');
      assert.equal(failure(() => expectSignal(inbox, 'alert')).message, 'inbox "jobs" has no message');
    }
  });
});

describe('fillInbox and drainInbox', () => {
  it('fill an inbox to the brim, or with so many, and empty it in the order of delivery', () => {
    const inbox = context.runtime.inboxBuilder<number>().capacity(5).build();
    assert.equal(
      fillInbox(inbox, 2, (index) => index * 10),
      2,
    );
    assert.equal(fillInbox(inbox), 3);
    assert.equal(fillInbox(inbox), 0);
    assert.deepEqual(
      drainInbox(inbox).map(({ payload }) => payload),
      [0, 10, 0, 1, 2],
    );
    inbox.close();
    assert.deepEqual([fillInbox(inbox), drainInbox(inbox)], [0, []]);
  });
});
