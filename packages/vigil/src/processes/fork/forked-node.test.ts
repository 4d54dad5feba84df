import assert from 'node:assert/strict';
import { getPriority, tmpdir } from 'node:os';
import { afterEach, describe, test } from 'node:test';
import { isVigilError } from '../../core/index.js';
import type { ChildOptions } from '../../supervision/index.js';
import { crashWith, descendantsButGuards } from '../remote/arena.suite.js';
import { Outpost } from '../remote/outpost.suite.js';
import { eventually } from '../os/programs.suite.js';
import { fork, type ForkOptions } from './fork-runner.js';
import { it } from '../remote/patient-it.suite.js';

const MESSAGES = 20_000;
const PAYLOAD = 'x'.repeat(20 * 1024);
const MB = 1024 * 1024;

/** A body that first says what `expression` is. */
const saying = (expression: string) => `export default async (ctx) => { ctx.whereis('observer').send(${expression}); await ctx.stopped; }`;

describe('a fork', () => {
  let outpost: Outpost | undefined;

  const send = async (source: string, options?: ForkOptions, childOptions?: ChildOptions): Promise<Outpost> => {
    outpost = new Outpost(fork(new URL(`data:text/javascript,${encodeURIComponent(source)}`), options), childOptions);
    await outpost.start();
    return outpost;
  };

  afterEach(async () => {
    await outpost?.end();
    outpost = undefined;
  });

  it('runs where, with what environment, and with what options of Node it is told to', async () => {
    const source = saying(`[process.cwd(), process.env.MINE, process.env.HOME, process.env.PATH === undefined, process.execArgv]`);
    const post = await send(source, { cwd: tmpdir(), env: { MINE: 'yes', PATH: undefined }, execArgv: ['--no-warnings'] });
    assert.deepEqual(await post.heard(), [tmpdir(), 'yes', process.env['HOME'], true, ['--no-warnings']]);
  });

  it('inherits what it is not told', async () => {
    const post = await send(saying('[process.cwd(), process.execPath, process.getuid(), process.getgid()]'));
    assert.deepEqual(await post.heard(), [process.cwd(), process.execPath, process.getuid?.(), process.getgid?.()]);
  });

  test('runs as the user and group that it is told', { skip: process.getuid?.() !== 0, timeout: 60_000 }, async () => {
    const post = await send(saying('[process.getuid(), process.getgid()]'), { uid: 65_534, gid: 65_533, cwd: '/' });
    assert.deepEqual(await post.heard(), [65_534, 65_533]);
  });

  for (const [priority, niceness] of [
    ['low', 10],
    ['batch', 19],
    ['normal', getPriority()],
  ] as const) {
    it(`is as nice as its priority says: ${priority}`, async () => {
      const nice = "Number(readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ')[16])";
      const source = `import { readFileSync } from 'node:fs'; import { getPriority } from 'node:os'; ${saying(`[${nice}, getPriority()]`)}`;
      const post = await send(source, {}, { priority });
      assert.deepEqual(await post.heard(), [niceness, niceness]);
    });
  }

  it('leads a process group of its own, and has no standard input', async () => {
    const post = await send(
      saying(
        "[Number((await import('node:fs')).readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ')[2]) === process.pid, (await import('node:fs')).readFileSync(0).length]",
      ),
    );
    assert.deepEqual(await post.heard(), [true, 0]);
  });

  it('is not disturbed by what its code sends over its own channel', async () => {
    const source = `export default async (ctx) => {
      for (const own of [{ x: 1 }, 'text', null, 5, [], { vigil: undefined }]) process.send(own);
      for await (const { payload } of ctx.inbox) ctx.whereis('observer').send(payload);
    }`;
    const post = await send(source);
    post.supervisor.address('envoy').send('still there');
    assert.equal(await post.heard(), 'still there');
  });

  it('ends, by name, when its code cuts its channel', async () => {
    const post = await send('export default async (ctx) => { await ctx.inbox.recv(); process.disconnect(); await ctx.stopped; }');
    const ref = post.supervisor.getChildInfo('envoy')?.ref;
    assert.ok(ref);
    const ended = post.ended(ref);
    ref.send('go');
    crashWith('AbnormalExit', { signal: 'SIGKILL' })(await ended);
  });

  for (const [what, options] of [
    ['Node', { execPath: '/no/such/node' }],
    ['directory', { cwd: '/no/such/directory' }],
    ['option', { execArgv: ['--no-such-option'] }],
  ] as const) {
    it(`fails to start, and says so, when there is no such ${what}`, async () => {
      outpost = new Outpost(fork(new URL('data:text/javascript,'), options));
      await assert.rejects(outpost.start(), (error) => isVigilError(error, 'ProcessStartFailed') && /no[-/]such/.test(String(error.cause)));
    });
  }

  it('that is slow does not make this process grow: 400 MB in messages with sendWait', async () => {
    const source = `export default async (ctx) => {
      let count = 0;
      for await (const message of ctx.inbox) if (++count === ${MESSAGES}) ctx.whereis('observer').send(count);
    }`;
    const post = await send(source, {}, { inbox: { capacity: 100 } });
    const ref = post.supervisor.getChildInfo('envoy')?.ref;
    assert.ok(ref);
    const before = process.memoryUsage.rss();
    for (let number = 0; number < MESSAGES; number += 1) await ref.sendWait(PAYLOAD);
    assert.equal(await post.heard(), MESSAGES);
    assert.ok(process.memoryUsage.rss() - before < 200 * MB, `it grew by ${(process.memoryUsage.rss() - before) / MB} MB`);
  });

  it('takes no message more than are lent while it stands still, and this process keeps the rest in its books', async () => {
    const post = await send(
      'export default (ctx) => { ctx.whereis("observer").send("looping"); for (;;); }',
      {},
      { inbox: { capacity: 1000 }, shutdownTimeoutMs: 50 },
    );
    const ref = post.supervisor.getChildInfo('envoy')?.ref;
    assert.ok(ref);
    assert.equal(await post.heard(), 'looping');
    for (let number = 0; number < 1000; number += 1) ref.send(number);
    assert.throws(
      () => ref.send('one more'),
      (error) => isVigilError(error, 'MailboxFull'),
    );
    await post.supervisor.restartChild('envoy').catch(() => {});
    assert.equal(post.runtime.deadLetters.size, 1000);
  });

  it('uses another Node when its spare was killed', async () => {
    const source = `export default async (ctx) => {
      ctx.whereis('observer').send(process.pid);
      for await (const message of ctx.inbox) throw new Error('told to');
    }`;
    const runner = fork(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { spares: 1 });
    const post = (outpost = new Outpost(runner, { restartType: 'permanent', maxRestarts: 5 }));
    post.supervisor.exited.catch(() => {});
    await post.start();
    const first = Number(await post.heard());
    await eventually(() => descendantsButGuards().length === 2);
    const spare = descendantsButGuards().find((pid) => pid !== first);
    process.kill(Number(spare), 'SIGKILL');
    await eventually(() => descendantsButGuards().length === 1);
    await post.supervisor.restartChild('envoy');
    const second = Number(await post.heard());
    assert.ok(second !== first && second !== spare);
    await eventually(() => descendantsButGuards().length === 2);
    await post.supervisor.stop();
    // A spare has nobody who waits for its end.
    await eventually(() => descendantsButGuards().length === 0);
  });
});
