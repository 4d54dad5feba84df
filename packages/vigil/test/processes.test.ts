import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import * as vigil from 'vigiljs';

/** Says who and where it is, then squares what it is sent, until it is told to crash. */
const SQUARES = moduleWith(`
  import { threadId } from 'node:worker_threads';
  export default async (ctx) => {
    ctx.whereis('results').send({ id: ctx.id, incarnation: ctx.incarnation, args: ctx.args, pid: process.pid, threadId });
    for await (const { payload } of ctx.inbox) {
      if (payload === 'crash') throw Object.assign(new RangeError('told to crash', { cause: 'a message' }), { status: 503 });
      if (payload === 'exit') process.exit(3);
      ctx.whereis('results').send(payload ** 2);
    }
  };`);

const kinds = {
  thread: () => vigil.thread(SQUARES),
  'thread with a spare': () => vigil.thread(SQUARES, { spares: 1 }),
  fork: () => vigil.fork(SQUARES),
} as const;

interface Self {
  readonly id: string;
  readonly incarnation: number;
  readonly args: unknown;
  readonly pid: number;
  readonly threadId: number;
}

for (const [kind, runner] of Object.entries(kinds)) {
  describe(`a ${kind} as a child like any other`, { timeout: 60_000 }, () => {
    let app: vigil.App;
    let runtime: vigil.Runtime;
    let results: vigil.Inbox<Self & number>;
    let supervisor: vigil.SupervisorBuilder;

    const begin = async (options: vigil.ChildOptions = {}): Promise<vigil.Supervisor> => {
      runtime = vigil.runtime();
      results = runtime.inbox<Self & number>();
      runtime.registry.register('results', results);
      supervisor = runtime.supervisor().childPool('square', runner(), 2, { args: { base: 10 }, ...options });
      const built = supervisor.build();
      app = runtime.app({ log: false }).worker('pool', built);
      await app.start();
      return built;
    };

    const heard = async () => (await results.recv()).payload;

    afterEach(() => app.shutdown());

    it('works in a pool, each in a place of its own', async () => {
      const pool = await begin();
      const selves = [await heard(), await heard()];
      assert.deepEqual(new Set(selves.map(({ id }) => id)), new Set(['square_0', 'square_1']));
      for (const { incarnation, args } of selves) assert.deepEqual([incarnation, args], [1, { base: 10 }]);
      assert.equal(new Set(selves.map(({ pid, threadId }) => `${pid}/${threadId}`)).size, 2);
      pool.address('square_0').send(7);
      await pool.address('square_1').sendWait(8);
      assert.deepEqual(new Set([await heard(), await heard()]), new Set([49, 64]));
    });

    it('is restarted alone when it crashes, and its cause is kept whole', async () => {
      const pool = await begin();
      await Promise.all([heard(), heard()]);
      pool.address('square_0').send('crash');
      const successor = await heard();
      assert.deepEqual([successor.id, successor.incarnation], ['square_0', 2]);
      const { lastExit, incarnation, kind: shown } = pool.getChildInfo('square_0')!;
      assert.equal(shown, kind.split(' ')[0]);
      assert.equal(incarnation, 2);
      assert.ok(lastExit?.reason.kind === 'crashed');
      const { error } = lastExit.reason;
      assert.ok(error instanceof RangeError && 'status' in error && error.status === 503);
      assert.deepEqual([error.message, error.cause], ['told to crash', 'a message']);
      assert.equal(pool.getChildInfo('square_1')?.incarnation, 1);
    });

    it('is not restarted when it exits and is temporary, and the exit code is its cause', async () => {
      const pool = await begin({ restartType: 'temporary' });
      await Promise.all([heard(), heard()]);
      const { ref } = pool.getChildInfo('square_1')!;
      const { down } = ref!.monitor();
      ref!.send('exit');
      const { reason } = await down;
      assert.ok(reason.kind === 'crashed' && vigil.isVigilError(reason.error, 'AbnormalExit'));
      assert.equal(reason.error.details['exitCode'], 3);
      assert.throws(
        () => ref!.send(1),
        (error) => vigil.isVigilError(error, 'ProcessNotFound'),
      );
    });

    it('loses no message: what was unread is a dead letter that can be replayed to the successor', async () => {
      const pool = await begin();
      await Promise.all([heard(), heard()]);
      const address = pool.address('square_0');
      address.send('crash');
      for (let number = 1; number <= 50; number += 1) address.send(number);
      await heard();
      const letters = runtime.deadLetters.list();
      assert.equal(letters.length, 50);
      for (const { id } of letters) assert.equal(runtime.deadLetters.replay(id, address), 'replayed');
      const squares = new Set<unknown>();
      while (squares.size < 50) squares.add(await heard());
      assert.ok(squares.has(2500));
    });

    it('can be scaled, suspended and resumed', async () => {
      const pool = await begin();
      await Promise.all([heard(), heard()]);
      await pool.scaleWorkers('square', 3);
      assert.equal((await heard()).id, 'square_2');
      await pool.suspendChild('square_2');
      pool.address('square_2').send(5);
      await pool.resumeChild('square_2');
      assert.equal(await heard(), 25);
      await pool.scaleWorkers('square', 1);
      assert.deepEqual(
        pool.inspect().children.map(({ id }) => id),
        ['square_0'],
      );
    });

    it('holds back who sends to it, as its inbox options say', async () => {
      const backpressure = { strategy: 'drop_newest', highWatermark: 2 } as const;
      const pool = await begin({ inbox: { backpressure, rateLimit: { maxPerSecond: 0.001, burst: 3 } } });
      await Promise.all([heard(), heard()]);
      await pool.suspendChild('square_0');
      const address = pool.address('square_0');
      assert.deepEqual([address.send(2), address.send(3), address.send(4)], ['queued', 'queued', 'dropped']);
      await pool.resumeChild('square_0');
      assert.deepEqual([await heard(), await heard()], [4, 9]);
      assert.equal(address.send(5), 'queued');
      assert.throws(
        () => address.send(6),
        (error) => vigil.isVigilError(error, 'RateLimitExceeded'),
      );
      assert.equal(await heard(), 25);
    });

    it('shows what it is in the tree', async () => {
      const pool = await begin();
      await Promise.all([heard(), heard()]);
      const { vitals, kind: shown } = pool.getChildInfo('square_0')!;
      assert.equal(typeof (shown === 'thread' ? vitals?.threadId : vitals?.pid), 'number');
    });
  });
}

function moduleWith(source: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}
