import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ExitReason, isVigilError, type VigilError } from '../../core/index.js';
import type { ProgramEnd } from '../os/program.js';
import { reasonOf } from './program-exit.js';

const rules = { program: 'ffmpeg', stopSignal: 'SIGTERM', normalExitCodes: [0] } as const;

function end(how: number | NodeJS.Signals, stderrTail: readonly string[] = []): ProgramEnd {
  return typeof how === 'number' ? { exitCode: how, signal: undefined, stderrTail } : { exitCode: undefined, signal: how, stderrTail };
}

function reason(how: number | NodeJS.Signals, isAsked: boolean, other: Partial<Parameters<typeof reasonOf>[2]> = {}): ExitReason {
  return reasonOf(end(how), isAsked, { ...rules, ...other }, 'command "it"');
}

function errorOf(exit: ExitReason): VigilError {
  assert.ok(exit.kind === 'crashed' && isVigilError(exit.error, 'AbnormalExit'));
  return exit.error;
}

describe('a program that ended by itself', () => {
  it('is normal with a code that is', () => {
    assert.deepEqual(reason(0, false), { kind: 'normal' });
    assert.deepEqual(reason(7, false, { normalExitCodes: [7] }), { kind: 'normal' });
  });

  it('has crashed with any other code, and with any signal', () => {
    for (const how of [1, 143, 'SIGTERM', 'SIGKILL'] as const) assert.equal(reason(how, false).kind, 'crashed');
    assert.equal(reason(0, false, { normalExitCodes: [7] }).kind, 'crashed');
  });
});

describe('a program that was asked to stop', () => {
  it('has obeyed when the signal ended it, also that of a shell, or when its code is 0 or normal', () => {
    for (const how of ['SIGTERM', 143, 0] as const) assert.deepEqual(reason(how, true), { kind: 'shutdown' });
    assert.deepEqual(reason('SIGINT', true, { stopSignal: 'SIGINT' }), { kind: 'shutdown' });
    assert.deepEqual(reason(130, true, { stopSignal: 'SIGINT' }), { kind: 'shutdown' });
    assert.deepEqual(reason(7, true, { normalExitCodes: [7] }), { kind: 'shutdown' });
    assert.deepEqual(reason(0, true, { normalExitCodes: [7] }), { kind: 'shutdown' });
  });

  it('has crashed when it ends in another way', () => {
    for (const how of ['SIGKILL', 'SIGSEGV', 1, 130] as const) assert.equal(reason(how, true).kind, 'crashed');
  });
});

describe('the error of a crash', () => {
  it('says who, what, how, and what it last wrote to stderr', () => {
    const exit = reasonOf(end(3, ['first', 'no such codec', ' ']), false, rules, 'command "it"');
    const { message, details } = errorOf(exit);
    assert.equal(message, 'command "it": "ffmpeg" exited with code 3; it last wrote to stderr: no such codec');
    assert.deepEqual(details, { program: 'ffmpeg', exitCode: 3, signal: undefined, stderr: ['first', 'no such codec', ' '] });
  });

  it('names the signal', () => {
    const { message, details } = errorOf(reason('SIGSEGV', false));
    assert.equal(message, 'command "it": "ffmpeg" was ended by SIGSEGV');
    assert.deepEqual([details['exitCode'], details['signal']], [undefined, 'SIGSEGV']);
  });
});
