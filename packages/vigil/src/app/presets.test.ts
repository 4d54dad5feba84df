import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError } from '../core/index.js';
import type { ProcessContext, ProcessRef } from '../processes/index.js';
import type { ChildOptions, Startable } from '../supervision/index.js';
import { VirtualClock } from '../testing/index.js';
import { PRESET_NAMES, type PresetName } from './presets.js';
import { Runtime } from './runtime.js';
import type { SupervisorBuilder } from './supervisor-builder.js';

interface Figures {
  readonly maxRestarts: number;
  readonly maxSeconds: number;
  readonly healthCheckIntervalMs: number;
  readonly shutdownTimeoutMs: number;
  readonly capacity: number;
}

/** The API reference's table, and Vigil's own defaults for a supervisor that has no preset. */
const FIGURES: Readonly<Record<PresetName | 'none', Figures>> = {
  production: { maxRestarts: 3, maxSeconds: 60, healthCheckIntervalMs: 5000, shutdownTimeoutMs: 30_000, capacity: 1000 },
  development: { maxRestarts: 10, maxSeconds: 5, healthCheckIntervalMs: 1000, shutdownTimeoutMs: 5000, capacity: 100 },
  high_availability: { maxRestarts: 5, maxSeconds: 30, healthCheckIntervalMs: 2000, shutdownTimeoutMs: 20_000, capacity: 5000 },
  testing: { maxRestarts: 1, maxSeconds: 10, healthCheckIntervalMs: 100, shutdownTimeoutMs: 1000, capacity: 50 },
  none: { maxRestarts: 3, maxSeconds: 5, healthCheckIntervalMs: 5000, shutdownTimeoutMs: 5000, capacity: 1000 },
};

/** Where the child is whose figures are looked at: right under the root, or under two supervisors made by builders. */
const PLACES = ['the root', 'a nested tree'] as const;
type Place = (typeof PLACES)[number];

for (const preset of [...PRESET_NAMES, 'none'] as const) {
  const figures = FIGURES[preset];
  describe(preset === 'none' ? 'without a preset' : `preset ${preset}`, () => {
    for (const place of PLACES) describe(`under ${place}`, () => describeFigures(preset, place, figures));

    it('is overruled by what a child was told', async () => {
      const told = { healthCheckIntervalMs: 3, shutdownTimeoutMs: 7, capacity: 2 };
      await assertHealthCheckInterval(await start(preset, 'the root', { healthCheckIntervalMs: 3 }), told);
      await assertShutdownTimeout(await start(preset, 'the root', { shutdownTimeoutMs: 7 }), told);
      assertCapacity(await start(preset, 'the root', { inbox: { capacity: 2 } }), told);
    });

    it('gives the capacity of an inbox of which something else was told', async () => {
      assertCapacity(await start(preset, 'the root', { inbox: { priorityQueues: false } }), figures);
    });

    it('is overruled by what a nested supervisor was told', async () => {
      await assertBudget(() => start(preset, 'a nested tree', {}, toughened), { maxRestarts: 2, maxSeconds: 1 });
    });
  });
}

it('vigil.app is the production preset', async () => {
  const runtime = new Runtime({ clock: new VirtualClock() });
  const { maxRestarts, maxSeconds } = runtime.app().inspect();
  assert.deepEqual([maxRestarts, maxSeconds], [3, 60]);
});

function describeFigures(preset: PresetName | 'none', place: Place, figures: Figures): void {
  const { maxRestarts, maxSeconds, healthCheckIntervalMs, shutdownTimeoutMs, capacity } = figures;

  it(`restarts ${maxRestarts} times in ${maxSeconds} s and gives up at the next crash`, () =>
    assertBudget(() => start(preset, place), figures));

  it(`polls a health check every ${healthCheckIntervalMs} ms`, async () => assertHealthCheckInterval(await start(preset, place), figures));

  it(`kills a child ${shutdownTimeoutMs} ms after it was asked to stop`, async () =>
    assertShutdownTimeout(await start(preset, place), figures));

  it(`gives a child an inbox for ${capacity} messages`, async () => assertCapacity(await start(preset, place), figures));
}

