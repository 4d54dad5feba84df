import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError, type TelemetryEventType } from '../core/index.js';
import { EventTimeline } from './event-timeline.js';
import { TelemetryEmitter } from './telemetry.js';

const time = { wallTime: () => 7 };

function scene(options?: ConstructorParameters<typeof EventTimeline>[1]) {
  const emitter = new TelemetryEmitter(time);
  const timeline = new EventTimeline(emitter, options);
  const shown = () => timeline.entries().map(({ sequence, event }) => `${sequence} ${event.eventType}`);
  return { emitter, timeline, shown };
}

describe('an event timeline', () => {
  it('OBS-03: keeps the last events, the oldest first, with their numbers, and knows how many there were', () => {
    const { emitter, timeline, shown } = scene({ capacity: 3 });
    assert.deepEqual([shown(), timeline.total], [[], 0]);
    emitter.report('circuit_half_open', { circuit: 'api' });
    emitter.report('circuit_closed', { circuit: 'api' });
    assert.deepEqual(shown(), ['1 circuit_half_open', '2 circuit_closed']);
    for (let count = 0; count < 3; count += 1) emitter.report('supervisor_child_added', { supervisor: 's', id: `${count}` });
    assert.deepEqual([shown(), timeline.total], [['3 supervisor_child_added', '4 supervisor_child_added', '5 supervisor_child_added'], 5]);
    assert.deepEqual(timeline.entries()[2]?.event, {
      eventType: 'supervisor_child_added',
      timestampMs: 7,
      metadata: { supervisor: 's', id: '2' },
    });
  });

  it('keeps what it is told to, by default everything but the traffic of messages', () => {
    const message = { mailbox: 'm', messageId: 'm-1', priority: 'normal' } as const;
    for (const [eventTypes, expected] of [
      [undefined, ['1 message_dropped']],
      [['message_sent'], ['1 message_sent']],
    ] as const) {
      const { emitter, shown } = scene({ eventTypes });
      for (const eventType of ['message_sent', 'message_received', 'message_dropped'] as const) emitter.report(eventType, message);
      assert.deepEqual(shown(), expected);
    }
  });

  it('listens no more once it was stopped', () => {
    const { emitter, timeline, shown } = scene();
    emitter.report('circuit_closed', { circuit: 'api' });
    timeline[Symbol.dispose]();
    emitter.report('circuit_closed', { circuit: 'api' });
    assert.deepEqual([shown(), timeline.total, emitter.wants('circuit_closed')], [['1 circuit_closed'], 1, false]);
  });

  it('OBS-03: refuses a capacity of nothing, and what are no event types', () => {
    const wrong: TelemetryEventType[] = JSON.parse('["noise"]');
    for (const options of [{ capacity: 0 }, { capacity: 1.5 }, { eventTypes: wrong }]) {
      assert.throws(
        () => scene(options),
        (error) => isVigilError(error, 'InvalidConfiguration'),
      );
    }
  });
});
