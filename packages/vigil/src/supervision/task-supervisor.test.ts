import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError, ProcessExit } from '../core/index.js';
import type { Monitor, ProcessContext, ProcessRef } from '../processes/index.js';
import { CRASH, errorFrom, failsWith, watch, World } from './scripted-child.suite.js';
import type { DynamicSupervisorOptions } from './dynamic-supervisor.js';
import { type RunTaskOptions, type TaskFunction, TaskSupervisor } from './task-supervisor.js';

async function started(world: World, options: DynamicSupervisorOptions = {}): Promise<TaskSupervisor> {
  const tasks = new TaskSupervisor(options, world.environment);
  await tasks.start();
  return tasks;
}

const never = (): Promise<never> => new Promise(() => {});

describe('run', () => {
  it('DYN-13: gives the result of the function to the caller', async () => {
    const world = new World();
    const tasks = await started(world);
    assert.equal(await tasks.run(async () => 6 * 7), 42);
    assert.equal(await tasks.run(() => 'at once'), 'at once');
    assert.equal(await tasks.run(() => {}), undefined);
    await tasks.stop();
  });

  it('DYN-13: gives each of many callers its own result', async () => {
    const world = new World();
    const tasks = await started(world);
    const numbers = Array.from({ length: 100 }, (_, number) => number);
    const results = Promise.all(numbers.map((number) => tasks.run((ctx) => after(ctx, 100 - number, number))));
    await world.clock.advance(100);
    assert.deepEqual(await results, numbers);
    await tasks.stop();
  });

  it('runs the function as a process, with a context of its own', async () => {
    const world = new World();
    const tasks = await started(world);
    const running = tasks.run(async (ctx) => [ctx.id, ctx.incarnation, (await ctx.inbox.recv()).payload]);
    const [row] = await tasks.whichChildren();
    row?.ref?.send('hello');
    assert.deepEqual(await running, ['task_1', 1, 'hello']);
    await tasks.stop();
  });

  it('forgets the task when it has its result', async () => {
    const world = new World();
    const tasks = await started(world, { maxChildren: 1 });
    await tasks.run(() => 1);
    await world.rest();
    assert.deepEqual(await tasks.whichChildren(), []);
    assert.equal(await tasks.run(() => 2), 2);
    await tasks.stop();
  });

  it('starts the function once, and is not counted when that fails', async () => {
    const world = new World();
    const tasks = await started(world, { maxRestarts: 0 });
    let runs = 0;
    const work = async () => {
      runs += 1;
      throw CRASH;
    };
    await assert.rejects(tasks.run(work), CRASH);
    await world.clock.advance(60_000);
    assert.deepEqual([runs, tasks.state], [1, 'running']);
    await tasks.stop();
  });

  for (const [how, work] of [
    ['rejects', () => Promise.reject(CRASH)],
    ['throws at once', throwCrash],
  ] as const) {
    it(`DYN-13: gives the very error to the caller when the function ${how}, and reports the crash`, async () => {
      const world = new World();
      const crashes: string[] = [];
      const tasks = await started(world, { name: 'tasks', onCrash: (id) => void crashes.push(id) });
      const error: unknown = await tasks.run(work).catch((cause: unknown) => cause);
      await world.rest();
      assert.equal(error, CRASH);
      assert.deepEqual(crashes, ['task_1']);
      assert.deepEqual(world.errors, [{ text: 'child "task_1" of "tasks" (incarnation 1) crashed: Error: boom', details: CRASH }]);
      assert.ok(world.events.some(({ eventType }) => eventType === 'process_crashed'));
      await tasks.stop();
    });
  }

  it('EXIT-06: a ProcessExit is no crash; the caller gets it', async () => {
    const world = new World();
    const tasks = await started(world);
    const exit = new ProcessExit('shutdown', 'enough');
    const error: unknown = await tasks
      .run(() => {
        throw exit;
      })
      .catch((cause: unknown) => cause);
    await world.rest();
    assert.deepEqual([error, world.errors], [exit, []]);
    await tasks.stop();
  });

  it('DYN-13: DYN-05: is refused at maxChildren, and runs nothing', async () => {
    const world = new World();
    const tasks = await started(world, { maxChildren: 1 });
    const first = tasks.run((ctx) => after(ctx, 10, 'first'));
    await assert.rejects(
      tasks.run(() => assert.fail('there is no room')),
      failsWith('TooManyChildren', { maxChildren: 1 }),
    );
    await world.clock.advance(10);
    assert.equal(await first, 'first');
    await tasks.stop();
  });

  it('is refused while the supervisor does not run', async () => {
    const world = new World();
    const tasks = new TaskSupervisor({}, world.environment);
    await assert.rejects(
      tasks.run(() => 1),
      failsWith('InvalidState'),
    );
    await tasks.start();
    await tasks.stop();
    await assert.rejects(
      tasks.run(() => 1),
      failsWith('InvalidState'),
    );
  });
});

