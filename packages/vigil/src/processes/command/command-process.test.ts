import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type ExitReason, isVigilError, nextTurn, type VigilError, type VigilErrorCode } from '../../core/index.js';
import { readProcessFigures } from '../os/process-figures.js';
import { descendants, eventually } from '../os/programs.suite.js';
import { type Subject, type SubjectOptions, Workbench } from '../workbench.suite.js';
import type { CommandOptions } from './command-options.js';
import { type CommandRunner, command } from './command-runner.js';

const READ_LINES = 'while read -r line; do printf "heard %s\\n" "$line"; done';

describe('a command', { timeout: 100_000 }, () => {
  let runner: CommandRunner;
  let bench: Workbench;

  const create = (its: CommandRunner, options: SubjectOptions = {}): Subject => {
    runner = its;
    return bench.create('returns', { id: 'it', readiness: its.readiness, ...options });
  };
  const start = (its: CommandRunner, options: SubjectOptions = {}): Subject => {
    const subject = create(its, options);
    subject.start();
    return subject;
  };
  const shell = (code: string, options?: CommandOptions, subjectOptions?: SubjectOptions): Subject =>
    start(command('sh', ['-c', code], options), subjectOptions);
  const lines = (level?: string): string[] =>
    bench.logged
      .filter((entry) => level === undefined || entry.level === level)
      .map(({ message }) => message.replace('command "it" (incarnation 1): ', ''));
  const said = (line: string): Promise<void> => eventually(() => lines().includes(line));

  beforeEach(() => {
    bench = new Workbench({ runner: () => runner, letGo() {}, quiet: async () => {} });
  });

  afterEach(async () => {
    await bench.clear();
    assert.deepEqual(bench.violations, []);
    assert.deepEqual(descendants(), []);
  });

  describe('that cannot be started', () => {
    const failures: readonly (readonly [string, CommandRunner])[] = [
      ['a program that does not exist', command('no-such-program')],
      ['a file that must not be executed', command('/etc/passwd')],
      ['a directory that does not exist', command('true', [], { cwd: '/no/such/directory' })],
    ];
    for (const [name, failing] of failures) {
      it(`is never ready, also with immediate readiness, and says why: ${name}`, async () => {
        const subject = start(failing);
        const reason = await subject.exited;
        assert.match(errorOf(reason, 'ProcessStartFailed').message, /^command "it" \(incarnation 1\) did not start: /);
        assert.deepEqual(subject.news, [reason]);
        assert.equal(subject.process.vitals(), undefined);
      });
    }

    it('ends with killed when it was killed meanwhile', async () => {
      const subject = start(command('no-such-program'));
      subject.process.kill();
      assert.deepEqual(await subject.exited, { kind: 'killed' });
    });

    it('fails with args that JSON cannot say', async () => {
      const subject = start(command('true'), { args: 5n });
      assert.match(errorOf(await subject.exited, 'ProcessStartFailed').message, /JSON cannot say its args$/);
    });
  });

  describe('runs', () => {
    it('in its directory, with its environment over that of this process', async () => {
      process.env['VIGIL_TEST_KEPT'] = 'kept';
      process.env['VIGIL_TEST_GONE'] = 'gone';
      const env = { VIGIL_TEST_GONE: undefined, VIGIL_TEST_NEW: 'new' };
      const subject = shell('echo "$PWD $VIGIL_TEST_KEPT-$VIGIL_TEST_GONE-$VIGIL_TEST_NEW"', { cwd: tmpdir(), env });
      await subject.exited;
      assert.deepEqual(lines(), [`${tmpdir()} kept--new`]);
    });

    it('as its user and group', { skip: process.getuid?.() !== 0 }, async () => {
      await shell('echo "$(id -u) $(id -g)"', { uid: 65_534, gid: 65_533 }).exited;
      assert.deepEqual(lines(), ['65534 65533']);
    });

    it('with its output in the log, where it was told to go', async () => {
      await shell('echo out; echo err >&2').exited;
      assert.deepEqual([lines('info'), lines('warn')], [['out'], ['err']]);
      assert.ok(bench.logged.every(({ message }) => message.startsWith('command "it" (incarnation 1): ')));
    });

    it('with as much of it in the log as was wanted', async () => {
      await shell('echo out; echo err >&2', { logOutput: { stdout: 'none', stderr: 'debug' } }).exited;
      assert.deepEqual(
        bench.logged.map(({ level }) => level),
        ['debug'],
      );
    });
  });

  describe('is ready', () => {
    for (const stream of ['1', '2']) {
      it(`when a line of its output says so, on stream ${stream}`, async () => {
        const subject = shell(`echo starting; echo "port 80 open" >&${stream}; exec sleep 1000`, { readyWhen: /port \d+ open/g });
        await subject.ready;
        assert.deepEqual(subject.news, ['ready']);
      });
    }

    it('when its port takes connections', async () => {
      const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      assert.ok(address !== null && typeof address === 'object');
      server.close();
      await once(server, 'close');
      const { port } = address;
      const listen = `require('node:net').createServer((socket) => socket.end()).listen(${port}, '127.0.0.1')`;
      const subject = start(command(process.execPath, ['-e', listen], { readyWhen: { port } }));
      assert.deepEqual(subject.news, []);
      await subject.ready;
    });

    it('when its time is up', async () => {
      const subject = shell('exec sleep 1000', { readyWhen: { delayMs: 20 } });
      assert.deepEqual(subject.news, []);
      await subject.ready;
    });

    for (const readyWhen of ['up', { port: 1 }, { delayMs: 10_000 }] as const) {
      it(`never, when it ends before: ${JSON.stringify(readyWhen)}`, async () => {
        const subject = shell('exit 3', { readyWhen });
        const reason = await subject.exited;
        assert.equal(errorOf(reason, 'AbnormalExit').details['exitCode'], 3);
        assert.deepEqual(subject.news, [reason]);
      });
    }

    it('never, when it was asked to stop before', async () => {
      const subject = start(endsOn('SIGTERM', { readyWhen: 'up' }));
      await said('entered');
      subject.stop();
      assert.deepEqual(await subject.exited, { kind: 'shutdown' });
      assert.ok(lines().includes('up'));
      assert.deepEqual(subject.news, [{ kind: 'shutdown' }]);
    });
  });

  describe('ends', () => {
    it('with AbnormalExit for another code, with the last lines of stderr', async () => {
      const { message, details } = errorOf(await shell('echo "no such codec" >&2; exit 3').exited, 'AbnormalExit');
      assert.equal(message, 'command "it" (incarnation 1): "sh" exited with code 3; it last wrote to stderr: no such codec');
      assert.deepEqual(details, { program: 'sh', exitCode: 3, signal: undefined, stderr: ['no such codec'] });
    });

    it('with normal for a code that is', async () => {
      assert.deepEqual(await shell('exit 3', { normalExitCodes: [3] }).exited, { kind: 'normal' });
    });

    it('with AbnormalExit for a signal from outside', async () => {
      assert.equal(errorOf(await shell('kill -KILL $$').exited, 'AbnormalExit').details['signal'], 'SIGKILL');
    });

    it('with shutdown when it obeys the stop signal, whichever that is', async () => {
      const subject = start(endsOn('SIGUSR2', { stopSignal: 'SIGUSR2' }));
      await said('entered');
      subject.stop();
      assert.deepEqual(await subject.exited, { kind: 'shutdown' });
    });

    it('with the reason of a kill only when it has not exited by itself before', async () => {
      const subject = shell('setsid sleep 1000 & echo $!; exit 3', { readyWhen: 'never' });
      const { pid } = subject.process.vitals()!;
      await eventually(() => lines().length > 0 && readProcessFigures(pid!) === undefined);
      // Its output is still waited for, because somebody else keeps the pipe open.
      subject.process.kill();
      assert.equal(errorOf(await subject.exited, 'AbnormalExit').details['exitCode'], 3);
      process.kill(Number(lines()[0]), 'SIGKILL');
    });
  });

  describe('on its standard input', () => {
    it('gets lines', async () => {
      const subject = shell(READ_LINES, { stdin: 'lines' });
      for (const line of ['a', 'b c', 'ü']) subject.process.ref.send(line);
      await said('heard ü');
      assert.deepEqual(lines(), ['heard a', 'heard b c', 'heard ü']);
      assert.equal(subject.process.ref.stats().messagesReceived, 3);
    });

    it('gets JSON, as it was when it was sent', async () => {
      const subject = shell(READ_LINES, { stdin: 'json-lines' });
      const order = { id: 1, text: 'a\nb' };
      subject.process.ref.send(order);
      order.id = 2;
      subject.process.ref.send([1, null]);
      await said('heard [1,null]');
      assert.deepEqual(lines(), ['heard {"id":1,"text":"a\\nb"}', 'heard [1,null]']);
    });

    it('gets bytes, as they were when they were sent', async () => {
      const subject = shell(READ_LINES, { stdin: 'bytes' });
      const bytes = Buffer.from('half ');
      subject.process.ref.send(bytes);
      bytes.fill(0);
      subject.process.ref.send('a line\n');
      await said('heard half a line');
    });

    const refused: readonly (readonly [NonNullable<CommandOptions['stdin']>, unknown])[] = [
      ['none', 'a'],
      ['lines', 'a\nb'],
      ['lines', 5],
      ['json-lines', undefined],
      ['json-lines', () => {}],
      ['json-lines', 5n],
      ['bytes', { a: 1 }],
    ];
    for (const [stdin, payload] of refused) {
      it(`cannot get what is not of its kind: ${stdin}, ${typeof payload}`, async () => {
        const { ref } = shell('exec sleep 1000', { stdin }).process;
        assert.throws(() => ref.send(payload), withCode('InvalidMessage'));
        await assert.rejects(ref.sendWait(payload), withCode('InvalidMessage'));
        assert.equal(ref.stats().depth, 0);
      });
    }

    it('lets its senders feel that it does not read, and gets everything in order when it does', async () => {
      const options = { stdin: 'lines', stopSignal: 'SIGCONT' } as const;
      const subject = shell('trap : USR1; read -r first; echo "heard $first"; sleep 1000 & wait; wc -l; exit 0', options, { capacity: 10 });
      const { ref } = subject.process;
      ref.send('first');
      await said('heard first');
      const line = 'x'.repeat(9_999);
      let sent = 0;
      await assert.rejects(async () => {
        for (;;) {
          await ref.sendWait(line, { timeoutMs: 100 });
          sent += 1;
        }
      }, withCode('DeliveryTimeout'));
      assert.throws(() => ref.send(line), withCode('MailboxFull'));
      assert.equal(ref.stats().depth, 10);
      assert.ok(sent < 200);
      const waiting = ref.sendWait('last');
      process.kill(subject.process.vitals()!.pid!, 'SIGUSR1');
      assert.equal(await waiting, 'queued');
      subject.stop();
      assert.deepEqual(await subject.exited, { kind: 'shutdown' });
      assert.equal(lines().at(-1)?.trim(), String(sent + 1));
      assert.deepEqual(bench.deadLetters(), []);
    });

    it('gets what is queued when it is asked to stop, then the end of its input, then the signal', async () => {
      const subject = shell(`trap 'echo asked' TERM; ${READ_LINES}; echo end; exit 0`, { stdin: 'lines' });
      const { ref } = subject.process;
      for (let index = 0; index < 40; index += 1) ref.send(`${index} ${'x'.repeat(10_000)}`);
      subject.stop();
      assert.deepEqual(await subject.exited, { kind: 'shutdown' });
      assert.equal(lines().filter((line) => line.startsWith('heard ')).length, 40);
      assert.ok(lines().includes('end'));
      assert.deepEqual(bench.deadLetters(), []);
    });

    it('leaves as dead letters what it has not read when it is killed', async () => {
      const subject = shell('echo entered; exec sleep 1000', { stdin: 'lines' }, { capacity: 50 });
      await said('entered');
      const { ref } = subject.process;
      const line = 'x'.repeat(99_999);
      assert.throws(() => {
        for (;;) ref.send(line);
      }, withCode('MailboxFull'));
      subject.process.kill();
      await subject.exited;
      const { messagesSent, messagesReceived, messagesDeadLettered } = ref.stats();
      assert.equal(messagesSent, messagesReceived + messagesDeadLettered);
      assert.equal(bench.deadLetters().length, messagesDeadLettered);
    });

    it('may close it: nothing breaks, what comes is kept until its end, and a stop does not wait for it', async () => {
      const subject = shell('exec 0<&-; echo entered; exec sleep 1000', { stdin: 'lines' });
      await said('entered');
      const { ref } = subject.process;
      ref.send('a');
      await eventually(() => ref.stats().depth === 1);
      ref.send('b');
      subject.stop();
      assert.deepEqual(await subject.exited, { kind: 'shutdown' });
      assert.deepEqual(bench.deadLetters(), ['a', 'b']);
    });
  });

  describe('is measured', () => {
    it('at its health check interval', async () => {
      const subject = shell('exec sleep 1000', {}, { settings: { healthCheckIntervalMs: 5 } });
      const { process: child } = subject;
      await eventually(() => child.vitals()!.utilization !== undefined);
      const { pid, memoryBytes, utilization } = child.vitals()!;
      assert.ok(memoryBytes! > 100_000);
      assert.deepEqual(descendants(), [pid]);
      assert.ok(utilization! >= 0 && utilization! <= 1);
      child.kill();
      await subject.exited;
      assert.equal(child.vitals(), undefined);
    });

    it('and ended with OutOfMemory when it takes more than it may, after a warning', async () => {
      const grow = 'const all = []; setInterval(() => all.push(Buffer.alloc(2 ** 20, 1)), 1)';
      const settings = { healthCheckIntervalMs: 5, maxMemoryBytes: 150 * 2 ** 20 };
      const subject = start(command(process.execPath, ['-e', grow]), { settings });
      const { message, details } = errorOf(await subject.exited, 'OutOfMemory');
      assert.match(message, /maxMemoryBytes is 157286400$/);
      assert.ok(Number(details['memoryBytes']) > 150 * 2 ** 20);
      assert.ok(subject.signals.includes('memoryWarning'));
    });
  });

  it('hears of a request to stop also when it does not read what is queued for it', async () => {
    const code = "process.on('SIGTERM', () => process.exit(0)); console.log('ready'); setInterval(() => {}, 1000)";
    const subject = start(command(process.execPath, ['-e', code], { stdin: 'lines' }));
    await said('ready');
    for (let count = 0; count < 50; count += 1) subject.process.ref.send('x'.repeat(10_000));
    subject.stop();
    assert.deepEqual(await subject.exited, { kind: 'shutdown' });
  });

  it('gets the end of its input also when it reads on only after it was asked to stop', async () => {
    const read = "let size = 0; process.stdin.on('data', (data) => (size += data.length)).on('end', () => console.log('read ' + size))";
    const code = `process.on('SIGTERM', () => { ${read} }); console.log('ready'); setInterval(() => {}, 1000).unref()`;
    const hold = 'const hold = setInterval(() => {}, 1000); process.once("SIGTERM", () => clearInterval(hold));';
    const subject = start(command(process.execPath, ['-e', hold + code], { stdin: 'lines' }));
    await said('ready');
    for (let count = 0; count < 50; count += 1) subject.process.ref.send('x'.repeat(9_999));
    subject.stop();
    assert.deepEqual(await subject.exited, { kind: 'shutdown' });
    assert.ok(lines().includes('read 500000'));
    assert.deepEqual(bench.deadLetters(), []);
  });

  it('leaves no timer when it is killed while its input is waited for', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    const subject = start(command(process.execPath, ['-e', "console.log('ready'); setInterval(() => {}, 1000)"], { stdin: 'lines' }));
    await said('ready');
    const before = timers();
    for (let count = 0; count < 50; count += 1) subject.process.ref.send('x'.repeat(9_999));
    subject.stop();
    subject.process.kill();
    await subject.exited;
    assert.ok(timers() <= before, `${timers()} timers instead of ${before}`);
  });

  describe('that is suspended', () => {
    it('stands still until it is resumed', async () => {
      const subject = shell('exec sleep 1000');
      const state = () => readProcessFigures(subject.process.vitals()!.pid!)?.state;
      subject.process.suspend();
      await eventually(() => state() === 'T');
      subject.process.resume();
      await eventually(() => state() === 'S');
    });

    it('leaves its messages in its inbox', async () => {
      const subject = shell(READ_LINES, { stdin: 'lines' });
      const { ref } = subject.process;
      subject.process.suspend();
      ref.send('a');
      await nextTurn();
      assert.equal(ref.stats().depth, 1);
      subject.process.kill();
      await subject.exited;
      assert.deepEqual(bench.deadLetters(), ['a']);
    });

    it('is resumed when it is asked to stop, so that it can read what is queued', async () => {
      const subject = shell(READ_LINES, { stdin: 'lines', stopSignal: 'SIGCONT' });
      subject.process.suspend();
      for (let index = 0; index < 40; index += 1) subject.process.ref.send('x'.repeat(10_000));
      subject.stop();
      assert.deepEqual(await subject.exited, { kind: 'shutdown' });
      assert.equal(lines().length, 40);
    });
  });
});

/** Says `entered`, and with the signal says `up` and exits with code 0. */
function endsOn(signal: NodeJS.Signals, options: CommandOptions): CommandRunner {
  const code = `
    process.on('${signal}', () => { console.log('up'); process.exit(0) });
    setInterval(() => {}, 1000);
    console.log('entered')`;
  return command(process.execPath, ['-e', code], options);
}

function errorOf(reason: ExitReason, code: VigilErrorCode): VigilError {
  assert.ok(reason.kind === 'crashed' && isVigilError(reason.error, code), JSON.stringify(reason));
  return reason.error;
}

function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
