import assert from 'node:assert/strict';
import { getPriority } from 'node:os';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Environment, type Logger, isVigilError, SystemClock, type VigilError } from '../../core/index.js';
import { runtime } from '../../app/index.js';
import { readProcessFigures } from './process-figures.js';
import { Program, type ProgramEnd, type ProgramOptions } from './program.js';
import { descendants, eventually, runs } from './programs.suite.js';

class Subject {
  readonly lines: string[] = [];
  readonly ended: Promise<ProgramEnd>;
  readonly failed: Promise<VigilError>;
  readonly program: Program;
  calls = 0;
  readonly #whenSaid = new Map<string, () => void>();

  constructor(options: Partial<ProgramOptions>, environment: Environment) {
    let end!: (end: ProgramEnd) => void;
    let fail!: (error: VigilError) => void;
    this.ended = new Promise((resolve) => (end = resolve));
    this.failed = new Promise((resolve) => (fail = resolve));
    const count = () => {
      this.calls += 1;
    };
    this.program = new Program(
      { who: 'program "it"', file: 'sh', args: [], stdio: ['ignore', 'pipe', 'pipe'], priority: 'normal', ...options },
      environment,
      {
        ended: (ended) => {
          count();
          end(ended);
        },
        failed: (error) => {
          count();
          fail(error);
        },
        line: (stream, text) => {
          this.lines.push(`${stream} ${text}`);
          this.#whenSaid.get(text)?.();
        },
      },
    );
  }

  get pid(): number {
    return this.program.pid!;
  }

