import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError } from '../../core/index.js';
import { completeCommandOptions } from './command-options.js';
import { CommandRunner } from './command-runner.js';

describe('the options of a command', () => {
  it('have defaults', () => {
    const { readyWhen, ...rest } = completeCommandOptions('ls', [], {});
    assert.equal(readyWhen, undefined);
    assert.deepEqual(rest, {
      program: 'ls',
      args: [],
      cwd: undefined,
      env: {},
      uid: undefined,
      gid: undefined,
      stdin: 'none',
      stopSignal: 'SIGTERM',
      normalExitCodes: [0],
      logOutput: { stdout: 'info', stderr: 'warn' },
    });
  });

  it('are copied, so that later changes are not seen', () => {
    const args = ['-l'];
    const normalExitCodes = [0, 1];
    const env: Record<string, string> = { A: '1' };
    const complete = completeCommandOptions('ls', args, { normalExitCodes, env });
    args.push('-a');
    normalExitCodes.push(2);
    env['A'] = '2';
    assert.deepEqual([complete.args, complete.normalExitCodes, complete.env], [['-l'], [0, 1], { A: '1' }]);
  });

  const bad: readonly (readonly [string, unknown])[] = [
    ['command options', null],
    ['cwd', { cwd: '' }],
    ['cwd', { cwd: 'a\0b' }],
    ['env', { env: [] }],
    ['env', { env: { 'A=B': 'x' } }],
    ['env.A', { env: { A: 1 } }],
    ['env.A', { env: { A: 'a\0b' } }],
    ['uid', { uid: -1 }],
    ['uid', { uid: 2 ** 31 }],
    ['gid', { gid: 1.5 }],
    ['stdin', { stdin: 'json' }],
    ['stopSignal', { stopSignal: 'TERM' }],
    ['stopSignal', { stopSignal: 'toString' }],
    ['normalExitCodes', { normalExitCodes: 0 }],
    ['normalExitCodes', { normalExitCodes: [256] }],
    ['readyWhen', { readyWhen: '' }],
    ['readyWhen', { readyWhen: {} }],
    ['readyWhen', { readyWhen: 5 }],
    ['readyWhen.delayMs', { readyWhen: { delayMs: -1 } }],
    ['readyWhen.port', { readyWhen: { port: 0 } }],
    ['readyWhen.port', { readyWhen: { port: 65_536 } }],
    ['readyWhen.host', { readyWhen: { port: 80, host: '' } }],
    ['logOutput', { logOutput: 'info' }],
    ['logOutput.stdout', { logOutput: { stdout: 'verbose' } }],
    ['logOutput.stderr', { logOutput: { stderr: 1 } }],
  ];
  for (const [option, options] of bad) {
    it(`are refused by name: ${option} of ${JSON.stringify(options)}`, () => {
      // @ts-expect-error what JavaScript could pass
      assert.throws(() => new CommandRunner('ls', [], options), refusalOf(option));
    });
  }

  it('come with a program and its arguments, which are checked, too', () => {
    assert.throws(() => new CommandRunner(''), refusalOf('program'));
    assert.throws(() => new CommandRunner('a\0b'), refusalOf('program'));
    // @ts-expect-error what JavaScript could pass
    assert.throws(() => new CommandRunner('ls', '-l'), refusalOf('args'));
    // @ts-expect-error what JavaScript could pass
    assert.throws(() => new CommandRunner('ls', ['-l', 5]), refusalOf('args[1]'));
  });

  it('decide how the command becomes ready', () => {
    assert.equal(new CommandRunner('ls').readiness, 'immediate');
    assert.equal(new CommandRunner('ls', [], { readyWhen: 'up' }).readiness, 'explicit');
  });
});

describe('readyWhen', () => {
  const matcherOf = (readyWhen: string | RegExp) => {
    const complete = completeCommandOptions('ls', [], { readyWhen }).readyWhen;
    assert.ok(complete?.kind === 'line');
    return (line: string) => complete.matches(line);
  };

  it('as a text is found anywhere in a line', () => {
    const matches = matcherOf('is up');
    assert.deepEqual([matches('it is up now'), matches('it was up')], [true, false]);
  });

  for (const flags of ['', 'g', 'y', 'gy']) {
    it(`as an expression looks at each line from its beginning, with the flags "${flags}"`, () => {
      const expression = new RegExp('up', flags);
      expression.lastIndex = 2;
      const matches = matcherOf(expression);
      assert.deepEqual([matches('up'), matches('up'), matches('up')], [true, true, true]);
      assert.equal(expression.lastIndex, 2);
    });
  }
});

function refusalOf(option: string): (error: unknown) => boolean {
  return (error) => isVigilError(error, 'InvalidConfiguration') && error.message.startsWith(`${option} must be`);
}
