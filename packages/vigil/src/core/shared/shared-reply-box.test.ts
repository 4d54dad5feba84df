import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SystemClock } from '../clock.js';
import type { ReplyListener } from '../reply-port.js';
import { MAX_PARTICIPANTS } from './layout.js';
import { SharedReplyBox } from './shared-reply-box.js';

const clock = new SystemClock();

class Replies implements ReplyListener {
  readonly isAwaited = true;
  readonly all: (readonly [string, unknown])[] = [];

  replied(correlationId: string, payload: unknown): void {
    this.all.push([correlationId, payload]);
  }
}

/** The side of a thread. */
function attached(box: SharedReplyBox, id: number): SharedReplyBox {
  return new SharedReplyBox({ clock, thread: { id, startedBy: 0, sleep: () => assert.fail() } }, box.memory);
}

function drained(box: SharedReplyBox): Replies['all'] {
  const replies = new Replies();
  box.drain(replies);
  return replies.all;
}

describe('SharedReplyBox', () => {
  it('hands over each reply with its id, in the order of their coming', () => {
    const box = new SharedReplyBox({ clock });
    const there = attached(box, 1);
    const payloads = ['text', 'ж', undefined, 7, { a: [1] }, new Map([[1, 2]]), new Uint8Array([3]), 'x'.repeat(5000)];
    for (const [index, payload] of payloads.entries()) assert.ok(there.post(`call-a.${index}`, payload));
    assert.deepEqual(
      drained(box),
      payloads.map((payload, index) => [`call-a.${index}`, payload]),
    );
  });

  it('says what has to go another way, and keeps nothing of it', () => {
    const box = new SharedReplyBox({ clock });
    const there = attached(box, 1);
    class Order {
      readonly amount = 1;
    }
    for (const payload of [() => {}, new Order(), new SharedArrayBuffer(1), 'x'.repeat(100_000), box])
      assert.ok(!there.post('call-a.1', payload));
    for (const id of ['ж', 'x'.repeat(100)]) assert.ok(!there.post(id, 'reply'));
    assert.deepEqual(drained(box), []);
  });

  it('has another way while it is full, and when its owner is gone', () => {
    const box = new SharedReplyBox({ clock });
    const there = attached(box, 1);
    let posted = 0;
    while (there.post('call-a.1', posted)) posted += 1;
    assert.equal(drained(box).length, posted);
    assert.ok(there.post('call-a.1', 'next'));
    box.close();
    assert.ok(there.isClosed);
    assert.ok(!there.post('call-a.1', 'none'));
  });

  it('takes as many threads as come, when those that are gone are buried', () => {
    const box = new SharedReplyBox({ clock });
    for (let id = 1; id < 2 * MAX_PARTICIPANTS; id += 1) {
      assert.ok(attached(box, id).post('call-a.1', id));
      box.bury(id);
    }
    assert.equal(drained(box).length, 2 * MAX_PARTICIPANTS - 1);
  });
});
