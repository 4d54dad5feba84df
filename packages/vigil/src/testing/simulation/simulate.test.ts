import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { isVigilError } from '../../core/index.js';
import { genServer } from '../../messaging/index.js';
import type { ProcessContext } from '../../processes/index.js';
import { explore } from './explore.js';
import { type Scenario, simulate } from './simulate.js';

/** Two workers that crash now and then, and somebody who sends to both. */
const shop: Scenario<string[]> = async (simulation) => {
  const served: string[] = [];
  const serve = simulation.task(
    async ({ id, inbox }: ProcessContext<number>) => {
      for (;;) served.push(`${id} ${(await inbox.recv()).payload}`);
    },
    { crashes: 2, deafStops: 1 },
  );
  const supervisor = simulation.runtime
    .supervisor()
    .strategy('one_for_all')
    .maxRestarts(10)
    .child('a', serve, { shutdownTimeoutMs: 500 })
    .child('b', serve, { shutdownTimeoutMs: 500, restartDelay: { initialMs: 100 } })
    .build();
  await supervisor.start();
  const orders = Array.from({ length: 6 }, (_, order) =>
    simulation.deliver(`order ${order}`, () => {
      try {
        supervisor.address(order % 2 === 0 ? 'a' : 'b').send(order);
      } catch (error) {
        // It is down at the moment, or asked to stop.
        served.push(`no ${order}: ${isVigilError(error) ? error.code : 'unexpected'}`);
      }
    }),
  );
  await Promise.all(orders);
  await supervisor.stop();
  return served;
};

const outOfReach = (text: RegExp) => (error: unknown) => isVigilError(error, 'InvalidState') && text.test(error.message);

const endless: Scenario<never> = async (simulation) => {
  for (;;) await simulation.reach('again');
};

