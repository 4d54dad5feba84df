import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { afterEach, describe } from 'node:test';
import { promisify } from 'node:util';
import { isVigilError, Message } from '../../core/index.js';
import type { ChildOptions } from '../../supervision/index.js';
import { fork } from '../fork/fork-runner.js';
import type { ProcessRef } from '../runner.js';
import { thread } from '../thread/thread-runner.js';
import { Outpost } from './outpost.suite.js';
import { it } from './patient-it.suite.js';

const run = promisify(execFile);
const kinds = { thread, fork };

describe('code elsewhere that does what it should not', () => {
  let outpost: Outpost | undefined;

  const send = async (kind: 'thread' | 'fork', source: string, options?: ChildOptions): Promise<ProcessRef> => {
    outpost = new Outpost(kinds[kind](moduleOf(source)), options);
    return outpost.start();
  };

  afterEach(async () => {
    await outpost?.end();
    outpost = undefined;
  });

  it('harms nobody by a message that only looks like one of the protocol', async () => {
    const ref = await send('fork', "process.send({ vigil: { is: 'request', call: 1 } }); say('sent'); await ctx.stopped;");
    assert.equal(await outpost?.heard(), 'sent');
    assert.equal(ref.isAlive(), true);
  });

  it('ends by what it writes into the pipe for calls', async () => {
    for (const bytes of ['Buffer.alloc(64, 255)', 'Buffer.from([4, 0, 0, 0, 1, 2, 3, 4])']) {
      const ref = await send('fork', `(await import('node:fs')).writeSync(4, ${bytes}); await ctx.stopped;`);
      const reason = await outpost?.ended(ref);
      assert.ok(reason?.kind === 'crashed' && isVigilError(reason.error, 'AbnormalExit'), JSON.stringify(reason));
      await outpost?.end();
    }
  });

  it('ends by what it says on a port that it has no business with', async () => {
    const ref = await send('thread', "(await import('node:worker_threads')).workerData.port.postMessage(null); await ctx.stopped;");
    assert.equal((await outpost?.ended(ref))?.kind, 'crashed');
  });

  for (const kind of ['thread', 'fork'] as const) {
    it(`gives its messages ids that no other message has: ${kind}`, async () => {
      await send(kind, "for (let n = 0; n < 3; n += 1) say('x'); await ctx.stopped;");
      const ids: string[] = [];
      while (ids.length < 3) ids.push((await outpost!.observer.recv()).id);
      assert.equal(new Set(ids).size, 3);
      // A message that is made here has one number, one that is made there has the number of its process before it.
      assert.ok(
        ids.every((id) => /^m-\d+\.\d+$/.test(id)),
        ids.join(),
      );
    });

    it(`loses none of two messages that a user has given one id: ${kind}`, async () => {
      const ref = await send(
        kind,
        "say('entered'); while (ctx.inbox.stats().depth < 2); await new Promise(setImmediate); say((await ctx.inbox.recv()).payload); process.exit(3);",
      );
      await outpost?.heardThat('entered');
      const payloads = ['low one', 'critical one'];
      ref.sendMessage(new Message('same', undefined, payloads[0], undefined, 'low'));
      ref.sendMessage(new Message('same', undefined, payloads[1], undefined, 'critical'));
      const taken = await outpost?.heard();
      await outpost?.ended(ref);
      const left = outpost?.runtime.deadLetters.list().map(({ message }) => message.payload);
      assert.deepEqual(
        left,
        payloads.filter((payload) => payload !== taken),
      );
    });

    it(`does not receive what has expired while its loop stood still: ${kind}`, async () => {
      const spin = 'const end = performance.now() + 400; while (performance.now() < end);';
      const ref = await send(kind, `say('entered'); ${spin} say((await ctx.inbox.recv()).payload); await ctx.stopped;`);
      await outpost?.heardThat('entered');
      ref.send('short', { ttlMs: 50 });
      ref.send('long');
      await outpost?.heardThat('long');
      assert.equal(ref.stats().messagesExpired, 1);
    });

    it(`is given no ref and no inbox that would arrive as an empty shell: ${kind}`, async () => {
      outpost = new Outpost(kinds[kind](moduleOf('await ctx.stopped;')));
      const ref = await outpost.start();
      const { observer, supervisor } = outpost;
      assert.throws(
        () => ref.send({ replyTo: observer }),
        (error) => isVigilError(error, 'InvalidMessage') && /\.replyTo is a ref or an inbox/.test(error.message),
      );
      const spec = { id: 'second', startFn: kinds[kind](moduleOf('')), args: { jobs: [observer] } };
      await assert.rejects(supervisor.startChild(spec), (error) => {
        return isVigilError(error, 'ProcessStartFailed') && isVigilError(error.cause, 'InvalidConfiguration');
      });
    });
  }
});

describe('a fork of a program that was given to Node on its command line', () => {
  it('runs its module and not that program again, and prints all that it prints', async () => {
    const index = new URL('../../index.js', import.meta.url).href;
    const module = moduleOf("for (let n = 0; n < 20_000; n += 1) console.log('line ' + n);").href;
    const program = `
      import * as vigil from ${JSON.stringify(index)};
      console.log('program');
      const supervisor = vigil.supervisor().child('it', vigil.fork(${JSON.stringify(module)}), { restartType: 'temporary' }).build();
      await supervisor.start();
      await supervisor.getChildInfo('it')?.ref?.monitor().down;
      await supervisor.stop();`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { maxBuffer: 2 ** 24 });
    const lines = stdout.trim().split('\n');
    assert.equal(lines.filter((line) => line === 'program').length, 1);
    assert.equal(lines.filter((line) => line.startsWith('line ')).length, 20_000);
  });
});

function moduleOf(source: string): URL {
  const text = `export default async (ctx) => { const say = (text) => ctx.whereis('observer').send(text); ${source} };`;
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}
