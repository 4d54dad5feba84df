import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { runtime } from '../../app/index.js';
import { type ExitReason, isVigilError, type VigilError, type VigilErrorCode } from '../../core/index.js';
import type { ChildOptions, Supervisor } from '../../supervision/index.js';
import { isRunning, readGroup, readProcessFigures } from '../os/process-figures.js';
import { descendants, eventually, leftovers, runs } from '../os/programs.suite.js';
import { type CommandRunner, command } from './command-runner.js';

const MEBIBYTE = 2 ** 20;

/** A shell that misbehaves the first time and behaves from then on. */
function onceBad(code: string): CommandRunner {
  return command('sh', ['-c', `[ $VIGIL_INCARNATION = 1 ] || exec sleep 1000; ${code}`]);
}

function onceBadNode(code: string): CommandRunner {
  return command(process.execPath, ['-e', `if (process.env.VIGIL_INCARNATION === '1') { ${code} } else { setInterval(() => {}, 1000) }`]);
}

describe('whatever a command does', { timeout: 100_000 }, () => {
  let vigil: ReturnType<typeof runtime>;
  let supervisor: Supervisor;
  let ends: { readonly incarnation: number; readonly reason: ExitReason }[];
  let restarted: Promise<void>;
  let wasAlive: readonly string[];

  const start = async (runner: CommandRunner, options: ChildOptions = {}): Promise<number> => {
    supervisor = vigil
      .supervisor()
      .child('it', runner, { shutdownTimeoutMs: 100, ...options })
      .build();
    await supervisor.start();
    return pid();
  };
  const pid = (): number => supervisor.getChildInfo('it')!.vitals!.pid!;

  beforeEach(() => {
    wasAlive = process.getActiveResourcesInfo();
    vigil = runtime();
    ends = [];
    const hear = ({ metadata: { incarnation, reason } }: { readonly metadata: (typeof ends)[number] }): void => {
      ends.push({ incarnation, reason });
    };
    vigil.telemetry.on('process_crashed', hear);
    vigil.telemetry.on('process_stopped', hear);
    restarted = new Promise((resolve) => {
      vigil.telemetry.on('process_started', ({ metadata }) => {
        if (metadata.incarnation === 2) resolve();
      });
    });
  });

  afterEach(async () => {
    await supervisor.stop();
    assert.deepEqual(leftovers(), []);
    // What the standard streams of this test need may come and go, and what is due in this turn.
    const isOfPrograms = (resource: string) => resource.startsWith('Process') || resource === 'Timeout';
    assert.deepEqual(process.getActiveResourcesInfo().filter(isOfPrograms), wasAlive.filter(isOfPrograms));
  });

  /** The first incarnation ended so, nothing of its group runs, and the second one is up. */
  const assertRestarted = async (group: number, code: VigilErrorCode): Promise<VigilError> => {
    await restarted;
    assert.equal(ends.length, 1);
    const { incarnation, reason } = ends[0]!;
    assert.equal(incarnation, 1);
    assert.ok(reason.kind === 'crashed' && isVigilError(reason.error, code), JSON.stringify(reason));
    assert.deepEqual(readGroup(group).filter(isRunning), []);
    assert.equal(runs(pid()), true);
    return reason.error;
  };

  it('exit 3: its crash has the code, and it is restarted', async () => {
    const group = await start(onceBad('echo "the disk is full" >&2; exit 3'));
    const { message, details } = await assertRestarted(group, 'AbnormalExit');
    assert.match(message, /exited with code 3; it last wrote to stderr: the disk is full$/);
    assert.equal(details['exitCode'], 3);
  });

  it('abort: its crash has the signal, and it is restarted', async () => {
    const group = await start(onceBadNode('process.abort()'));
    const { details } = await assertRestarted(group, 'AbnormalExit');
    assert.equal(details['signal'], 'SIGABRT');
  });

  it('a missing program: the supervisor does not start, and nothing runs', async () => {
    supervisor = vigil
      .supervisor()
      .child('other', command('sleep', ['1000']))
      .child('it', command('no-such-program'))
      .build();
    await assert.rejects(supervisor.start(), (error) => {
      assert.ok(isVigilError(error, 'ProcessStartFailed') && isVigilError(error.cause, 'ProcessStartFailed'));
      assert.match(error.cause.message, /there is no program "no-such-program" in the PATH$/);
      return true;
    });
    assert.deepEqual(leftovers(), []);
  });

  it('an endless loop that ignores its stop signal: it is killed after its grace', async () => {
    const loops = command(process.execPath, ['-e', "process.on('SIGTERM', () => {}); console.log('loops'); for (;;);"], {
      readyWhen: 'loops',
    });
    const group = await start(loops);
    await supervisor.stop();
    assert.deepEqual(ends, [{ incarnation: 1, reason: { kind: 'killed' } }]);
    assert.deepEqual(readGroup(group).filter(isRunning), []);
  });

  it('out of memory: it is named, and the program is restarted', async () => {
    const grows = onceBadNode(`const all = []; setInterval(() => all.push(Buffer.alloc(${4 * MEBIBYTE}, 1)), 1)`);
    const group = await start(grows, { healthCheckIntervalMs: 10, maxMemoryBytes: 200 * MEBIBYTE });
    const { details } = await assertRestarted(group, 'OutOfMemory');
    assert.ok(Number(details['memoryBytes']) > 200 * MEBIBYTE);
  });

  it('SIGKILL from outside: it is a crash with that signal', async () => {
    const group = await start(onceBad('exec sleep 1000'));
    process.kill(group, 'SIGKILL');
    const { details } = await assertRestarted(group, 'AbnormalExit');
    assert.equal(details['signal'], 'SIGKILL');
  });

  it('SIGSTOP from outside: it stands still, and still obeys a stop', async () => {
    const group = await start(command('sleep', ['1000']), { shutdownTimeoutMs: 10_000 });
    process.kill(group, 'SIGSTOP');
    await eventually(() => readProcessFigures(group)?.state === 'T');
    await supervisor.stop();
    assert.deepEqual(ends, [{ incarnation: 1, reason: { kind: 'shutdown' } }]);
  });

  const floods = {
    'lines to stdout': "yes $(printf '%070d' 0) | head -c 100000000",
    'lines to stderr': "yes $(printf '%070d' 0) | head -c 100000000 >&2",
    'one line to stdout': 'head -c 100000000 /dev/zero',
  };
  for (const [what, code] of Object.entries(floods)) {
    it(`100 MB of ${what}: neither memory nor event loop of its supervisor suffer`, async () => {
      const before = process.memoryUsage.rss();
      const delays = monitorEventLoopDelay({ resolution: 1 });
      delays.enable();
      const group = await start(onceBad(`${code}; exit 3`));
      await assertRestarted(group, 'AbnormalExit');
      delays.disable();
      const grownBytes = process.memoryUsage.rss() - before;
      assert.ok(grownBytes < 100 * MEBIBYTE, `${grownBytes} bytes more`);
      assert.ok(delays.max / 1e6 < 1000, `the event loop stood still for ${delays.max / 1e6} ms`);
    });
  }

  it('a grandchild that ignores SIGTERM: it ends with its group, after a crash', async () => {
    const group = await start(onceBad('(trap "" TERM INT HUP; while :; do sleep 1000; done) & (trap "" TERM; exec sleep 1000) & exit 3'));
    await assertRestarted(group, 'AbnormalExit');
  });

  it('a grandchild that ignores SIGTERM: it ends with its group, after a stop', async () => {
    const stubborn = command('sh', ['-c', '(trap "" TERM; echo up; while :; do sleep 1000; done) & wait'], { readyWhen: 'up' });
    const group = await start(stubborn, { shutdownTimeoutMs: 10_000 });
    await eventually(() => readGroup(group).length >= 3);
    await supervisor.stop();
    assert.deepEqual(ends, [{ incarnation: 1, reason: { kind: 'shutdown' } }]);
    assert.deepEqual(readGroup(group).filter(isRunning), []);
  });
});

describe('when the process of the supervisor is killed', { timeout: 100_000 }, () => {
  it('its commands and all that they have started end soon, and so does the guard', async () => {
    const url = JSON.stringify(new URL('../../index.js', import.meta.url).href);
    const code = `
      import * as vigil from ${url};
      const stubborn = '(trap "" TERM INT HUP; while :; do sleep 1000; done) & trap "" TERM INT HUP; echo up; while :; do sleep 1000; done';
      const supervisor = vigil.supervisor()
        .child('one', vigil.command('sh', ['-c', stubborn], { readyWhen: 'up' }))
        .child('two', vigil.command('sleep', ['1000']))
        .build();
      await supervisor.start();
      console.log('up');`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(createInterface(parent.stdout), 'line');
    // Two shells with a sleep each, the other sleep, the guard.
    await eventually(() => descendants(parent.pid).length === 6);
    const all = descendants(parent.pid);
    parent.kill('SIGKILL');
    await eventually(() => !all.some(runs));
  });
});
