import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SystemClock } from '../../core/index.js';
import { VirtualClock } from '../../testing/index.js';
import { readProcessFigures } from './process-figures.js';
import { GuardProcess } from './process-guard.js';
import { eventually, runs } from './programs.suite.js';

const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);

/** A parent that watches the groups of some programs, ends one watch, and says, when that is told, which processes there are. */
const PARENT = `
  import { spawn } from 'node:child_process';
  import { GuardProcess } from ${url('process-guard.js')};
  import { VirtualClock } from ${url('../../testing/index.js')};
  const clock = new VirtualClock();
  const guard = new GuardProcess(clock, console);
  const stubborn = ['-c', 'trap "" TERM INT HUP; (trap "" TERM INT HUP; while :; do sleep 1000; done) & while :; do sleep 1000; done'];
  const start = () => spawn('sh', stubborn, { detached: true, stdio: 'ignore' });
  const [watched, other, released] = [start(), start(), start()];
  const cancels = [watched, other, released].map(({ pid }) => guard.watch(pid));
  cancels[2]();
  await clock.advance(100);
  for (const child of [watched, other, released]) child.unref();
  if (process.argv[1] === 'stay') setInterval(() => {
    if (guard.pid !== first) console.log(guard.pid);
  }, 5);
  const first = guard.pid;
  console.log(guard.pid, watched.pid, other.pid, released.pid);`;

interface Report {
  readonly guard: number;
  readonly watched: readonly number[];
  readonly released: number;
}

function nextLine(lines: Interface): Promise<string> {
  return new Promise((resolve) => lines.once('line', resolve));
}

describe('the guard process', { timeout: 100_000 }, () => {
  let parent: ChildProcess | undefined;
  let lines: Interface | undefined;
  let groups: number[];

  const startParent = async (mode: 'stay' | 'leave'): Promise<Report> => {
    parent = spawn(process.execPath, ['--input-type=module', '-e', PARENT, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
    lines = createInterface(parent.stdout!);
    const [guard, one, other, released] = (await nextLine(lines)).split(' ').map(Number);
    groups = [one!, other!, released!];
    return { guard: guard!, watched: [one!, other!], released: released! };
  };

  beforeEach(() => {
    parent = undefined;
    groups = [];
  });

  afterEach(() => {
    parent?.kill('SIGKILL');
    for (const group of groups) {
      try {
        process.kill(-group, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
  });

  it('ends the watched groups, and no others, when its parent is killed, and then itself', async () => {
    const { guard, watched, released } = await startParent('stay');
    parent!.kill('SIGKILL');
    await eventually(() => !watched.some(runs) && !runs(guard));
    assert.equal(runs(released), true);
  });

  it('ends them, too, when its parent ends by itself: neither guard nor watch keeps Node alive', async () => {
    const { guard, watched } = await startParent('leave');
    assert.deepEqual(await once(parent!, 'exit'), [0, null]);
    await eventually(() => !watched.some(runs) && !runs(guard));
  });

  it('survives what the terminal sends to the group of its parent', async () => {
    const { guard } = await startParent('stay');
    assert.notEqual(readProcessFigures(guard)!.group, readProcessFigures(parent!.pid!)!.group);
  });

  describe('as its parent sees it', () => {
    let clock: VirtualClock;
    let errors: string[];
    let guard: GuardProcess;
    let group: ChildProcess;
    let release: () => boolean;

    /** Kills the guard and waits until another one, or none, has taken its place. */
    const killGuard = async (): Promise<void> => {
      const { pid } = guard;
      process.kill(pid!, 'SIGKILL');
      await eventually(() => guard.pid !== pid);
    };

    beforeEach(() => {
      clock = new VirtualClock();
      errors = [];
      guard = new GuardProcess(clock, { debug() {}, info() {}, warn() {}, error: (message) => errors.push(message) });
      group = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
      groups = [group.pid!];
      release = new SystemClock().keepAlive();
    });

    afterEach(() => release());

    it('is there once something is watched, and is one for all', () => {
      assert.equal(guard.pid, undefined);
      guard.watch(group.pid!);
      const { pid } = guard;
      guard.watch(2 ** 22 + 1)();
      assert.ok(pid !== undefined && guard.pid === pid);
    });

    it('says of each watch once whether it ended in time', () => {
      const cancel = guard.watch(group.pid!);
      assert.deepEqual([cancel(), cancel()], [true, false]);
    });

    it('is let go when nothing has been watched for a while, and comes back', async () => {
      const cancel = guard.watch(group.pid!);
      const { pid } = guard;
      await clock.advance(10_000);
      cancel();
      await clock.advance(4999);
      guard.watch(2 ** 22 + 1)();
      await clock.advance(4999);
      assert.equal(guard.pid, pid);
      await clock.advance(1);
      assert.equal(guard.pid, undefined);
      await eventually(() => !runs(pid!));
      assert.equal(runs(group.pid!), true);
      guard.watch(group.pid!);
      assert.ok(runs(guard.pid!));
      assert.deepEqual(errors, []);
    });

    it('has a successor when it dies', async () => {
      guard.watch(group.pid!);
      await killGuard();
      assert.ok(runs(guard.pid!));
      assert.deepEqual(errors, []);
    });

    it('has none when it dies while nothing is watched, until something is', async () => {
      guard.watch(group.pid!)();
      await killGuard();
      assert.equal(guard.pid, undefined);
      guard.watch(group.pid!);
      assert.ok(runs(guard.pid!));
    });

    it('is not tried again for a while when it dies again and again, and says so once', async () => {
      guard.watch(group.pid!);
      for (let death = 1; death <= 4; death += 1) await killGuard();
      assert.equal(guard.pid, undefined);
      guard.watch(group.pid!);
      assert.equal(guard.pid, undefined);
      assert.equal(errors.length, 1);
      await clock.advance(60_000);
      assert.ok(runs(guard.pid!));
      assert.equal(errors.length, 1);
    });

    it('has as many successors as it takes when each of them was up for a while', async () => {
      guard.watch(group.pid!);
      for (let death = 1; death <= 6; death += 1) {
        await clock.advance(10_000);
        await killGuard();
        assert.ok(runs(guard.pid!));
      }
      assert.deepEqual(errors, []);
    });
  });

  it('tells a successor of what is watched', async () => {
    const { guard, watched, released } = await startParent('stay');
    process.kill(guard, 'SIGKILL');
    const successor = Number(await nextLine(lines!));
    assert.notEqual(successor, guard);
    parent!.kill('SIGKILL');
    await eventually(() => !watched.some(runs) && !runs(successor));
    assert.equal(runs(released), true);
  });
});