describe('simulate', () => {
  it('gives the same trace for the same seed', async () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const [first, second] = [await simulate(seed, shop), await simulate(seed, shop)];
      assert.deepEqual(first, second);
    }
  });

  it('lets things happen in many orders', async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 50; seed += 1) orders.add((await simulate(seed, shop)).result.join());
    assert.ok(orders.size > 30, `${orders.size} orders in 50 seeds`);
  });

  it('finds both orders of two things that race', async () => {
    const winners = new Set<string>();
    for (let seed = 0; seed < 20; seed += 1) {
      const { result } = await simulate(seed, (simulation) =>
        Promise.race([simulation.reach('one').then(() => 'one'), simulation.reach('two').then(() => 'two')]),
      );
      winners.add(result);
    }
    assert.deepEqual([...winners].toSorted(), ['one', 'two']);
  });

  it('lets a timer fire late, but never early and never out of order', async () => {
    const delays = new Set<number>();
    for (let seed = 0; seed < 100; seed += 1) {
      const { result } = await simulate(seed, async ({ clock }) => {
        const fired: number[] = [];
        const all = [20, 10].map((ms) => new Promise<void>((resolve) => clock.after(ms, () => resolve(void fired.push(ms, clock.now())))));
        await Promise.all(all);
        return fired;
      });
      assert.deepEqual([result[0], result[2]], [10, 20]);
      assert.ok((result[1] ?? 0) >= 10 && (result[3] ?? 0) >= 20);
      delays.add(result[1] ?? 0);
    }
    assert.ok(delays.has(10));
  });

  it('injects faults at moments that differ by seed', async () => {
    const restarts = new Set<number>();
    for (let seed = 0; seed < 30; seed += 1) {
      const { result } = await simulate(seed, async (simulation) => {
        const idle = simulation.task(({ stopped }) => stopped, { crashes: 2 });
        const supervisor = simulation.runtime.supervisor().maxRestarts(5).child('idle', idle).build();
        await supervisor.start();
        for (let i = 0; i < 5; i += 1) await simulation.reach('time goes by');
        const { totalRestarts } = supervisor.inspect();
        await supervisor.stop();
        return totalRestarts;
      });
      restarts.add(result);
    }
    assert.deepEqual(
      [...restarts].toSorted((a, b) => a - b),
      [0, 1, 2],
    );
  });

  it('scripts children that are slow, fail to start, crash and do not listen, and everything is told to the supervisor', async () => {
    const ends = new Set<string>();
    for (let seed = 0; seed < 60; seed += 1) {
      await simulate(seed, async (simulation) => {
        const child = simulation.child({ failedStarts: 1, crashes: 1, deafStops: 1 });
        const supervisor = simulation.runtime.supervisor().child('child', child, { readiness: 'explicit', shutdownTimeoutMs: 100 }).build();
        await supervisor.start().catch((error: unknown) => ends.add(isVigilError(error) ? error.code : 'unexpected'));
        await simulation.reach('a moment later');
        await supervisor.stop();
        ends.add(supervisor.getChildInfo('child')?.lastExit?.reason.kind ?? 'none');
      });
    }
    assert.deepEqual([...ends].toSorted(), ['ProcessStartFailed', 'crashed', 'killed', 'shutdown']);
  });

  it('lets a task learn of a stop through its signal, its inbox or its loop', async () => {
    for (let seed = 0; seed < 30; seed += 1) {
      const { result } = await simulate(seed, async (simulation) => {
        const heard: string[] = [];
        const bySignal = simulation.task(
          ({ id, signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(void heard.push(id)))),
        );
        const byLoop = simulation.task<number>(async ({ id, inbox }) => {
          for await (const { payload } of inbox) heard.push(String(payload));
          heard.push(id);
        });
        const patient = { shutdownTimeoutMs: 'infinity' } as const;
        const supervisor = simulation.runtime.supervisor().child('signal', bySignal, patient).child('loop', byLoop, patient).build();
        await supervisor.start();
        supervisor.address<number>('loop').send(7);
        await supervisor.stop();
        return heard;
      });
      assert.deepEqual(result.slice(-2), ['loop', 'signal']);
    }
  });

  it('lets plain tasks and servers take part as they are, and their messages come in many orders', async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 60; seed += 1) {
      const { result } = await simulate(seed, async ({ runtime }) => {
        let tellAll: (all: string) => void = () => {};
        const all = new Promise<string>((resolve) => (tellAll = resolve));
        const add = (who: string, before: string) => {
          if (before.length === 1) tellAll(before + who);
          return before + who;
        };
        const server = await runtime.startServer(genServer({ init: () => '', cast: { add } }));
        const sender = async ({ id }: ProcessContext) => server.cast.add(id);
        const once = { restartType: 'temporary' } as const;
        const supervisor = runtime.supervisor().child('a', sender, once).child('b', sender, once).build();
        await supervisor.start();
        const told = await all;
        await supervisor.stop();
        await server.stop();
        return told;
      });
      orders.add(result);
    }
    assert.deepEqual([...orders].toSorted(), ['ab', 'ba']);
  });

  it('does not enter a task that was killed before its turn', async () => {
    let entered = 0;
    for (let seed = 0; seed < 30; seed += 1) {
      await simulate(seed, async (simulation) => {
        const supervisor = simulation.runtime
          .supervisor()
          .child('late', () => void (entered += 1))
          .build();
        const started = supervisor.start();
        supervisor.kill();
        await started.catch(() => {});
        await supervisor.exited;
        for (let moment = 0; moment < 5; moment += 1) await simulation.reach('time goes by');
      });
    }
    assert.equal(entered, 0);
  });

  it('holds a task that looks whether there is a message, too', async () => {
    const looks = new Set<number>();
    for (let seed = 0; seed < 60; seed += 1) {
      const { result } = await simulate(seed, async (simulation) => {
        let count = 0;
        const poller = async ({ inbox }: ProcessContext<string>) => {
          for (;;) {
            count += 1;
            if (inbox.tryRecv() !== undefined) return;
            await simulation.reach('look again');
          }
        };
        const supervisor = simulation.runtime.supervisor().child('poller', poller, { restartType: 'temporary' }).build();
        await supervisor.start();
        supervisor.address('poller').send('x');
        await supervisor.getChildInfo('poller')?.ref?.monitor().down;
        await supervisor.stop();
        return count;
      });
      looks.add(result);
    }
    assert.ok(looks.size > 1 && !looks.has(1), [...looks].join());
  });

  it('tells a task that looks for a message at once that there will be none', async () => {
    await simulate(1, async ({ runtime }) => {
      let error: unknown;
      const poller = async ({ inbox, stopped }: ProcessContext) => {
        await stopped;
        try {
          inbox.tryRecv();
        } catch (thrown) {
          error = thrown;
        }
      };
      const supervisor = runtime.supervisor().child('poller', poller).build();
      await supervisor.start();
      await supervisor.stop();
      assert.ok(isVigilError(error, 'InboxClosed'));
    });
  });

  it('refuses what is no seed, no scenario and no choices', async () => {
    const idle: Scenario<number> = () => Promise.resolve(1);
    const refused = (error: unknown) => isVigilError(error, 'InvalidConfiguration');
    await assert.rejects(simulate(0.5, idle), refused);
    await assert.rejects(simulate(1, JSON.parse('{}')), refused);
    await assert.rejects(simulate(1, idle, { maxSteps: 0 }), refused);
    for (const choices of ['[-1]', '[0.5]', '"x"', '{}'])
      await assert.rejects(simulate(1, idle, { choices: JSON.parse(choices) }), refused);
    for (const options of [{ seeds: 0 }, { fromSeed: 0.5 }, { maxSteps: -1 }, { maxShrinks: -1 }])
      await assert.rejects(explore(idle, options), refused);
  });

  it('passes on what the scenario throws', async () => {
    await assert.rejects(
      simulate(1, async (simulation) => {
        await simulation.reach('the end');
        throw new Error('boom');
      }),
      /boom/,
    );
  });

  it('says that a scenario awaits something that never comes', async () => {
    await assert.rejects(
      simulate(7, () => new Promise(() => {})),
      outOfReach(/seed 7, step 0: the scenario awaits something that nothing in the simulation settles/),
    );
  });

  it('says that a scenario does not end', async () => {
    await assert.rejects(
      simulate(7, endless, { maxSteps: 100 }),
      outOfReach(/seed 7, step 100: the scenario has not ended after 100 steps/),
    );
  });

  // Last, because the file is still being closed when the simulation has failed.
  it('says that a scenario awaits a file', async () => {
    await assert.rejects(
      simulate(7, () => readFile(new URL(import.meta.url))),
      outOfReach(/seed 7, step 0: the scenario awaits something outside of the simulation: FSReq/),
    );
  });
});
