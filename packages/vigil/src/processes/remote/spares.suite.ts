import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { type Runtime, runtime } from '../../app/index.js';
import type { Inbox } from '../../core/index.js';
import type { ChildOptions, Supervisor } from '../../supervision/index.js';
import type { Runner } from '../runner.js';
import { activeResources } from './arena.suite.js';
import { it } from './patient-it.suite.js';

const VIGIL = new URL('../../index.js', import.meta.url).href;

/** A module that says at its import, and at its entry, which workplace it is in: a number of its own. */
const SOURCE = `
  const number = Math.random();
  export default async (ctx) => {
    ctx.whereis('observer').send(number);
    for await (const { payload } of ctx.inbox) if (payload === 'crash') throw new Error('told to');
  };`;

/** What holds for spares, be they threads or Node processes. */
export function describeSpares(
  kind: 'thread' | 'fork',
  runnerOf: (module: URL, spares: number) => Runner,
  /** How many workplaces there are now. */
  workplaces: () => number,
): void {
  describe(`spare ${kind}s`, () => {
    const resources = activeResources();
    const supervisors: Supervisor[] = [];
    let here: Runtime;
    let observer: Inbox;

    const supervise = async (runner: Runner, options: ChildOptions = {}, count = 1): Promise<Supervisor> => {
      const builder = here.supervisor().maxRestarts(10);
      for (let number = 1; number <= count; number += 1) builder.child(`worker_${number}`, runner, options);
      const supervisor = builder.build();
      supervisors.push(supervisor);
      await supervisor.start();
      return supervisor;
    };

    const heard = async (): Promise<unknown> => (await observer.recv()).payload;
    const settled = async (condition: () => boolean): Promise<void> => {
      while (!condition()) await new Promise<void>((resolve) => here.clock.after(5, resolve, { keepAlive: true }));
    };

    beforeEach(() => {
      here = runtime();
      observer = here.inbox();
      here.registry.register('observer', observer);
    });

    afterEach(async () => {
      for (const supervisor of supervisors.splice(0)) await supervisor.stop();
      await settled(() => workplaces() === 0 && isDeepStrictEqual(activeResources(), resources));
    });

    it('are there once a child is up, and as many as were asked for', async () => {
      await supervise(runnerOf(moduleWith(SOURCE), 2));
      await heard();
      await settled(() => workplaces() === 3);
    });

    it('are one lot for all children of a runner', async () => {
      await supervise(runnerOf(moduleWith(SOURCE), 1), {}, 3);
      await settled(() => workplaces() === 4);
    });

    it('are given up when the last child that uses them is gone', async () => {
      const runner = runnerOf(moduleWith(SOURCE), 1);
      const first = await supervise(runner);
      const second = await supervise(runner);
      await settled(() => workplaces() === 3);
      await first.stop();
      await settled(() => workplaces() === 2);
      await second.stop();
      await settled(() => workplaces() === 0);
    });

    it('serve the successor of a child that has crashed, and are replaced', async () => {
      const supervisor = await supervise(runnerOf(moduleWith(SOURCE), 1));
      const seen = new Set([await heard()]);
      for (let crash = 1; crash <= 5; crash += 1) {
        await settled(() => workplaces() === 2);
        supervisor.address('worker_1').send('crash');
        seen.add(await heard());
      }
      assert.equal(seen.size, 6);
      assert.equal(supervisor.getChildInfo('worker_1')?.incarnation, 6);
    });

    it('have no names to ask for while the module is imported, and ids of messages that no other has', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'vigil-spares-'));
      const file = join(folder, 'imports');
      const source = `
        import { appendFileSync } from 'node:fs';
        import { defaultRuntime, msg } from ${JSON.stringify(VIGIL)};
        const said = [];
        try { said.push(typeof defaultRuntime().registry.whereis('observer')); } catch (error) { said.push(error.code); }
        said.push(msg('x').build().id);
        appendFileSync(${JSON.stringify(file)}, 'x');
        export default async (ctx) => {
          ctx.whereis('observer').send([...said, msg('x').build().id]);
          await ctx.inbox.recv();
          throw new Error('told to');
        };`;
      try {
        const supervisor = await supervise(runnerOf(moduleWith(source), 1));
        const first = await heard();
        await settled(() => readFileSync(file, 'utf8').length === 2);
        supervisor.address('worker_1').send('crash');
        const second = await heard();
        assert.ok(Array.isArray(first) && Array.isArray(second));
        assert.deepEqual([first[0], second[0]], ['object', 'InvalidState']);
        assert.equal(new Set([...first.slice(1), ...second.slice(1)]).size, 4);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('are not shared between children of different limits', async () => {
      const runner = runnerOf(moduleWith(SOURCE), 1);
      const small = await supervise(runner, { maxMemoryBytes: 300 * 1024 * 1024 });
      const large = await supervise(runner, { maxMemoryBytes: 400 * 1024 * 1024 });
      await Promise.all([heard(), heard()]);
      for (const supervisor of [small, large]) {
        supervisor.address('worker_1').send('crash');
        await heard();
        assert.equal(supervisor.getChildInfo('worker_1')?.incarnation, 2);
      }
    });
  });
}

function moduleWith(source: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}