  /** Resolves when it writes this line. */
  said(line: string): Promise<void> {
    return new Promise((resolve) => this.#whenSaid.set(line, resolve));
  }
}

describe('a program', { timeout: 100_000 }, () => {
  let subjects: Subject[];
  let warnings: { readonly message: string; readonly details: unknown }[];
  let watched: Set<number>;
  let environment: Environment;
  let release: () => boolean;

  const start = (options: Partial<ProgramOptions>): Subject => {
    const subject = new Subject(options, environment);
    subjects.push(subject);
    return subject;
  };
  const shell = (code: string, options?: Partial<ProgramOptions>): Subject => start({ args: ['-c', code], ...options });

  /** Starts a program from a process of its own, which tells what becomes of it. */
  const startElsewhere = (before: string, options: string, after = ''): Subject => {
    const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const code = `
      import { openSync } from 'node:fs';
      import { Program } from ${url('program.js')};
      import { runtime } from ${url('../../app/index.js')};
      const log = { debug() {}, info() {}, error: (text) => console.log(text), warn: (text) => console.log(text) };
      const { environment } = runtime({ log });
      ${before}
      const program = new Program({ who: 'program "it"', args: [], stdio: ['ignore', 'pipe', 'pipe'], ...${options} }, environment, {
        failed: (error) => console.log(error.message),
        ended: ({ exitCode }) => console.log('ended', exitCode),
      });
      ${after}`;
    return start({ file: process.execPath, args: ['--input-type=module', '-e', code] });
  };
  const asNobody = 'process.setuid(65534);';

  beforeEach(() => {
    subjects = [];
    warnings = [];
    watched = new Set();
    const warn: Logger['warn'] = (message, details) => warnings.push({ message, details });
    const watch = (group: number) => {
      watched.add(group);
      return () => watched.delete(group);
    };
    environment = { ...runtime({ log: { debug() {}, info() {}, error() {}, warn } }).environment, guard: { watch } };
    release = new SystemClock().keepAlive();
  });

  afterEach(async () => {
    for (const subject of subjects) {
      subject.program.kill();
      await Promise.race([subject.ended, subject.failed]);
      assert.equal(subject.calls, 1);
    }
    release();
    assert.deepEqual([...watched], []);
    assert.deepEqual(descendants(), []);
  });

  describe('whose standard error is passed on', () => {
    it('waits for a reader that is slow, and nothing piles up', async () => {
      let taken = 0;
      let most = 0;
      const passOn = new Writable({
        highWaterMark: 1024,
        write: (chunk: Buffer, _encoding, done) => {
          taken += chunk.length;
          most = Math.max(most, passOn.writableLength);
          environment.clock.soon(done);
        },
      });
      const subject = shell("head -c 20000000 /dev/zero | tr '\\0' 'x' >&2; echo end", { passOn });
      await subject.ended;
      // All of it has been read; what the reader has not taken yet is on its way to it.
      await eventually(() => passOn.writableLength === 0);
      assert.equal(taken, 20_000_000);
      assert.ok(most < 1_000_000, `${most} bytes waited`);
    });

    it('is not held up, and nobody is harmed, when its reader is gone', async () => {
      const passOn = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
      const subject = shell('for n in 1 2 3 4 5; do head -c 100000 /dev/zero >&2; done; exit 4', { passOn });
      assert.equal((await subject.ended).exitCode, 4);
    });
  });

  describe('that cannot be started says why', () => {
    const failures: readonly (readonly [string, Partial<ProgramOptions>, RegExp])[] = [
      ['a name that is not in the PATH', { file: 'no-such-program' }, /there is no program "no-such-program" in the PATH$/],
      ['a path where nothing is', { file: '/no/such/program' }, /there is no program "\/no\/such\/program"$/],
      ['a file that must not be executed', { file: '/etc/passwd' }, /"\/etc\/passwd" must not be executed$/],
      [
        'a directory that does not exist',
        { cwd: '/no/such/directory' },
        /its directory "\/no\/such\/directory" does not exist or is none$/,
      ],
      ['a file for a directory', { cwd: '/etc/passwd' }, /its directory "\/etc\/passwd" does not exist or is none$/],
      ['arguments that are too long', { args: ['x'.repeat(10_000_000)] }, /the arguments and the environment of "sh" are too long$/],
    ];
    for (const [name, options, text] of failures) {
      it(name, async () => {
        const subject = start(options);
        const error = await subject.failed;
        assert.ok(isVigilError(error, 'ProcessStartFailed'));
        assert.match(error.message, /^program "it" did not start: /);
        assert.match(error.message, text);
        assert.ok(error.cause instanceof Error);
        assert.equal(subject.program.pid, undefined);
      });
    }

    it('an identity that it must not have', { skip: process.getuid?.() !== 0 }, async () => {
      const subject = startElsewhere(asNobody, "{ file: 'true', uid: 1, gid: 2, priority: 'normal' }");
      await subject.ended;
      assert.deepEqual(subject.lines, ['stdout program "it" did not start: it must not run as uid 1 gid 2']);
    });
  });

  it('cannot be started without a file descriptor to spare, nor can its guard', async () => {
    const exhaust = "try { for (;;) openSync('/dev/null'); } catch {} environment.guard.watch(2 ** 22 + 1);";
    const subject = startElsewhere(exhaust, "{ file: 'true', priority: 'normal' }");
    assert.equal((await subject.ended).exitCode, 0);
    assert.match(subject.lines[0]!, /the guard process does not stay up/);
    assert.match(subject.lines[1]!, /^stdout program "it" did not start: spawn \w+ EMFILE$/);
  });

  it('does not keep Node alive, and is ended by the guard when Node ends', async () => {
    const subject = startElsewhere('', "{ file: 'sleep', args: ['1000'], priority: 'normal' }", 'console.log(program.pid);');
    assert.equal((await subject.ended).exitCode, 0);
    await eventually(() => !runs(Number(subject.lines[0]!.slice('stdout '.length))));
  });

  describe('ends', () => {
    it('with its exit code and the last lines of its standard error', async () => {
      const subject = shell('for i in $(seq 30); do echo "line $i" >&2; done; printf "no break" >&2; exit 3');
      const { exitCode, signal, stderrTail } = await subject.ended;
      assert.deepEqual([exitCode, signal], [3, undefined]);
      assert.deepEqual(stderrTail, [...Array.from({ length: 19 }, (_, index) => `line ${index + 12}`), 'no break']);
    });

    it('with lines of standard error that are cut at 1,000 characters', async () => {
      const { stderrTail } = await shell('head -c 5000 /dev/zero | tr "\\0" x >&2').ended;
      assert.deepEqual(stderrTail, ['x'.repeat(1000)]);
    });

    it('with the signal that ended it', async () => {
      const { exitCode, signal } = await shell('kill -KILL $$').ended;
      assert.deepEqual([exitCode, signal], [undefined, 'SIGKILL']);
    });

    it('when it is killed right after its start', async () => {
      const subject = shell('exec sleep 1000');
      subject.program.kill();
      assert.equal((await subject.ended).signal, 'SIGKILL');
    });

    it('with all that it wrote', async () => {
      const subject = shell('seq 20000; seq 20000 >&2');
      await subject.ended;
      assert.equal(subject.lines.length, 40_000);
      assert.ok(subject.lines.includes('stdout 20000') && subject.lines.includes('stderr 20000'));
    });

    it('with its whole group, the members included that ignore signals', async () => {
      const subject = shell('(trap "" TERM HUP INT; while :; do sleep 1000; done) & wait');
      await eventually(() => descendants(subject.pid).length >= 2);
      const members = descendants(subject.pid);
      subject.program.signal('SIGTERM');
      await subject.ended;
      assert.ok(members.length >= 2);
      assert.deepEqual(members.filter(runs), []);
    });

    it('with the members of its group that take their time to die', async () => {
      // The kernel takes back all that memory before the process has ended. No pipe tells of its end.
      const large = `${process.execPath} -e 'globalThis.large = Buffer.alloc(4e8, 1); setInterval(() => {}, 1000)' > /dev/null 2>&1`;
      const subject = shell(`${large} & wait`);
      const isLarge = (pid: number) => (readProcessFigures(pid)?.residentBytes ?? 0) > 4e8;
      await eventually(() => descendants(subject.pid).some(isLarge));
      const members = descendants(subject.pid);
      process.kill(subject.pid, 'SIGKILL');
      await subject.ended;
      assert.deepEqual([members.length, members.filter(runs)], [1, []]);
    });

    it('although who has left its group keeps its pipes open', async () => {
      const subject = shell("setsid sh -c 'echo $$; exec sleep 1000' & wait");
      await eventually(() => subject.lines.length > 0);
      const runaway = Number(subject.lines[0]!.slice('stdout '.length));
      subject.program.signal('SIGKILL');
      assert.equal((await subject.ended).signal, 'SIGKILL');
      assert.equal(runs(runaway), true);
      process.kill(runaway, 'SIGKILL');
      await eventually(() => !runs(runaway));
    });

    it('after the last message on its channel', async () => {
      const code = 'for (let i = 0; i < 499; i += 1) process.send(i); process.send(499, () => process.disconnect())';
      const subject = start({ file: process.execPath, args: ['-e', code], stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
      let messages = 0;
      subject.program.child?.on('message', () => (messages += 1));
      await subject.ended;
      assert.equal(messages, 500);
    });
  });

  it('is watched by the guard until its group is gone', async () => {
    const subject = shell('exec sleep 1000');
    assert.deepEqual([...watched], [subject.pid]);
    subject.program.kill();
    await subject.ended;
    assert.deepEqual([...watched], []);
  });

  it('can be suspended and resumed', async () => {
    const subject = shell('exec sleep 1000');
    subject.program.suspend();
    await eventually(() => subject.program.measure()?.state === 'T');
    subject.program.resume();
    await eventually(() => subject.program.measure()?.state === 'S');
  });

  it('hears that it should end, although it was suspended', async () => {
    // A shell that forks just then can miss a signal; while it reads it cannot.
    const subject = shell('trap "exit 7" TERM; echo ready; read -r line', { stdio: ['pipe', 'pipe', 'pipe'] });
    await subject.said('ready');
    subject.program.suspend();
    await eventually(() => subject.program.measure()?.state === 'T');
    subject.program.stop('SIGTERM');
    assert.equal((await subject.ended).exitCode, 7);
  });

  it('takes signals after its end without effect', async () => {
    const subject = shell(':');
    await subject.ended;
    subject.program.stop('SIGTERM');
    subject.program.suspend();
    subject.program.kill();
    assert.equal(subject.program.measure(), undefined);
  });

  it('is measured: its size, and the share of a processor that it took since it was last asked', async () => {
    const subject = shell('echo ready; while :; do :; done');
    await subject.said('ready');
    await eventually(() => (subject.program.measure()?.utilization ?? 0) > 0.2);
    const { residentBytes } = subject.program.measure()!;
    assert.ok(residentBytes > 100_000 && residentBytes < 100_000_000);
  });

  it('has the priority that it is given', async () => {
    const own = getPriority();
    assert.equal(getPriority(shell('exec sleep 1000', { priority: 'normal' }).pid), own);
    assert.equal(getPriority(shell('exec sleep 1000', { priority: 'batch' }).pid), 19);
    assert.equal(getPriority(shell('exec sleep 1000', { priority: 'low' }).pid), 10);
  });

  it('runs on, with one warning, when it cannot have its priority', { skip: process.getuid?.() !== 0 }, async () => {
    const subject = startElsewhere(asNobody, "{ file: 'true', priority: 'critical' }", 'program.keepAlive();');
    await subject.ended;
    assert.deepEqual(subject.lines, ['stdout program "it" does not have the priority \'critical\'', 'stdout ended 0']);
  });
});
