import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProcessContext } from '../processes/index.js';
import type { ChildOptions, ChildSpec } from './child-spec.js';
import { errorFrom, failsWith, World } from './scripted-child.suite.js';
import { Supervisor } from './supervisor.js';
import type { SupervisorOptions } from './supervisor-options.js';

/** A pool of workers that note their starts and ends with their ids. */
class Workers {
  readonly world = new World();
  readonly notes: string[] = [];
  readonly supervisor: Supervisor;
  /** What their bodies do before they are ready. */
  onStart: ((ctx: ProcessContext) => void | Promise<void>) | undefined;

  constructor(ids: readonly string[], options: SupervisorOptions = {}, childOptions: ChildOptions = {}) {
    const children = ids.map((id) => this.spec(id, childOptions));
    this.supervisor = new Supervisor({ ...options, children }, this.world.environment);
  }

  spec(id: string, options: ChildOptions = {}): ChildSpec {
    return { ...options, id, startFn: (ctx) => this.#work(ctx) };
  }

  get ids(): string[] {
    return this.supervisor.inspect().children.map(({ id }) => id);
  }

  take(): string[] {
    return this.notes.splice(0);
  }

  async #work(ctx: ProcessContext): Promise<void> {
    this.notes.push(`+${ctx.id}`);
    await this.onStart?.(ctx);
    ctx.ready();
    await ctx.stopped;
    this.notes.push(`-${ctx.id}`);
  }
}

async function started(...args: ConstructorParameters<typeof Workers>): Promise<Workers> {
  const workers = new Workers(...args);
  await workers.supervisor.start();
  workers.take();
  return workers;
}

