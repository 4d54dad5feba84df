import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { runtime } from 'vigiljs';
import { type Line, type Measurement, timed } from '../line.js';

/** What an event costs that nobody listens to. */
export const telemetryUnheard: Line = {
  name: 'telemetry, no listener',
  item: 'event',
  unit: 'ns',
  count: 20_000_000,
  contestants: [
    { name: 'Vigil: if (wants) report', measure: vigil },
    { name: 'Vigil: somebody listens to another event', isVariant: true, measure: vigilHeardElsewhere },
    { name: 'Vigil: one listener', isVariant: true, measure: vigilHeard },
    { name: 'node:diagnostics_channel: if (hasSubscribers) publish', measure: diagnosticsChannel },
    { name: 'node:events: emit', measure: eventEmitter },
  ],
};

async function vigil(count: number): Promise<Measurement> {
  return guardedEvents(count, runtime());
}

async function vigilHeardElsewhere(count: number): Promise<Measurement> {
  const listenedTo = runtime();
  listenedTo.telemetry.on('supervisor_stopped', () => {});
  return guardedEvents(count, listenedTo);
}

async function vigilHeard(count: number): Promise<Measurement> {
  const { telemetry } = runtime();
  let heard = 0;
  telemetry.on('message_sent', () => {
    heard += 1;
  });
  return timed(() => {
    for (let index = 0; index < count; index += 1) {
      if (telemetry.wants('message_sent'))
        telemetry.report('message_sent', { mailbox: 'orders', messageId: `m-${index}`, priority: 'normal' });
    }
    return heard;
  });
}

async function guardedEvents(count: number, { telemetry }: ReturnType<typeof runtime>): Promise<Measurement> {
  return timed(() => {
    let passed = 0;
    for (let index = 0; index < count; index += 1) {
      if (telemetry.wants('message_sent')) {
        telemetry.report('message_sent', { mailbox: 'orders', messageId: `m-${index}`, priority: 'normal' });
      } else passed += 1;
    }
    return passed;
  });
}

async function diagnosticsChannel(count: number): Promise<Measurement> {
  const sent = channel('vigil-bench:message_sent');
  return timed(() => {
    let passed = 0;
    for (let index = 0; index < count; index += 1) {
      if (sent.hasSubscribers) sent.publish({ mailbox: 'orders', messageId: `m-${index}`, priority: 'normal' });
      else passed += 1;
    }
    return passed;
  });
}

async function eventEmitter(count: number): Promise<Measurement> {
  const emitter = new EventEmitter();
  return timed(() => {
    let passed = 0;
    for (let index = 0; index < count; index += 1) {
      if (!emitter.emit('message_sent', { mailbox: 'orders', messageId: `m-${index}`, priority: 'normal' })) passed += 1;
    }
    return passed;
  });
}
