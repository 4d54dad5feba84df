import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ProcessContext } from '../processes/index.js';
import { type PartitionKey, type PartitionOptions, PartitionSupervisor, type PartitionTemplate } from './partition-supervisor.js';
import { failsWith, type ScriptedChild, World } from './scripted-child.suite.js';

const keys: fc.Arbitrary<PartitionKey> = fc.oneof(fc.integer(), fc.string(), fc.double(), fc.bigInt(), fc.boolean(), fc.maxSafeInteger());

/** Partitions that note which of them received what. */
class Partitions {
  readonly world = new World();
  readonly received: string[] = [];
  readonly supervisor: PartitionSupervisor<string>;

  constructor(partitions: number, options: Partial<PartitionOptions> = {}, template: Partial<PartitionTemplate<string, string>> = {}) {
    const startFn = async (ctx: ProcessContext<string, string>) => {
      for await (const { payload } of ctx.inbox) {
        if (payload === 'crash') throw new Error('crash');
        this.received.push(`${ctx.id} ${payload}`);
      }
    };
    this.supervisor = new PartitionSupervisor({ ...template, startFn }, { ...options, partitions }, this.world.environment);
  }

  async ids(): Promise<string[]> {
    return (await this.supervisor.whichChildren()).map(({ id }) => id);
  }

  /** What they have received since it was last asked for. */
  async take(): Promise<string[]> {
    await this.world.rest();
    return this.received.splice(0);
  }
}

async function started(...args: ConstructorParameters<typeof Partitions>): Promise<Partitions> {
  const partitions = new Partitions(...args);
  await partitions.supervisor.start();
  return partitions;
}

function ofScripted(world: World, child: ScriptedChild, partitions: number): PartitionSupervisor {
  const { id: _, ...template } = child.spec;
  return new PartitionSupervisor(template, { partitions }, world.environment);
}

describe('a partition supervisor', () => {
  it('DYN-14: starts equal children, partition_0 first, with the args of the template', async () => {
    const world = new World();
    const child = world.child('w', { args: { url: 'x' }, restartType: 'transient' });
    const supervisor = ofScripted(world, child, 3);
    await supervisor.start();
    assert.deepEqual(
      child.contexts.map(({ id, args }) => [id, args]),
      [
        ['partition_0', { url: 'x' }],
        ['partition_1', { url: 'x' }],
        ['partition_2', { url: 'x' }],
      ],
    );
    assert.equal((await supervisor.getChildSpec('partition_2')).restartType, 'transient');
    assert.equal(supervisor.partitions, 3);
    await supervisor.stop();
  });

  it('DYN-14: is a supervisor: it has a strategy and a budget', async () => {
    const { supervisor, world } = await started(3, { strategy: 'one_for_all', maxRestarts: 1, name: 'shards' });
    assert.deepEqual(supervisor.planFor('partition_1').start, ['partition_0', 'partition_1', 'partition_2']);
    supervisor.route(1).send('crash');
    await world.rest();
    const { children, restartsLeft, name } = supervisor.inspect();
    assert.deepEqual([children.map(({ incarnation }) => incarnation), restartsLeft, name], [[2, 2, 2], 0, 'shards']);
    await supervisor.stop();
  });

  it('can be a child of another supervisor', async () => {
    const partitions = new Partitions(2);
    const { supervisor, world } = partitions;
    const top = await world.started({ name: 'top', children: [{ id: 'shards', startFn: supervisor }] });
    supervisor.route(3).send('x');
    assert.deepEqual(await partitions.take(), ['partition_1 x']);
    assert.equal(top.getChildInfo('shards')?.supervisor?.childCount, 2);
    await top.stop();
    assert.equal(supervisor.state, 'stopped');
  });

  for (const partitions of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3', undefined, null]) {
    it(`DYN-14: has at least one partition: ${String(partitions)} is refused`, () => {
      // @ts-expect-error what JavaScript could pass
      assert.throws(() => new Partitions(partitions), failsWith('InvalidConfiguration', { option: 'partitions' }));
    });
  }

  it('refuses a template or options that are none', () => {
    const { environment } = new World();
    const startFn = idle;
    const bad: [unknown, unknown, Record<string, unknown>][] = [
      [undefined, { partitions: 1 }, { option: 'template' }],
      [startFn, { partitions: 1 }, { option: 'template' }],
      [{}, { partitions: 1 }, { reason: 'missing_start' }],
      [{ startFn, restartType: 'prmanent' }, { partitions: 1 }, { option: 'restartType' }],
      [{ startFn }, undefined, { option: 'partition options' }],
      [{ startFn }, null, { option: 'partition options' }],
      [{ startFn }, { partitions: 1, strategy: 'all_for_one' }, { option: 'strategy' }],
    ];
    for (const [template, options, details] of bad) {
      assert.throws(
        // @ts-expect-error what JavaScript could pass
        () => new PartitionSupervisor(template, options, environment),
        failsWith('InvalidConfiguration', details),
      );
    }
  });
});