describe('scaleWorkers', () => {
  it('VIG-04: up: starts the next ones, in order, at the end, as the first one is started', async () => {
    const options = { args: { size: 5 }, restartType: 'transient', shutdownTimeoutMs: 7, maxRestarts: 8 } as const;
    const workers = await started(['w_0', 'w_1', 'w_2', 'w_3'], {}, options);
    const { supervisor } = workers;
    await supervisor.startChild(workers.spec('last'));
    const before = await supervisor.whichChildren();
    workers.take();
    await supervisor.scaleWorkers('w', 6);
    assert.deepEqual(workers.take(), ['+w_4', '+w_5']);
    assert.deepEqual(workers.ids, ['w_0', 'w_1', 'w_2', 'w_3', 'last', 'w_4', 'w_5']);
    assert.deepEqual((await supervisor.whichChildren()).slice(0, 5), before);
    const [first, next] = [await supervisor.getChildSpec('w_0'), await supervisor.getChildSpec('w_5')];
    assert.deepEqual({ ...next, id: 'w_0' }, first);
    assert.equal(supervisor.getChildInfo('w_5')?.incarnation, 1);
    await supervisor.stop();
  });

  it('VIG-04: down: stops and deletes the highest numbers, the last one first, and nobody else', async () => {
    const workers = await started(['a', 'w_0', 'w_1', 'w_2', 'w_3', 'b'], { maxRestarts: 0, strategy: 'one_for_all' });
    const { supervisor } = workers;
    await supervisor.scaleWorkers('w', 2);
    assert.deepEqual(workers.take(), ['-w_3', '-w_2']);
    assert.deepEqual(workers.ids, ['a', 'w_0', 'w_1', 'b']);
    assert.deepEqual([supervisor.state, supervisor.getRestartHistory()], ['running', []]);
    await assert.rejects(supervisor.terminateChild('w_2'), failsWith('ChildNotFound'));
    await supervisor.stop();
  });

  it('VIG-04: 0 stops all, and up again starts them from the template', async () => {
    const workers = await started(['w_0', 'w_1'], {}, { args: 'x' });
    const { supervisor } = workers;
    await supervisor.scaleWorkers('w', 0);
    assert.deepEqual([workers.take(), workers.ids], [['-w_1', '-w_0'], []]);
    await supervisor.scaleWorkers('w', 3);
    assert.deepEqual(
      [workers.take(), workers.ids],
      [
        ['+w_0', '+w_1', '+w_2'],
        ['w_0', 'w_1', 'w_2'],
      ],
    );
    assert.equal((await supervisor.getChildSpec('w_2')).args, 'x');
    await supervisor.stop();
  });

  it('VIG-04: to the number that there is does nothing', async () => {
    const workers = await started(['w_0', 'w_1']);
    await workers.supervisor.scaleWorkers('w', 2);
    assert.deepEqual(workers.take(), []);
    await workers.supervisor.stop();
  });

  it('VIG-04: counts numbers as numbers: w_10 comes after w_9', async () => {
    const workers = await started(Array.from({ length: 12 }, (_, number) => `w_${number}`));
    await workers.supervisor.scaleWorkers('w', 10);
    assert.deepEqual(workers.take(), ['-w_11', '-w_10']);
    await workers.supervisor.scaleWorkers('w', 12);
    assert.deepEqual(workers.take(), ['+w_10', '+w_11']);
    await workers.supervisor.stop();
  });

  it('VIG-04: fills gaps on the way up, and takes the highest numbers on the way down', async () => {
    const workers = await started(['w_0', 'w_2', 'w_5']);
    const { supervisor } = workers;
    await supervisor.scaleWorkers('w', 5);
    assert.deepEqual(
      [workers.take(), workers.ids],
      [
        ['+w_1', '+w_3'],
        ['w_0', 'w_2', 'w_5', 'w_1', 'w_3'],
      ],
    );
    await supervisor.scaleWorkers('w', 3);
    assert.deepEqual(
      [workers.take(), workers.ids],
      [
        ['-w_5', '-w_3'],
        ['w_0', 'w_2', 'w_1'],
      ],
    );
    await supervisor.stop();
  });

  it('VIG-04: leaves alone whose id only looks like that of a worker', async () => {
    const others = ['w', 'w_', 'w_x', 'w_01', 'w_-1', 'w_1.5', 'w_1_0', 'ww_0', 'W_0', ' w_0'];
    const workers = await started(['w_0', 'w_1', ...others]);
    await workers.supervisor.scaleWorkers('w', 0);
    assert.deepEqual([workers.take(), workers.ids], [['-w_1', '-w_0'], others]);
    await workers.supervisor.scaleWorkers('w', 2);
    assert.deepEqual(workers.ids, [...others, 'w_0', 'w_1']);
    await workers.supervisor.scaleWorkers('w_1', 2);
    assert.deepEqual(workers.ids, [...others, 'w_0', 'w_1', 'w_1_1']);
    await workers.supervisor.stop();
  });

  it('VIG-04: the new ones are children like the others: in their place for the strategy, restarted, and stopped first', async () => {
    const workers = await started(['w_0', 'a'], { strategy: 'rest_for_one' });
    const { supervisor } = workers;
    await supervisor.scaleWorkers('w', 2);
    assert.deepEqual(supervisor.planFor('a'), { stop: ['w_1'], forget: [], start: ['a', 'w_1'], givesUp: false });
    workers.take();
    await supervisor.stop();
    assert.deepEqual(workers.take(), ['-w_1', '-a', '-w_0']);
  });

  it('VIG-08: tells telemetry who was added and who was removed', async () => {
    const workers = await started(['w_0']);
    await workers.supervisor.scaleWorkers('w', 2);
    await workers.supervisor.scaleWorkers('w', 0);
    const told = workers.world.events.filter(({ eventType }) => eventType.startsWith('supervisor_child'));
    assert.deepEqual(
      told.map(({ eventType, metadata }) => [eventType, 'id' in metadata ? metadata.id : undefined]),
      [
        ['supervisor_child_added', 'w_1'],
        ['supervisor_child_removed', 'w_1'],
        ['supervisor_child_removed', 'w_0'],
      ],
    );
    await workers.supervisor.stop();
  });

  it('VIG-04: after a restart of the supervisor the number is the original one', async () => {
    const workers = await started(['w_0', 'w_1']);
    const { supervisor } = workers;
    for (const count of [4, 0]) {
      await supervisor.scaleWorkers('w', count);
      await supervisor.stop();
      await supervisor.start();
      assert.deepEqual(workers.ids, ['w_0', 'w_1']);
    }
    await supervisor.stop();
  });

  it('VIG-04: an unknown prefix is ChildNotFound, also for 0', async () => {
    const { supervisor } = await started(['w_0']);
    for (const count of [0, 3]) await assert.rejects(supervisor.scaleWorkers('x', count), failsWith('ChildNotFound', { id: 'x_0' }));
    await supervisor.stop();
  });

  it('VIG-04: takes the spec of the lowest worker that there is, also of one that startChild added', async () => {
    const workers = await started([]);
    const { supervisor } = workers;
    await supervisor.startChild(workers.spec('w_3', { args: 'three' }));
    await supervisor.startChild(workers.spec('w_1', { args: 'one' }));
    await supervisor.scaleWorkers('w', 3);
    assert.equal((await supervisor.getChildSpec('w_0')).args, 'one');
    await supervisor.scaleWorkers('w', 0);
    await assert.rejects(supervisor.scaleWorkers('w', 1), failsWith('ChildNotFound'));
    await supervisor.stop();
  });

  it('VIG-04: when a worker does not start, those before it stay', async () => {
    const workers = await started(['w_0'], {}, { readiness: 'explicit' });
    const { supervisor } = workers;
    workers.onStart = ({ id }) => {
      if (id === 'w_2') throw new Error('no room');
    };
    await assert.rejects(supervisor.scaleWorkers('w', 5), failsWith('ProcessStartFailed', { id: 'w_2' }));
    assert.deepEqual(
      [workers.take(), workers.ids],
      [
        ['+w_1', '+w_2'],
        ['w_0', 'w_1'],
      ],
    );
    workers.onStart = undefined;
    await supervisor.scaleWorkers('w', 3);
    assert.deepEqual(workers.ids, ['w_0', 'w_1', 'w_2']);
    await supervisor.stop();
  });

  it('VIG-04: starts one after the other, and a stop cuts that short', async () => {
    const workers = await started(['w_0'], {}, { readiness: 'explicit' });
    const { supervisor } = workers;
    workers.onStart = (ctx) => ctx.stopped;
    const scaling = errorFrom(supervisor.scaleWorkers('w', 5));
    await workers.world.rest();
    assert.deepEqual(workers.take(), ['+w_1']);
    await supervisor.stop();
    assert.equal((await scaling).code, 'ProcessStartFailed');
    assert.deepEqual(workers.take(), ['-w_1', '-w_0']);
  });

  it('VIG-04: a stop during the way down stops the others in their turn', async () => {
    const workers = await started(['w_0', 'w_1', 'w_2']);
    const { supervisor } = workers;
    const scaling = errorFrom(supervisor.scaleWorkers('w', 0));
    const stopping = supervisor.stop();
    await stopping;
    assert.equal((await scaling).code, 'InvalidState');
    assert.deepEqual(workers.take(), ['-w_2', '-w_1', '-w_0']);
  });

  it('VIG-04: ends the wait of a worker that is being restarted', async () => {
    const world = new World();
    const w = world.child('w_1', { restartDelay: { initialMs: 100 } });
    const supervisor = await world.started({ children: [world.child('w_0'), w] });
    w.crash();
    await world.rest();
    await supervisor.scaleWorkers('w', 1);
    assert.deepEqual([world.clock.pendingTimers, supervisor.inspect().childCount], [0, 1]);
    await world.clock.advance(1000);
    assert.equal(w.starts, 1);
    await supervisor.stop();
  });

  it('VIG-04: a worker that was stopped by request counts, and stays stopped', async () => {
    const workers = await started(['w_0', 'w_1']);
    const { supervisor } = workers;
    await supervisor.terminateChild('w_1');
    workers.take();
    await supervisor.scaleWorkers('w', 3);
    assert.deepEqual(workers.take(), ['+w_2']);
    assert.equal(supervisor.getChildInfo('w_1')?.state, 'stopped');
    await supervisor.stop();
  });

  it('VIG-04: two at once are done one after the other', async () => {
    const workers = await started(['w_0']);
    const { supervisor } = workers;
    await Promise.all([supervisor.scaleWorkers('w', 3), supervisor.scaleWorkers('w', 1), supervisor.scaleWorkers('w', 2)]);
    assert.deepEqual(workers.take(), ['+w_1', '+w_2', '-w_2', '-w_1', '+w_1']);
    await supervisor.stop();
  });

  it('is refused while the supervisor does not run', async () => {
    const { supervisor } = new Workers(['w_0']);
    await assert.rejects(supervisor.scaleWorkers('w', 2), failsWith('InvalidState'));
    await supervisor.start();
    await supervisor.stop();
    await assert.rejects(supervisor.scaleWorkers('w', 2), failsWith('InvalidState'));
  });

  it('refuses what is no count and no prefix, and changes nothing', async () => {
    const workers = await started(['w_0']);
    const { supervisor } = workers;
    for (const count of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2', undefined, null]) {
      // @ts-expect-error what JavaScript could pass
      await assert.rejects(supervisor.scaleWorkers('w', count), failsWith('InvalidConfiguration', { option: 'count', value: count }));
    }
    for (const prefix of ['', 5, undefined, null]) {
      // @ts-expect-error what JavaScript could pass
      await assert.rejects(supervisor.scaleWorkers(prefix, 2), failsWith('InvalidConfiguration', { option: 'prefix', value: prefix }));
    }
    assert.deepEqual([workers.take(), workers.ids], [[], ['w_0']]);
    await supervisor.stop();
  });
});
