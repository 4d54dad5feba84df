import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { isVigilError, type Logger, silentLogger, type VigilErrorCode } from '../core/index.js';
import type { ProcessContext } from '../processes/index.js';
import { VirtualClock } from '../testing/index.js';
import { Runtime } from './runtime.js';

describe('App', () => {
  it('VIG-07: starts its workers in order and stops them in the opposite order', async () => {
    const trace: string[] = [];
    const body = async (ctx: ProcessContext) => {
      trace.push(`+${ctx.id}`);
      await ctx.stopped;
      trace.push(`-${ctx.id}`);
    };
    const app = quietRuntime().app().worker('service', body).workerPool('handlers', body, 2);
    assert.deepEqual(trace, []);
    await app.start();
    assert.deepEqual(trace, ['+service', '+handlers_0', '+handlers_1']);
    await app.shutdown();
    assert.deepEqual(trace.slice(3), ['-handlers_1', '-handlers_0', '-service']);
  });

  it('VIG-07: supervises: a worker that crashes is restarted', async () => {
    const clock = new VirtualClock();
    let starts = 0;
    const app = new Runtime({ clock }).app({ log: false }).worker('flaky', async (ctx) => {
      starts += 1;
      if (starts === 1) throw new Error('boom');
      await ctx.stopped;
    });
    await app.start();
    await clock.advance(0);
    assert.equal(starts, 2);
    assert.equal(app.inspect().totalRestarts, 1);
  });

  it('gives its tree what it was told', async () => {
    const clock = new VirtualClock();
    const crashes: string[] = [];
    const app = new Runtime({ clock }).app({ name: 'shop', strategy: 'one_for_all', onCrash: (id) => void crashes.push(id), log: false });
    app.worker('a', () => Promise.reject(new Error('boom')), { restartType: 'temporary' });
    await app.start();
    await clock.advance(0);
    const { name, strategy } = app.inspect();
    assert.deepEqual([name, strategy, crashes], ['shop', 'one_for_all', ['a']]);
    assert.equal(app.root.inspect().name, 'shop');
    assert.equal(quietRuntime().app().inspect().name, 'app');
  });

  it('takes workers as statements, too, with options, and none for a pool of 0', async () => {
    const app = quietRuntime().app();
    app.worker('a', idle, { restartType: 'transient' });
    app.workerPool('w', idle, 0);
    app.workerPool('p', idle, 1, { args: 5 });
    await app.start();
    assert.deepEqual(
      app.inspect().children.map(({ id, restartType }) => [id, restartType]),
      [
        ['a', 'transient'],
        ['p_0', 'permanent'],
      ],
    );
    assert.equal((await app.root.getChildSpec('p_0')).args, 5);
  });

  it('adds nothing when a worker or one of a pool is refused', async () => {
    const app = quietRuntime().app().worker('w_1', idle);
    assert.throws(() => app.worker('w_1', idle), isError('AlreadyMonitoring'));
    assert.throws(() => app.workerPool('w', idle, 3), isError('AlreadyMonitoring'));
    assert.throws(() => app.worker('bad', idle, { shutdownTimeoutMs: -1 }), isError('InvalidConfiguration'));
    await app.worker('bad', idle).workerPool('w', idle, 1).start();
    assert.deepEqual(
      app.inspect().children.map(({ id }) => id),
      ['w_1', 'bad', 'w_0'],
    );
  });

  describe('VIG-07: start', () => {
    it('is refused the second time, and the app runs on', async () => {
      const runtime = quietRuntime();
      const app = runtime.app().worker('a', idle);
      await app.start();
      await assert.rejects(app.start(), isError('ProcessAlreadyRunning'));
      assert.equal(app.inspect().activeChildren, 1);
      assert.equal((await runtime.shutdownAll()).completed, 1);
      assert.equal(app.inspect().state, 'stopped');
    });

    it('is refused while another one is under way', async () => {
      const app = quietRuntime().app().worker('a', idle);
      const results = await Promise.allSettled([app.start(), app.start()]);
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'rejected'],
      );
      assert.equal(app.inspect().state, 'running');
    });

    it('takes no more workers after it', async () => {
      const app = quietRuntime().app().worker('a', idle);
      await app.start();
      assert.throws(() => app.worker('b', idle), isError('InvalidState'));
      assert.throws(() => app.workerPool('w', idle, 1), isError('InvalidState'));
    });

    it('rejects when a worker does not start, and can be tried again', async () => {
      const runtime = quietRuntime();
      let isBroken = true;
      const app = runtime.app({ log: false }).worker(
        'a',
        async (ctx) => {
          if (isBroken) throw new Error('no port');
          ctx.ready();
          await ctx.stopped;
        },
        { readiness: 'explicit' },
      );
      await assert.rejects(app.start(), isError('ProcessStartFailed'));
      isBroken = false;
      await app.start();
      assert.equal(app.inspect().activeChildren, 1);
      assert.deepEqual(await runtime.shutdownAll(), { completed: 1, failures: [], unfinished: 0 });
    });

    it('is refused once the shutdown of the runtime has begun, and nothing was started', async () => {
      const runtime = quietRuntime();
      const app = runtime.app().worker('a', () => assert.fail('was started'));
      await runtime.shutdownAll();
      await assert.rejects(app.start(), isError('InvalidState'));
      assert.equal(app.inspect().state, 'idle');
    });
  });

  describe('VIG-07: shutdown', () => {
    it('stops once, however often and however concurrently it is called', async () => {
      let stops = 0;
      const app = quietRuntime()
        .app()
        .worker('a', async (ctx) => {
          await ctx.stopped;
          stops += 1;
        });
      await app.start();
      await Promise.all([app.shutdown(), app.shutdown()]);
      await app.shutdown();
      assert.equal(stops, 1);
    });

    it('may come first', async () => {
      await quietRuntime().app().worker('a', idle).shutdown();
    });

    it('wins over a start that is under way', async () => {
      const runtime = quietRuntime();
      const app = runtime.app({ log: false }).worker('slow', idle, { readiness: 'explicit' });
      const start = assert.rejects(app.start(), isError('InvalidState'));
      await app.shutdown();
      await start;
      assert.equal(app.inspect().state, 'stopped');
      assert.deepEqual(await runtime.shutdownAll(), { completed: 0, failures: [], unfinished: 0 });
    });

    for (const [name, wasStarted] of [
      ['an app that ran', true],
      ['an app that was never started', false],
    ] as const) {
      it(`makes every use of ${name} an InvalidState`, async () => {
        const app = quietRuntime().app().worker('a', idle);
        if (wasStarted) await app.start();
        await app.shutdown();
        assert.throws(() => app.worker('b', idle), isError('InvalidState'));
        assert.throws(() => app.workerPool('w', idle, 2), isError('InvalidState'));
        await assert.rejects(app.start(), isError('InvalidState'));
      });
    }

    it('is what `await using` does', async () => {
      const app = quietRuntime().app().worker('a', idle);
      await app.start();
      await app[Symbol.asyncDispose]();
      assert.equal(app.inspect().state, 'stopped');
    });
  });

  describe('exited', () => {
    it('settles with shutdown after a shutdown', async () => {
      const app = quietRuntime().app().worker('a', idle);
      await app.start();
      await app.shutdown();
      assert.deepEqual(await app.exited, { kind: 'shutdown' });
    });

    it('settles with the cause when the tree gives up', async () => {
      const app = quietRuntime()
        .appWithPreset('testing', { log: false })
        .worker('a', () => Promise.reject(new Error('boom')));
      await app.start();
      const reason = await app.exited;
      assert.ok(reason.kind === 'shutdown' && isVigilError(reason.info, 'TooManyRestarts'));
    });
  });

  describe('among the shutdown hooks of its runtime', () => {
    it('is stopped in its place, the order of the starts', async () => {
      const runtime = quietRuntime();
      const trace: string[] = [];
      const stopping = (ctx: ProcessContext) => ctx.stopped.then(() => void trace.push(ctx.id));
      const late = runtime.app().worker('late', stopping);
      runtime.onShutdown(() => void trace.push('first hook'));
      await runtime.app().worker('early', stopping).start();
      runtime.onShutdown(() => void trace.push('second hook'));
      await late.start();
      await runtime.shutdownAll();
      assert.deepEqual(trace, ['late', 'second hook', 'early', 'first hook']);
    });

    it('is no more once it was shut down', async () => {
      const runtime = quietRuntime();
      const app = runtime.app().worker('a', idle);
      await app.start();
      await app.shutdown();
      assert.equal((await runtime.shutdownAll()).completed, 0);
    });

    it('is no more once its tree has ended by itself', async () => {
      const runtime = quietRuntime();
      const app = runtime.appWithPreset('testing', { log: false }).worker('a', () => Promise.reject(new Error('boom')));
      await app.start();
      await app.exited;
      assert.equal((await runtime.shutdownAll()).completed, 0);
    });

    it('is waited for when its shutdown is under way already', async () => {
      const clock = new VirtualClock();
      const runtime = new Runtime({ clock });
      const app = runtime.app({ log: false }).worker('slow', (ctx) => ctx.stopped.then(() => passing(clock, 50)));
      await app.start();
      const shutdowns = Promise.all([app.shutdown(), runtime.shutdownAll()]);
      await clock.advance(49);
      assert.equal(app.inspect().state, 'stopping');
      await clock.advance(1);
      assert.equal((await shutdowns)[1].completed, 1);
    });
  });

  describe('log', () => {
    it('is console when the runtime has none', async (test) => {
      const error = test.mock.method(console, 'error', () => {});
      await crashOnce(new Runtime(), undefined);
      assert.match(String(error.mock.calls[0]?.arguments[0]), /child "a" of "app" \(incarnation 1\) crashed: Error: boom/);
    });

    it("is the runtime's", async (test) => {
      const error = test.mock.method(console, 'error', () => {});
      const log = recordingLog();
      await crashOnce(new Runtime({ log }), undefined);
      assert.deepEqual([log.error.mock.callCount(), error.mock.callCount()], [1, 0]);
    });

    it('is the one that it was given', async () => {
      const [runtimes, apps] = [recordingLog(), recordingLog()];
      await crashOnce(new Runtime({ log: runtimes }), apps);
      assert.deepEqual([apps.error.mock.callCount(), runtimes.error.mock.callCount()], [1, 0]);
    });

    it('is nowhere with `false`', async (test) => {
      const error = test.mock.method(console, 'error', () => {});
      const log = recordingLog();
      await crashOnce(new Runtime({ log }), false);
      await crashOnce(new Runtime(), false);
      assert.deepEqual([log.error.mock.callCount(), error.mock.callCount()], [0, 0]);
    });

    it("is its workers' log", async () => {
      const log = recordingLog();
      const app = quietRuntime()
        .app({ log })
        .worker('a', async (ctx) => {
          ctx.log.info('hello', 1);
          await ctx.stopped;
        });
      await app.start();
      assert.deepEqual(log.info.mock.calls[0]?.arguments, ['hello', 1]);
    });

    it('can throw without harm', async () => {
      await crashOnce(new Runtime(), { debug: fail, info: fail, warn: fail, error: fail });
    });
  });
});

/** Runs an app whose worker crashes once and for all, and ends it. */
async function crashOnce(runtime: Runtime, log: Logger | false | undefined): Promise<void> {
  let hasCrashed: (() => void) | undefined;
  const crash = new Promise<void>((resolve) => {
    hasCrashed = resolve;
  });
  const app = runtime.app({ log, onCrash: () => hasCrashed?.() });
  app.worker('a', () => Promise.reject(new Error('boom')), { restartType: 'temporary' });
  await app.start();
  await crash;
  await app.shutdown();
}

function fail(): never {
  throw new Error('disk full');
}

function quietRuntime(): Runtime {
  return new Runtime({ clock: new VirtualClock() });
}

function idle(ctx: ProcessContext): Promise<void> {
  return ctx.stopped;
}

function passing(clock: VirtualClock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

function recordingLog() {
  return { ...silentLogger, error: mock.fn<Logger['error']>(), info: mock.fn<Logger['info']>() };
}

function isError(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
