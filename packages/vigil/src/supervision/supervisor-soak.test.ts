import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isVigilError } from '../core/index.js';
import type { ShutdownTimeout } from './child-spec.js';
import { RESTART_STRATEGIES, RESTART_TYPES } from './restart-plan.js';
import { CRASH, type ScriptedChild, World } from './scripted-child.suite.js';

/** One thing that happens to a tree: to the child at `pick`, then time passes. */
const events = fc.record({
  what: fc.constantFrom(
    'crash',
    'crash',
    'crash',
    'finish',
    'kill',
    'terminate',
    'restart',
    'restart if stopped',
    'delete',
    'start',
    'ready',
    'start fails',
    'start waits',
    'start succeeds',
    'stops late',
    'stops never',
    'stops at once',
  ),
  pick: fc.nat({ max: 5 }),
  thenMs: fc.constantFrom(0, 0, 0, 1, 5, 30),
  settles: fc.boolean(),
});

const children = fc.record({
  restartType: fc.constantFrom(...RESTART_TYPES),
  readiness: fc.constantFrom('immediate', 'explicit'),
  shutdownTimeoutMs: fc.constantFrom<ShutdownTimeout[]>(0, 20, 'brutal_kill'),
});

const histories = fc.record({
  strategy: fc.constantFrom(...RESTART_STRATEGIES),
  maxRestarts: fc.constantFrom(0, 1, 3, 100),
  specs: fc.array(children, { minLength: 1, maxLength: 5 }),
  events: fc.array(events, { maxLength: 30 }),
  end: fc.constantFrom('stop', 'kill', 'stop and kill'),
});
type History = typeof histories extends fc.Arbitrary<infer T> ? T : never;
type SoakEvent = History['events'][number];

/** A tree under random events, whose trace is checked at each note. */
class Soak {
  readonly world = new World();
  readonly #children: ScriptedChild[];
  readonly #supervisor;
  /** What requests may be refused with, and nothing else. */
  readonly #answers: Promise<unknown>[] = [];

  constructor(history: History) {
    const { specs, strategy, maxRestarts } = history;
    this.#children = specs.map((spec, index) => this.world.child(`c${index}`, { ...spec, startTimeoutMs: 50 }));
    this.#supervisor = this.world.supervisor({ strategy, maxRestarts, maxSeconds: 0.1, children: this.#children });
  }

  async run(history: History): Promise<void> {
    this.#await(this.#supervisor.start());
    for (const event of history.events) {
      this.#happen(event);
      if (event.settles || event.thenMs > 0) await this.world.clock.advance(event.thenMs);
      this.#checkView();
    }
    if (history.end !== 'kill') this.#await(this.#supervisor.stop());
    if (history.end !== 'stop') this.#supervisor.kill();
    await this.world.clock.advance(1000);
    await Promise.all(this.#answers);
    this.#checkEnd();
    checkTrace(this.world.trace);
  }

  #happen({ what, pick }: SoakEvent): void {
    const child = this.#children[pick % this.#children.length]!;
    const isUp = child.starts > 0;
    switch (what) {
      case 'crash':
        if (isUp) child.crash(CRASH);
        break;
      case 'finish':
        if (isUp) child.finish();
        break;
      case 'kill':
        if (child.alive > 0) child.end({ kind: 'killed' });
        break;
      case 'ready':
        if (isUp) child.becomeReady();
        break;
      case 'terminate':
        this.#await(this.#supervisor.terminateChild(child.id));
        break;
      case 'restart':
        this.#await(this.#supervisor.restartChild(child.id));
        break;
      case 'restart if stopped':
        this.#await(this.#supervisor.restartChild(child.id, { onlyIfStopped: true }));
        break;
      case 'delete':
        this.#await(this.#supervisor.deleteChild(child.id));
        break;
      case 'start':
        this.#await(this.#supervisor.startChild(child.spec));
        break;
      case 'start fails':
        child.start = 'fails';
        break;
      case 'start waits':
        child.start = 'waits';
        break;
      case 'start succeeds':
        child.start = 'succeeds';
        break;
      case 'stops late':
        child.stopsAfterMs = 10;
        break;
      case 'stops never':
        child.stopsAfterMs = 'never';
        break;
      case 'stops at once':
        child.stopsAfterMs = 0;
        break;
    }
  }

