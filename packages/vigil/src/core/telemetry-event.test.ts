import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isTelemetryEventType, noTelemetry } from './telemetry-event.js';

describe('isTelemetryEventType', () => {
  it('knows the names of events', () => {
    for (const name of ['process_started', 'message_expired', 'supervisor_restart']) assert.equal(isTelemetryEventType(name), true);
  });

  it('takes nothing else for one', () => {
    for (const other of ['process_begun', 'toString', '__proto__', '', 1, null, undefined])
      assert.equal(isTelemetryEventType(other), false);
  });
});

describe('noTelemetry', () => {
  it('wants nothing', () => {
    assert.equal(noTelemetry.wants('message_sent'), false);
  });
});