async function assertBudget(begin: () => Promise<Subject>, { maxRestarts, maxSeconds }: Pick<Figures, 'maxRestarts' | 'maxSeconds'>) {
  const atTheEdge = await begin();
  await atTheEdge.crash(maxRestarts);
  assert.equal(atTheEdge.gaveUp(), false);
  await atTheEdge.clock.advance(maxSeconds * 1000);
  await atTheEdge.crash(1);
  assert.equal(atTheEdge.gaveUp(), true, 'the window is shorter');

  const afterIt = await begin();
  await afterIt.crash(maxRestarts);
  await afterIt.clock.advance(maxSeconds * 1000 + 1);
  await afterIt.crash(maxRestarts);
  assert.equal(afterIt.gaveUp(), false, 'the window is longer');
}

async function assertHealthCheckInterval(subject: Subject, { healthCheckIntervalMs }: Pick<Figures, 'healthCheckIntervalMs'>) {
  for (const poll of [1, 2, 3]) {
    await subject.clock.advance(healthCheckIntervalMs - 1);
    assert.equal(subject.polls(), poll - 1);
    await subject.clock.advance(1);
    assert.equal(subject.polls(), poll);
  }
}

async function assertShutdownTimeout(subject: Subject, { shutdownTimeoutMs }: Pick<Figures, 'shutdownTimeoutMs'>) {
  const stopped = subject.stop();
  await subject.clock.advance(shutdownTimeoutMs - 1);
  assert.equal(subject.ref().isAlive(), true);
  await subject.clock.advance(1);
  assert.equal(subject.ref().isAlive(), false);
  await stopped;
}

function assertCapacity(subject: Subject, { capacity }: Pick<Figures, 'capacity'>) {
  const ref = subject.ref();
  for (let sent = 0; sent < capacity; sent += 1) assert.equal(ref.send(sent), 'queued');
  assert.throws(
    () => ref.send('one too many'),
    (error) => isVigilError(error, 'MailboxFull'),
  );
}

function toughened(builder: SupervisorBuilder): SupervisorBuilder {
  return builder.maxRestarts(2).maxSeconds(1);
}

/** A tree that runs, and in it a child that crashes on demand and does not listen to stop requests. */
interface Subject {
  readonly clock: VirtualClock;
  readonly ref: () => ProcessRef;
  readonly polls: () => number;
  /** Whether the supervisor right above the child has given up. */
  readonly gaveUp: () => boolean;
  readonly crash: (times: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

async function start(
  preset: PresetName | 'none',
  place: Place,
  options: ChildOptions = {},
  configure = (builder: SupervisorBuilder) => builder,
): Promise<Subject> {
  const clock = new VirtualClock();
  const runtime = new Runtime({ clock });
  const stopped: string[] = [];
  runtime.telemetry.on('supervisor_stopped', ({ metadata }) => stopped.push(metadata.supervisor));

  let ref: ProcessRef | undefined;
  let fail: (() => void) | undefined;
  let polls = 0;
  const body = (ctx: ProcessContext) => {
    ref = ctx.self;
    return new Promise<void>((_, reject) => {
      fail = () => reject(new Error('boom'));
    });
  };
  const healthCheckFn = () => {
    polls += 1;
    return true;
  };
  const child: [string, Startable, ChildOptions] = ['child', body, { healthCheckFn, ...options }];

  const inner = () => configure(runtime.supervisor()).child(...child);
  const outer = () => runtime.supervisor().child('inner', inner());
  let path = 'root';
  let stop: () => Promise<void>;
  if (preset === 'none') {
    const root = runtime.supervisor().name('root');
    const supervisor = (place === 'the root' ? root.child(...child) : root.child('outer', outer())).build();
    await supervisor.start();
    stop = () => supervisor.stop();
  } else {
    const app = runtime.appWithPreset(preset, { name: 'root', log: false });
    if (place === 'the root') app.worker(...child);
    else app.worker('outer', outer());
    await app.start();
    stop = () => app.shutdown();
  }
  if (place === 'a nested tree') path = 'root/outer/inner';

  return {
    clock,
    ref: () => ref!,
    polls: () => polls,
    gaveUp: () => stopped.includes(path),
    crash: async (times) => {
      for (let crashes = 0; crashes < times; crashes += 1) {
        fail?.();
        await clock.advance(0);
      }
    },
    stop,
  };
}