describe('partitionOf', () => {
  it('DYN-14: is abs(key) mod the number of partitions for an integer', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 1, max: 1000 }), (key, count) => {
        assert.equal(new Partitions(1).supervisor.partitionOf(key), 0);
        assert.equal(new Partitions(count).supervisor.partitionOf(key), Math.abs(key) % count);
      }),
      { numRuns: 20 },
    );
    const { supervisor } = new Partitions(3);
    assert.deepEqual(
      [-4, -3, -1, -0, 0, 1, 5].map((key) => supervisor.partitionOf(key)),
      [1, 0, 1, 0, 0, 1, 2],
    );
  });

  it('DYN-14: is the same for equal keys, and always one of the partitions', () => {
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 20 }), (key, count) => {
        const [one, other] = [new Partitions(count).supervisor, new Partitions(count).supervisor];
        const partition = one.partitionOf(key);
        assert.equal(other.partitionOf(key), partition);
        assert.ok(Number.isInteger(partition) && partition >= 0 && partition < count, String(partition));
      }),
    );
  });

  it('DYN-14: is the same on every machine and in every version', () => {
    const { supervisor } = new Partitions(1000);
    const found = ['', 'a', 'user-17', 'ключ', '😀', 1.5, Number.NaN, 2 ** 60, true, false].map((key) => supervisor.partitionOf(key));
    // FNV-1a of the UTF-16 text `type:key`, computed elsewhere.
    assert.deepEqual(found, [902, 893, 184, 434, 755, 452, 807, 341, 339, 174]);
  });

  it('tells a text from the number that it shows', () => {
    const { supervisor } = new Partitions(1000);
    assert.notEqual(supervisor.partitionOf('5'), supervisor.partitionOf(5));
  });

  it('spreads texts evenly', () => {
    const { supervisor } = new Partitions(8);
    const counts = Array.from({ length: 8 }, () => 0);
    for (let user = 0; user < 8000; user += 1) counts[supervisor.partitionOf(`user-${user}`)]! += 1;
    assert.ok(
      counts.every((count) => count > 800 && count < 1200),
      String(counts),
    );
  });

  for (const key of [undefined, null, {}, [], Symbol('x'), () => 1]) {
    it(`refuses what is no key: ${typeof key} ${key === null ? 'null' : ''}`, () => {
      const { supervisor } = new Partitions(3);
      // @ts-expect-error what JavaScript could pass
      assert.throws(() => supervisor.partitionOf(key), failsWith('InvalidConfiguration', { option: 'key', value: key }));
      // @ts-expect-error what JavaScript could pass
      assert.throws(() => supervisor.route(key), failsWith('InvalidConfiguration', { option: 'key' }));
    });
  }
});

describe('route', () => {
  it('DYN-14: sends what belongs to one key to one partition, in order', async () => {
    const partitions = await started(3);
    const { supervisor } = partitions;
    for (const payload of ['a', 'b']) supervisor.route(-4).send(payload);
    await supervisor.route(5).sendWait('c');
    const received = await partitions.take();
    assert.deepEqual(
      received.filter((note) => note.startsWith('partition_1')),
      ['partition_1 a', 'partition_1 b'],
    );
    assert.deepEqual([received.length, received.includes('partition_2 c')], [3, true]);
    await supervisor.stop();
  });

  it('DYN-14: reaches a partition again that was restarted', async () => {
    const partitions = await started(2);
    const { supervisor, world } = partitions;
    const sender = supervisor.route(1);
    sender.send('crash');
    await world.rest();
    sender.send('x');
    assert.deepEqual(await partitions.take(), ['partition_1 x']);
    await supervisor.stop();
  });

  it('is refused by a partition that does not run', async () => {
    const { supervisor } = await started(2);
    await supervisor.terminateChild('partition_1');
    assert.throws(() => supervisor.route(1).send('x'), failsWith('ProcessNotFound'));
    await supervisor.stop();
  });
});

