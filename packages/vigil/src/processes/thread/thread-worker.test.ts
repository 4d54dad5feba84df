import assert from 'node:assert/strict';
import { afterEach, describe } from 'node:test';
import { runtime } from '../../app/index.js';
import { isVigilError, KILLED, nextTurn } from '../../core/index.js';
import { eventually } from '../os/programs.suite.js';
import { descendantsButGuards } from '../remote/arena.suite.js';
import { deedModule } from '../remote/deeds.suite.js';
import { Outpost } from '../remote/outpost.suite.js';
import { thread, type ThreadOptions } from './thread-runner.js';
import { it } from '../remote/patient-it.suite.js';

const saying = (expression: string) => `export default async (ctx) => { ctx.whereis('observer').send(${expression}); await ctx.stopped; }`;

describe('a thread', () => {
  let outpost: Outpost | undefined;

  const send = async (source: string, options?: ThreadOptions): Promise<Outpost> => {
    outpost = new Outpost(thread(new URL(`data:text/javascript,${encodeURIComponent(source)}`), options));
    await outpost.start();
    return outpost;
  };

  afterEach(async () => {
    await outpost?.end();
    outpost = undefined;
  });

  it('has the environment and the options of Node that it is told', async () => {
    const post = await send(saying('[process.env.MINE, process.env.HOME, process.execArgv]'), {
      env: { MINE: 'yes' },
      execArgv: ['--no-warnings'],
    });
    assert.deepEqual(await post.heard(), ['yes', process.env['HOME'], ['--no-warnings']]);
  });

  it('has a copy of the environment here, which it cannot change', async () => {
    const post = await send(saying('[process.env.HOME, (process.env.FROM_THREAD = "x")]'));
    assert.deepEqual(await post.heard(), [process.env['HOME'], 'x']);
    assert.equal(process.env['FROM_THREAD'], undefined);
  });

  it('fails to start, and says so, when Node does not know an option', async () => {
    outpost = new Outpost(thread(new URL('data:text/javascript,'), { execArgv: ['--no-such-option'] }));
    await assert.rejects(
      outpost.start(),
      (error) => isVigilError(error, 'ProcessStartFailed') && /no-such-option/.test(String(error.cause)),
    );
  });

  it('is in the vitals of its child', async () => {
    const post = await send(saying('(await import("node:worker_threads")).threadId'));
    const threadId = await post.heard();
    assert.equal(post.supervisor.getChildInfo('envoy')?.vitals?.threadId, threadId);
  });

  it('that waits for a program, blocked, is gone when the program has ended, and not before', async () => {
    const post = (outpost = new Outpost(thread(deedModule('waits_for_program')), { shutdownTimeoutMs: 'brutal_kill' }));
    const ref = await post.start();
    assert.equal(await post.heard(), 'entered');
    await eventually(() => descendantsButGuards().length === 1);
    const before = post.runtime.clock.now();
    await post.supervisor.terminateChild('envoy');
    assert.equal(ref.isAlive(), false);
    assert.deepEqual(post.ends, [KILLED]);
    assert.ok(post.runtime.clock.now() - before > 500);
  });

  it('is called by its own incarnation when its programs are ended, also where a spare was booted for another one', async () => {
    const warnings: string[] = [];
    const here = runtime({ log: { debug() {}, info() {}, error() {}, warn: (text) => warnings.push(text) } });
    const observer = here.inbox();
    here.registry.register('observer', observer);
    const source = `
      import { spawn } from 'node:child_process';
      export default async (ctx) => {
        if (ctx.incarnation === 2) spawn('sleep', ['1000'], { stdio: 'ignore' });
        ctx.whereis('observer').send(ctx.incarnation);
        await ctx.inbox.recv();
        throw new Error('told to');
      };`;
    const runner = thread(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { spares: 1 });
    const supervisor = here.supervisor().maxRestarts(10).child('it', runner).build();
    await supervisor.start();
    for (let incarnation = 1; incarnation <= 2; incarnation += 1) {
      assert.equal((await observer.recv()).payload, incarnation);
      // Now its spare is booted.
      await nextTurn();
      supervisor.address('it').send('go');
    }
    assert.equal((await observer.recv()).payload, 3);
    await supervisor.stop();
    assert.match(warnings.join(), /^thread "it" \(incarnation 2\) ends before program \d+ /);
  });
});