  #await(answer: Promise<unknown>): void {
    const codes = ['ChildNotFound', 'InvalidState', 'AlreadyMonitoring', 'ProcessStartFailed'];
    this.#answers.push(
      answer.catch((error: unknown) => {
        if (!isVigilError(error) || !codes.includes(error.code)) throw error;
      }),
    );
  }

  /** What a supervisor says of its children is what they are. */
  #checkView(): void {
    const { children: infos, restartsLeft } = this.#supervisor.inspect();
    assert.ok(restartsLeft >= 0);
    for (const { id, alive, ref } of this.#children.filter(({ starts }) => starts > 0)) {
      assert.ok(alive <= 1, `${id} is alive ${alive} times`);
      const info = infos.find((row) => row.id === id);
      const isUp = ['starting', 'running', 'stopping'].includes(info?.state ?? 'stopped');
      assert.equal(isUp, alive === 1, `${id} is ${info?.state ?? 'unknown'}, and ${alive} of it are alive`);
      if (isUp) assert.equal(info?.ref, ref);
    }
  }

  #checkEnd(): void {
    assert.equal(this.#supervisor.state, 'stopped');
    for (const { id, alive } of this.#children) assert.equal(alive, 0, `${id} is alive`);
    assert.equal(this.world.clock.pendingTimers, 0);
    assert.equal(this.world.clock.holds, 0);
    assert.deepEqual(
      this.world.errors.filter(({ text }) => text.includes('failed itself')),
      [],
    );
  }
}

/** Never two incarnations of one child, and each one that began ends once. */
function checkTrace(trace: readonly string[]): void {
  const alive = new Set<string>();
  for (const note of trace) {
    const id = note.slice(1).replace(/\(.*/, '');
    if (note.startsWith('+')) {
      assert.ok(!alive.has(id), `${note} while one is alive: ${trace.join(' ')}`);
      alive.add(id);
    } else {
      assert.ok(alive.delete(id), `${note} of one that is not alive: ${trace.join(' ')}`);
    }
  }
  assert.deepEqual([...alive], []);
}

describe('a supervisor under random events', () => {
  it('never runs a child twice, never lies about it, and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(histories, (history) => new Soak(history).run(history)),
      { numRuns: 400 },
    );
  });

  it('STRAT-02: stops a group in reverse order and starts it in order, whoever crashes', async () => {
    const groups = fc.record({
      strategy: fc.constantFrom('one_for_all', 'rest_for_one'),
      stopsAfterMs: fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 6 }),
      crashes: fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(groups, async ({ strategy, stopsAfterMs, crashes }) => {
        const world = new World();
        const all = stopsAfterMs.map((ms, index) => world.child(`c${index}`, { stopsAfterMs: ms }));
        const supervisor = await world.started({ strategy, children: all, maxRestarts: 100 });
        for (const pick of crashes) {
          const at = pick % all.length;
          all[at]!.crash();
          await world.clock.advance(200);
          const group = strategy === 'one_for_all' ? all : all.slice(at);
          const stopped = group.filter((child) => child !== all[at]).toReversed();
          assert.deepEqual(world.takeTrace(), [
            `-c${at}(error)`,
            ...stopped.map(({ id }) => `-${id}(shutdown)`),
            ...group.map(({ id }) => `+${id}`),
          ]);
        }
        const stopping = supervisor.stop();
        await world.clock.advance(200);
        await stopping;
        assert.deepEqual(
          world.takeTrace(),
          all.toReversed().map(({ id }) => `-${id}(shutdown)`),
        );
      }),
      { numRuns: 60 },
    );
  });
});