describe('resize', () => {
  it('DYN-14: up: starts more at the end of the row, as the template says, and spreads keys over all', async () => {
    const partitions = await started(2, {}, { args: 'x' });
    const { supervisor } = partitions;
    const before = await supervisor.whichChildren();
    const fixed = supervisor.route(5);
    await supervisor.resize(4);
    const rows = await supervisor.whichChildren();
    assert.deepEqual(
      rows.map(({ id }) => id),
      ['partition_0', 'partition_1', 'partition_2', 'partition_3'],
    );
    assert.deepEqual(rows.slice(0, 2), before);
    assert.deepEqual([supervisor.partitions, (await supervisor.getChildSpec('partition_3')).args], [4, 'x']);
    supervisor.route(7).send('new');
    fixed.send('as it was');
    assert.deepEqual((await partitions.take()).toSorted(), ['partition_1 as it was', 'partition_3 new']);
    await supervisor.stop();
  });

  it('DYN-14: down: stops and deletes the last ones, and nobody else', async () => {
    const partitions = await started(4);
    const { supervisor } = partitions;
    const before = await supervisor.whichChildren();
    await supervisor.resize(2);
    assert.deepEqual(await supervisor.whichChildren(), before.slice(0, 2));
    assert.equal(supervisor.partitions, 2);
    supervisor.route(7).send('x');
    assert.deepEqual(await partitions.take(), ['partition_1 x']);
    await supervisor.resize(3);
    assert.deepEqual(await partitions.ids(), ['partition_0', 'partition_1', 'partition_2']);
    await supervisor.stop();
  });

  it('to what there is changes nothing', async () => {
    const { supervisor, world } = await started(2);
    const before = await supervisor.whichChildren();
    await supervisor.resize(2);
    assert.deepEqual(await supervisor.whichChildren(), before);
    assert.equal(world.events.filter(({ eventType }) => eventType === 'process_started').length, 2);
    await supervisor.stop();
  });

  it('two at once are done one after the other', async () => {
    const partitions = await started(2);
    await Promise.all([partitions.supervisor.resize(5), partitions.supervisor.resize(1), partitions.supervisor.resize(3)]);
    assert.deepEqual([partitions.supervisor.partitions, (await partitions.ids()).length], [3, 3]);
    await partitions.supervisor.stop();
  });

  for (const count of [0, -1, 1.5, Number.NaN, '2', undefined, null]) {
    it(`DYN-14: keeps at least one partition: ${String(count)} is refused and changes nothing`, async () => {
      const partitions = await started(2);
      const { supervisor } = partitions;
      // @ts-expect-error what JavaScript could pass
      await assert.rejects(supervisor.resize(count), failsWith('InvalidConfiguration', { option: 'partitions' }));
      assert.deepEqual([await partitions.ids(), supervisor.partitions, supervisor.partitionOf(3)], [['partition_0', 'partition_1'], 2, 1]);
      await supervisor.stop();
    });
  }

  it('is refused while the supervisor does not run, and keys stay where they were', async () => {
    const { supervisor } = new Partitions(2);
    await assert.rejects(supervisor.resize(5), failsWith('InvalidState'));
    assert.equal(supervisor.partitions, 2);
  });

  it('spreads keys as before when a new partition did not start', async () => {
    const world = new World();
    const child = world.child('w', { readiness: 'explicit' });
    const supervisor = ofScripted(world, child, 2);
    await supervisor.start();
    child.start = 'fails';
    await assert.rejects(supervisor.resize(4), failsWith('ProcessStartFailed', { id: 'partition_2' }));
    assert.equal(supervisor.partitions, 2);
    child.start = 'succeeds';
    await supervisor.resize(4);
    assert.deepEqual([supervisor.partitions, (await supervisor.countChildren()).active], [4, 4]);
    await supervisor.stop();
  });

  it('is undone by a restart of the supervisor, up or down', async () => {
    const partitions = await started(2);
    const { supervisor } = partitions;
    for (const count of [5, 1]) {
      await supervisor.resize(count);
      await supervisor.stop();
      await supervisor.start();
      assert.deepEqual([supervisor.partitions, await partitions.ids()], [2, ['partition_0', 'partition_1']]);
      supervisor.route(3).send('x');
      assert.deepEqual(await partitions.take(), ['partition_1 x']);
    }
    await supervisor.stop();
  });

  it('is not undone by a start that is refused', async () => {
    const { supervisor } = await started(2);
    await supervisor.resize(5);
    await assert.rejects(supervisor.start(), failsWith('ProcessAlreadyRunning'));
    assert.equal(supervisor.partitions, 5);
    await supervisor.stop();
  });
});

function idle(ctx: ProcessContext): Promise<void> {
  return ctx.stopped;
}