describe('a task that is ended', () => {
  it('is killed without a result: the caller hears ProcessNotFound, and what the code still does is nothing to anybody', async () => {
    const world = new World();
    const tasks = await started(world);
    const late: { finish?: () => void } = {};
    const running = errorFrom(
      tasks.run(
        () =>
          new Promise<void>((resolve) => {
            late.finish = resolve;
          }),
      ),
    );
    await world.rest();
    tasks.kill();
    const error = await running;
    assert.deepEqual([error.code, error.message], ['ProcessNotFound', 'task "task_1" ended without a result: killed']);
    late.finish?.();
    await world.rest();
    assert.deepEqual(await tasks.exited, { kind: 'killed' });
  });

  it('does not listen: is killed at the deadline of the stop', async () => {
    const world = new World();
    const tasks = await started(world);
    const running = errorFrom(tasks.run(never));
    await world.rest();
    const stopping = tasks.stop();
    await world.clock.advance(4999);
    assert.equal(tasks.state, 'stopping');
    await world.clock.advance(1);
    await stopping;
    assert.equal((await running).code, 'ProcessNotFound');
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('may still give a result when it is only asked to stop', async () => {
    const world = new World();
    const tasks = await started(world);
    const running = tasks.run(async (ctx) => {
      await ctx.stopped;
      return 'what there was so far';
    });
    await world.rest();
    await tasks.stop();
    assert.equal(await running, 'what there was so far');
    assert.deepEqual(world.errors, []);
  });

  it('lets its AbortError through: the caller gets that, and it is no crash', async () => {
    const world = new World();
    const tasks = await started(world);
    const running = tasks.run(
      (ctx) =>
        new Promise((_, reject) => {
          ctx.signal.addEventListener('abort', () => reject(new DOMException('stopped', 'AbortError')));
        }),
    );
    const error = running.catch((cause: unknown) => cause);
    const [row] = await tasks.whichChildren();
    assert.ok(row?.ref);
    await tasks.terminateChild(row.ref);
    const cause = await error;
    assert.ok(cause instanceof DOMException && cause.name === 'AbortError');
    assert.deepEqual(world.errors, []);
    await tasks.stop();
  });

  it('lets the reason of its signal through: the caller hears ProcessNotFound, since that is no error of the function', async () => {
    const world = new World();
    const tasks = await started(world);
    const running = errorFrom(
      tasks.run(async (ctx) => {
        await ctx.stopped;
        ctx.signal.throwIfAborted();
      }),
    );
    await world.rest();
    await tasks.stop();
    const { code, message } = await running;
    assert.deepEqual([code, message], ['ProcessNotFound', 'task "task_1" ended without a result: shutdown']);
    assert.deepEqual(world.errors, []);
  });

  it('ends by a link before it has a result: the caller hears ProcessNotFound with the cause', async () => {
    const world = new World();
    const peer = world.child('peer');
    const peers = await world.started({ children: [peer] });
    const tasks = await started(world);
    const running = errorFrom(
      tasks.run((ctx) => {
        ctx.link(peer.ref);
        return never();
      }),
    );
    await world.rest();
    peer.crash();
    const error = await running;
    assert.deepEqual([error.code, error.cause], ['ProcessNotFound', CRASH]);
    await Promise.all([tasks.stop(), peers.stop()]);
  });
});

describe('the owner of a task', () => {
  const ends: Record<string, 'crash' | 'finish'> = { crashes: 'crash', returns: 'finish' };
  for (const [how, end] of Object.entries(ends)) {
    it(`DYN-13: takes the task along when it ${how}`, async () => {
      const world = new World();
      const owner = world.child('owner', { restartType: 'temporary' });
      const owners = await world.started({ children: [owner] });
      const tasks = await started(world);
      let signal: AbortSignal | undefined;
      const running = tasks.run(
        async (ctx) => {
          signal = ctx.signal;
          await ctx.stopped;
          throw new Error('stopped');
        },
        { owner: owner.ref },
      );
      const failed = watch(running);
      await world.rest();
      assert.deepEqual([failed.settled, signal?.aborted], [false, false]);
      owner[end]();
      await world.rest();
      assert.deepEqual([failed.settled, signal?.aborted, await tasks.whichChildren()], [true, true, []]);
      await assert.rejects(running, /stopped/);
      await Promise.all([tasks.stop(), owners.stop()]);
    });
  }

  it('DYN-13: leaves a task alone that was not given it', async () => {
    const world = new World();
    const owner = world.child('owner', { restartType: 'temporary' });
    const owners = await world.started({ children: [owner] });
    const tasks = await started(world);
    const running = tasks.run((ctx) => after(ctx, 10, 'done'), {});
    owner.crash();
    await world.clock.advance(10);
    assert.equal(await running, 'done');
    await Promise.all([tasks.stop(), owners.stop()]);
  });

  it('DYN-13: has ended before: the task is stopped at once', async () => {
    const world = new World();
    const owner = world.child('owner', { restartType: 'temporary' });
    const owners = await world.started({ children: [owner] });
    const tasks = await started(world);
    await owners.terminateChild('owner');
    const running = errorFrom(tasks.run((ctx) => ctx.inbox.recv(), { owner: owner.ref }));
    await world.rest();
    assert.equal((await running).code, 'InboxClosed');
    assert.deepEqual(await tasks.whichChildren(), []);
    await Promise.all([tasks.stop(), owners.stop()]);
  });

  it('is watched no longer when the task has its result', async () => {
    const world = new World();
    const owner = world.child('owner');
    const owners = await world.started({ children: [owner] });
    const tasks = await started(world);
    let watches = 0;
    const counted: ProcessRef = Object.create(owner.ref, {
      isAlive: { value: () => owner.ref.isAlive() },
      monitor: {
        value: (): Monitor => {
          const monitor = owner.ref.monitor();
          watches += 1;
          return {
            down: monitor.down,
            demonitor: () => {
              watches -= 1;
              return monitor.demonitor();
            },
          };
        },
      },
    });
    const running = tasks.run((ctx) => after(ctx, 10, 'done'), { owner: counted });
    await world.rest();
    assert.equal(watches, 1);
    await world.clock.advance(10);
    assert.equal(await running, 'done');
    await world.rest();
    assert.equal(watches, 0);
    owner.crash();
    await world.rest();
    assert.equal(tasks.state, 'running');
    await Promise.all([tasks.stop(), owners.stop()]);
  });

  it('may end while the supervisor stops, and nothing comes of it', async () => {
    const world = new World();
    const owner = world.child('owner', { restartType: 'temporary' });
    const owners = await world.started({ children: [owner] });
    const tasks = await started(world);
    const running = errorFrom(tasks.run(never, { owner: owner.ref }));
    await world.rest();
    const stopping = tasks.stop();
    owner.crash();
    await world.clock.advance(5000);
    await stopping;
    assert.equal((await running).code, 'ProcessNotFound');
    await owners.stop();
  });
});

describe('what run is given', () => {
  const bad: [string, unknown, unknown, string][] = [
    ['no function', undefined, undefined, 'work'],
    ['text as a function', 'work', undefined, 'work'],
    ['null as options', noop, null, 'run options'],
    ['text as options', noop, 'owner', 'run options'],
    ['null as an owner', noop, { owner: null }, 'owner'],
    ['an id as an owner', noop, { owner: 'task_1' }, 'owner'],
    ['an object as an owner', noop, { owner: {} }, 'owner'],
  ];
  for (const [what, work, options, option] of bad) {
    it(`is refused by a rejection, and nothing is started: ${what}`, async () => {
      const world = new World();
      const tasks = await started(world);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what JavaScript could pass
      const running = tasks.run(work as TaskFunction<unknown>, options as RunTaskOptions);
      await assert.rejects(running, failsWith('InvalidConfiguration', { option }));
      assert.equal((await tasks.countChildren()).workers, 0);
      await tasks.stop();
    });
  }

  it('is refused when the supervisor is made, for the options of a dynamic one', () => {
    const world = new World();
    for (const options of [null, { maxChildren: -1 }, { maxRestarts: 1.5 }, { restartDelay: {} }]) {
      assert.throws(
        // @ts-expect-error what JavaScript could pass
        () => new TaskSupervisor(options, world.environment),
        (error) => isVigilError(error, 'InvalidConfiguration'),
      );
    }
  });
});

it('a task supervisor can be a child of another supervisor', async () => {
  const world = new World();
  const tasks = new TaskSupervisor({ name: 'tasks' }, world.environment);
  const top = await world.started({ name: 'top', children: [{ id: 'tasks', startFn: tasks }] });
  assert.equal(await tasks.run(() => 42), 42);
  assert.equal(tasks.path, 'top/tasks');
  const running = tasks.run(async (ctx) => ctx.stopped);
  await world.rest();
  assert.deepEqual(
    top.getChildInfo('tasks')?.supervisor?.children.map(({ id }) => id),
    ['task_2'],
  );
  await top.stop();
  await running;
  assert.deepEqual([tasks.state, world.errors], ['stopped', []]);
});

function throwCrash(): never {
  throw CRASH;
}

/** Resolves with `result` when virtual time has passed. */
function after<T>({ clock }: ProcessContext, ms: number, result: T): Promise<T> {
  return new Promise((resolve) => {
    clock.after(ms, () => resolve(result));
  });
}

async function noop(): Promise<void> {}
