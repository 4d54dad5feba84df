import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import { VirtualClock } from 'vigiljs/testing';
import type * as crasher from './fixtures/crasher.js';

const CRASHER = new URL('./fixtures/crasher.js', import.meta.url);

describe('crash reports', () => {
  it('tell who, why, with what and what follows', async () => {
    const { runtime, clock } = scene({ redact: (value) => value });
    const body = async ({ inbox }: vigil.ProcessContext<string>) => {
      const { payload } = await inbox.recv();
      throw new Error(payload);
    };
    const args = { secret: 1 };
    const supervisor = runtime
      .supervisor()
      .name('app')
      .strategy('rest_for_one')
      .maxRestarts(1)
      .child('first', idle)
      .child('worker', body, { args })
      .child('last', idle)
      .build();
    await supervisor.start();
    await clock.advance(7);
    for (const text of ['boom', 'waits', 'waits, too']) supervisor.address('worker').send(text);
    await clock.advance(0);
    const [report] = runtime.crashes.list();
    assert.ok(report?.reason.kind === 'crashed' && report.reason.error instanceof Error);
    assert.equal(report.reason.error.message, 'boom');
    assert.deepEqual(report, {
      sequence: 1,
      timestampMs: clock.wallTime(),
      process: { id: 'worker', incarnation: 1, supervisor: 'app', kind: 'task' },
      reason: report.reason,
      uptimeMs: 7,
      args,
      lastMessage: 'boom',
      inboxDepth: 2,
      decision: { do: 'restart', stop: ['last'], start: ['worker', 'last'] },
      restartsLeft: 0,
    });

    supervisor.address('worker').send('again');
    await clock.advance(0);
    const second = runtime.crashes.list()[1];
    assert.deepEqual([second?.sequence, second?.process.incarnation, second?.decision], [2, 2, { do: 'give_up' }]);
    assert.equal(runtime.crashes.total, 2);
  });

  it('show nothing of what may be secret, but its shape', async () => {
    const { runtime, clock } = scene();
    const values: readonly (readonly [unknown, string])[] = [
      [null, 'null'],
      ['password', 'string of 8 characters'],
      [7, 'number'],
      [[1, 2], 'array of 2'],
      [new Uint8Array(3), 'Uint8Array of 3 bytes'],
      [{ user: 'me', password: 'x' }, 'object with user, password'],
      [Object.fromEntries(Array.from('abcdefghijkl', (key) => [key, 1])), 'object with a, b, c, d, e, f, g, h, i, j and 2 more'],
      [new Map(), 'Map, empty'],
      [Object.create(null), 'object, empty'],
    ];
    for (const [args] of values) await start(runtime, crashing, { args });
    await clock.advance(0);
    assert.deepEqual(
      runtime.crashes.list().map((report) => report.args),
      values.map(([, shape]) => shape),
    );
  });

  it('show what redact leaves, and only the shape where that fails', async () => {
    const errors: unknown[] = [];
    const redact = (value: unknown, what: 'args' | 'message') => {
      if (value === 'bad') throw new Error('redact failed');
      return `${what}: ${String(value)}`;
    };
    const { runtime, clock } = scene({ redact }, errors);
    for (const args of ['good', 'bad', undefined]) await start(runtime, crashing, { args });
    await clock.advance(0);
    assert.deepEqual(
      runtime.crashes.list().map((report) => report.args),
      ['args: good', 'string of 3 characters', undefined],
    );
    assert.ok(errors.some((error) => String(error).includes('redact failed')));
  });

  it('are kept, the latest, and told to who wants to hear them', async () => {
    const told: number[] = [];
    const errors: unknown[] = [];
    const onReport = ({ sequence }: vigil.CrashReport) => {
      told.push(sequence);
      throw new Error('onReport failed');
    };
    const { runtime, clock } = scene({ capacity: 2, onReport }, errors);
    for (let count = 0; count < 3; count += 1) await start(runtime, crashing);
    await clock.advance(0);
    assert.deepEqual(told, [1, 2, 3]);
    assert.deepEqual(
      runtime.crashes.list().map(({ sequence }) => sequence),
      [2, 3],
    );
    assert.ok(errors.some((error) => String(error).includes('onReport failed')));
  });

  for (const [name, decision, act] of [
    ['a temporary child stays down', { do: 'leave' }, (runtime) => start(runtime, crashing, { restartType: 'temporary' })],
    [
      'a start that fails is told to who asked for it',
      { do: 'fail_start' },
      (runtime) => start(runtime, crashing, { readiness: 'explicit' }).catch(() => {}),
    ],
    [
      'a child that fails its health check is started again',
      { do: 'restart', stop: [], start: ['worker'] },
      (runtime) => start(runtime, idle, { healthCheckFn: () => false, healthCheckIntervalMs: 1 }),
    ],
  ] satisfies readonly (readonly [string, vigil.CrashDecision, (runtime: vigil.Runtime) => Promise<unknown>])[]) {
    it(name, async () => {
      const { runtime, clock } = scene();
      await act(runtime);
      await clock.advance(1);
      assert.deepEqual(runtime.crashes.list()[0]?.decision, decision);
    });
  }

  it('come of attempts to start again, too, but of no clean end and no stop', async () => {
    const { runtime, clock } = scene();
    const worker = async (ctx: vigil.ProcessContext) => {
      if (ctx.incarnation === 2) throw new Error('not again');
      ctx.ready();
      if (ctx.incarnation === 1) throw new Error('boom');
      await ctx.stopped;
      throw new Error('while it stops');
    };
    const supervisor = runtime
      .supervisor()
      .maxRestarts(5)
      .child('worker', worker, { readiness: 'explicit' })
      .child('clean', async () => {}, { restartType: 'transient' })
      .build();
    await supervisor.start();
    await clock.advance(0);
    assert.deepEqual(
      runtime.crashes.list().map(({ process, uptimeMs, decision }) => [process.id, process.incarnation, uptimeMs, decision.do]),
      [
        ['worker', 1, 0, 'restart'],
        ['worker', 2, undefined, 'restart'],
      ],
    );
    await supervisor.stop();
    assert.equal(runtime.crashes.total, 2);
  });

  it('can be shown to people', async () => {
    const { runtime, clock } = scene();
    const deep = Object.assign(new TypeError('deep down'), { stack: 'TypeError: deep down\n    at there' });
    const boom = Object.assign(new Error('boom', { cause: deep }), { stack: 'Error: boom\n    at here' });
    const body = async ({ inbox }: vigil.ProcessContext) => {
      await inbox.recv();
      throw boom;
    };
    const supervisor = runtime
      .supervisor()
      .name('app')
      .strategy('one_for_all')
      .child('a', idle)
      .child('b', body, { args: { user: 1 } })
      .build();
    await supervisor.start();
    supervisor.address('b').send('secret');
    await clock.advance(0);
    await start(runtime, crashing, { restartType: 'temporary' });
    await start(runtime, crashing, { readiness: 'explicit' }).catch(() => {});
    await start(runtime, crashing);
    await clock.advance(0);
    const [text, ...others] = runtime.crashes.list().map(vigil.formatCrashReport);
    assert.equal(
      text,
      `crash 1: child "b" of "app" (task, incarnation 1) crashed: Error: boom
  stops a, starts a, b, 2 restarts left
  was up for 0 ms
  0 messages waited
  args: "object with user"
  last message: "string of 6 characters"
  Error: boom
      at here
  caused by TypeError: deep down
      at there`,
    );
    const decisions = others.map((each) => each.split('\n').slice(1, 3).join());
    assert.deepEqual(
      decisions.toSorted((a, b) => a.localeCompare(b)),
      [
        '  it stays down, 0 restarts left,  was up for 0 ms',
        '  its start has failed, 0 restarts left,  was never ready',
        '  the supervisor gives up, 0 restarts left,  was up for 0 ms',
      ],
    );
  });

  for (const [kind, run] of [
    ['thread', vigil.thread],
    ['fork', vigil.fork],
  ] as const) {
    it(`of a ${kind} have the message that it died of`, { timeout: 30_000 }, async () => {
      let hear: (report: vigil.CrashReport) => void = () => {};
      const heard = new Promise<vigil.CrashReport>((resolve) => (hear = resolve));
      const runtime = vigil.runtime({ crashReports: { redact: (value) => value, onReport: (report) => hear(report) } });
      const args = { failsAtOnce: false };
      const supervisor = runtime.supervisor().name('app').child('worker', run<typeof crasher>(CRASHER, { args })).build();
      await supervisor.start();
      supervisor.address('worker').send({ how: 'throw' });
      const { reason, process, lastMessage, args: shown } = await heard;
      await supervisor.stop();
      assert.ok(reason.kind === 'crashed' && reason.error instanceof Error);
      assert.deepEqual([reason.error.message, String(reason.error.cause)], ['boom', 'TypeError: deep down']);
      assert.deepEqual([process, lastMessage, shown], [{ id: 'worker', incarnation: 1, supervisor: 'app', kind }, { how: 'throw' }, args]);
    });
  }

  it('of a fork that exits have that message as well', { timeout: 30_000 }, async () => {
    let hear: (report: vigil.CrashReport) => void = () => {};
    const heard = new Promise<vigil.CrashReport>((resolve) => (hear = resolve));
    const runtime = vigil.runtime({ crashReports: { redact: (value) => value, onReport: (report) => hear(report) } });
    const supervisor = runtime
      .supervisor()
      .child('worker', vigil.fork<typeof crasher>(CRASHER, { args: { failsAtOnce: false } }))
      .build();
    await supervisor.start();
    supervisor.address('worker').send({ how: 'exit' });
    const { lastMessage } = await heard;
    await supervisor.stop();
    assert.deepEqual(lastMessage, { how: 'exit' });
  });
});

const idle = ({ stopped }: vigil.ProcessContext) => stopped;
const crashing = () => Promise.reject(new Error('boom'));

function scene(
  crashReports: vigil.CrashReportOptions = {},
  errors: unknown[] = [],
): { readonly runtime: vigil.Runtime; readonly clock: VirtualClock } {
  const clock = new VirtualClock();
  const error = (message: string, details: unknown) => void errors.push(message, details);
  const log = { debug() {}, info() {}, warn() {}, error };
  return { runtime: vigil.runtime({ clock, log, crashReports }), clock };
}

/** Starts a tree of one child that gives up at the second crash. */
async function start(runtime: vigil.Runtime, body: vigil.ProcessBody, options: vigil.ChildOptions = {}): Promise<void> {
  await runtime
    .supervisor()
    .maxRestarts(options.healthCheckFn === undefined ? 0 : 1)
    .child('worker', body, options)
    .build()
    .start();
}
