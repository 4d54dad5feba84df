import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Cancel, type Logger, silentLogger, type TelemetryEvent, type TelemetryEventType, wantedBits } from '../core/index.js';
import { TelemetryEmitter } from './telemetry.js';

describe('TelemetryEmitter', () => {
  it('OBS-01: calls the handlers of an event type, in the order of their registration, before emit returns', () => {
    const emitter = new TelemetryEmitter();
    const calls: string[] = [];
    emitter.on('message_sent', () => calls.push('first'));
    emitter.on('message_received', () => calls.push('of another type'));
    emitter.on('message_sent', () => calls.push('second'));
    emitter.emit(messageSent());
    assert.deepEqual(calls, ['first', 'second']);
  });

  it('OBS-01: calls each handler as often as it was registered, in a model of any history', () => {
    const types = ['message_sent', 'message_received', 'message_expired'] as const;
    const type = fc.constantFrom(...types);
    const step = fc.oneof(
      fc.record({ do: fc.constant('on' as const), type, handler: fc.nat(3) }),
      fc.record({ do: fc.constant('cancel' as const), registration: fc.nat(9) }),
      fc.record({ do: fc.constant('remove' as const), type }),
      fc.record({ do: fc.constant('enable' as const), isEnabled: fc.boolean() }),
      fc.record({ do: fc.constant('emit' as const), type }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (history) => {
        const emitter = new TelemetryEmitter();
        const calls: string[] = [];
        const expected: string[] = [];
        const model = new Map<TelemetryEventType, (readonly [number])[]>(types.map((known) => [known, []]));
        const registrations: (() => void)[] = [];
        let isEnabled = true;
        for (const act of history) {
          switch (act.do) {
            case 'on': {
              const entry = [act.handler] as const;
              const cancel = emitter.on(act.type, ({ eventType }) => calls.push(`${eventType}:${act.handler}`));
              model.get(act.type)!.push(entry);
              registrations.push(() => {
                const entries = model.get(act.type)!;
                assert.equal(cancel(), entries.includes(entry));
                model.set(
                  act.type,
                  entries.filter((other) => other !== entry),
                );
              });
              break;
            }
            case 'cancel':
              registrations[act.registration]?.();
              break;
            case 'remove':
              emitter.removeHandlers(act.type);
              model.set(act.type, []);
              break;
            case 'enable':
              emitter.setEnabled(act.isEnabled);
              isEnabled = act.isEnabled;
              break;
            case 'emit':
              assert.equal(emitter.wants(act.type), isEnabled && model.get(act.type)!.length > 0);
              emitter.emit({ ...messageSent(), eventType: act.type });
              if (isEnabled) expected.push(...model.get(act.type)!.map(([handler]) => `${act.type}:${handler}`));
              break;
          }
        }
        assert.deepEqual(calls, expected);
      }),
    );
  });

  it('OBS-01: hands the event on as it was emitted', () => {
    const emitter = new TelemetryEmitter();
    const seen: TelemetryEvent[] = [];
    emitter.on('message_sent', (event) => seen.push(event));
    const event = messageSent();
    emitter.emit(event);
    assert.equal(seen[0], event);
  });

  it('OBS-01: drops every event while it is disabled, and keeps the handlers', () => {
    const emitter = new TelemetryEmitter();
    let calls = 0;
    emitter.on('message_sent', () => (calls += 1));
    emitter.setEnabled(false);
    emitter.emit(messageSent());
    emitter.report('message_sent', messageSent().metadata);
    assert.equal(emitter.wants('message_sent'), false);
    assert.equal(calls, 0);
    emitter.setEnabled(true);
    emitter.emit(messageSent());
    assert.equal(calls, 1);
  });

  it('OBS-01: still calls those who listened when the event was emitted, though one of them removes them all', () => {
    const emitter = new TelemetryEmitter();
    const calls: string[] = [];
    emitter.on('message_sent', () => {
      calls.push('first');
      emitter.removeHandlers('message_sent');
    });
    emitter.on('message_sent', () => calls.push('second'));
    emitter.emit(messageSent());
    emitter.emit(messageSent());
    assert.deepEqual(calls, ['first', 'second']);
  });

  it('OBS-01: takes back one registration of a handler, once, and leaves its others', () => {
    const emitter = new TelemetryEmitter();
    let calls = 0;
    const handler = () => (calls += 1);
    const cancel = emitter.on('message_sent', handler);
    emitter.on('message_sent', handler);
    assert.deepEqual([cancel(), cancel()], [true, false]);
    emitter.emit(messageSent());
    assert.equal(calls, 1);
  });

  it('OBS-01: wants nothing any more when the last registration was taken back', () => {
    const emitter = new TelemetryEmitter();
    const cancel = emitter.on('message_sent', fail);
    cancel();
    assert.deepEqual([emitter.wants('message_sent'), wantedBits(emitter.wantedEvents)], [false, 0]);
  });

  it('OBS-01: still calls a handler that is taken back while the event is emitted, and not for the next', () => {
    const emitter = new TelemetryEmitter();
    let calls = 0;
    let cancel: Cancel = () => assert.fail('it is registered by then');
    emitter.on('message_sent', () => cancel());
    cancel = emitter.on('message_sent', () => (calls += 1));
    emitter.emit(messageSent());
    emitter.emit(messageSent());
    assert.equal(calls, 1);
  });

  it('OBS-01: calls a handler that was registered by a handler from the next event on', () => {
    const emitter = new TelemetryEmitter();
    let calls = 0;
    emitter.on('message_sent', () => emitter.on('message_sent', () => (calls += 1)));
    emitter.emit(messageSent());
    assert.equal(calls, 0);
    emitter.emit(messageSent());
    assert.equal(calls, 1);
  });

  it('OBS-01: takes events that a handler emits, inside the one it is handling', () => {
    const emitter = new TelemetryEmitter();
    const calls: string[] = [];
    emitter.on('message_sent', () => {
      emitter.report('message_received', messageSent().metadata);
      calls.push('sent');
    });
    emitter.on('message_received', () => calls.push('received'));
    emitter.emit(messageSent());
    assert.deepEqual(calls, ['received', 'sent']);
  });

  it('OBS-02: reports a handler that throws, and calls the others', () => {
    const errors: [string, unknown][] = [];
    const log: Logger = { ...silentLogger, error: (message, details) => errors.push([message, details]) };
    const emitter = new TelemetryEmitter(undefined, log);
    const boom = new Error('boom');
    let calls = 0;
    emitter.on('message_sent', () => {
      throw boom;
    });
    emitter.on('message_sent', () => (calls += 1));
    emitter.emit(messageSent());
    assert.equal(calls, 1);
    assert.deepEqual(errors, [['a telemetry handler of message_sent failed', boom]]);
  });

  it('OBS-02: harms nobody when the log throws, too', () => {
    const emitter = new TelemetryEmitter(undefined, { debug: fail, info: fail, warn: fail, error: fail });
    emitter.on('message_sent', fail);
    assert.doesNotThrow(() => emitter.emit(messageSent()));
  });

  it('stamps what is reported to it with the wall-clock time', () => {
    const emitter = new TelemetryEmitter({ wallTime: () => 1234 });
    const seen: TelemetryEvent[] = [];
    emitter.on('message_discarded', (event) => seen.push(event));
    emitter.report('message_discarded', { mailbox: 'box', count: 2 });
    assert.deepEqual(seen, [{ eventType: 'message_discarded', timestampMs: 1234, metadata: { mailbox: 'box', count: 2 } }]);
  });
});

function fail(): never {
  throw new Error('boom');
}

function messageSent(): TelemetryEvent<'message_sent'> {
  return { eventType: 'message_sent', timestampMs: 0, metadata: { mailbox: 'box', messageId: 'm-1', priority: 'normal' } };
}
