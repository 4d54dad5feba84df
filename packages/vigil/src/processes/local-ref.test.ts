import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LocalInbox, MailboxSettings, noTelemetry, silentLogger, SystemClock, VigilError } from '../core/index.js';
import { LocalRef } from './local-ref.js';

describe('LocalRef', () => {
  it('shows id and incarnation as text', () => {
    const environment = { clock: new SystemClock(), telemetry: noTelemetry, log: silentLogger, nextMessageId: () => 1 };
    const ref = new LocalRef({
      settings: { id: 'worker' },
      incarnation: 3,
      kind: 'task',
      isAlive: true,
      inbox: new LocalInbox('worker', new MailboxSettings(), environment),
      onExit: () => () => false,
      addLink: () => false,
      removeLink: () => false,
      exitSignal() {},
      notFound: () => new VigilError('ProcessNotFound', 'gone'),
    });
    assert.equal(String(ref), '<worker#3>');
  });
});
