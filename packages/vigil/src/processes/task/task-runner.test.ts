import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isVigilError, KILLED, nextTurn, ProcessExit, type VigilErrorCode } from '../../core/index.js';
import type { ProcessBody, ProcessContext } from '../process-context.js';
import type { Process, Runner } from '../runner.js';
import { describeRunner } from '../runner.suite.js';
import { type Script, scriptedBodies } from '../scripts.suite.js';
import { type RunnerHarness, Workbench } from '../workbench.suite.js';
import { TaskRunner } from './task-runner.js';

/** Runs the scripts as tasks, or one body instead of all of them. */
class TaskHarness implements RunnerHarness {
  readonly #bodies: Record<Script, ProcessBody>;
  readonly #body: ProcessBody | undefined;
  readonly quiet = nextTurn;
  letGo: () => void = () => {};

  constructor(body?: ProcessBody) {
    this.#body = body;
    this.#bodies = scriptedBodies(
      new Promise((resolve) => {
        this.letGo = resolve;
      }),
    );
  }

  runner(script: Script): Runner {
    return new TaskRunner(this.#body ?? this.#bodies[script]);
  }
}

describeRunner('task', () => new TaskHarness());

describe('a task', () => {
  let bench: Workbench;

  /** Starts `body` instead of a script. */
  const start = (body: ProcessBody, ...options: Parameters<Workbench['start']> extends [Script, ...infer O] ? O : never) => {
    bench = new Workbench(new TaskHarness(body));
    return bench.start('returns', ...options);
  };

  beforeEach(() => {
    bench = new Workbench(new TaskHarness());
  });

  afterEach(async () => {
    await bench.clear();
    assert.deepEqual(bench.violations, []);
  });

  it('enters its body during the start', () => {
    let isEntered = false;
    start(() => {
      isEntered = true;
    });
    assert.equal(isEntered, true);
  });

  it('crashes when its body throws at once, after the start and not during it', async () => {
    const error = new Error('thrown at once');
    const subject = start(() => {
      throw error;
    });
    assert.deepEqual(subject.news, ['ready']);
    assert.deepEqual(await subject.exited, { kind: 'crashed', error });
  });

  it('keeps the very error that was thrown', async () => {
    const error = new Error('thrown later');
    const reason = await start(() => Promise.reject(error)).exited;
    assert.ok(reason.kind === 'crashed' && reason.error === error);
  });

  it('ends with normal, whatever its body returns', async () => {
    // @ts-expect-error a body returns nothing
    assert.deepEqual(await start(() => 42).exited, { kind: 'normal' });
  });

  it('waits for whatever can be awaited', async () => {
    const error = new Error('from a promise of another library');
    const then = (_: unknown, reject: (error: Error) => void) => reject(error);
    // @ts-expect-error it is no Promise of the language
    // oxlint-disable-next-line unicorn/no-thenable -- what a body of another library may return
    const subject = start(() => ({ then }));
    assert.deepEqual(await subject.exited, { kind: 'crashed', error });
  });

  it('ends with the reason of a ProcessExit that comes when it is asked to stop', async () => {
    const subject = start(async (ctx) => {
      await ctx.stopped;
      throw new ProcessExit('normal');
    });
    subject.stop();
    assert.deepEqual(await subject.exited, { kind: 'normal' });
  });

  it('is not ready any more when its own code got it killed before it gave way', async () => {
    const killer: { process?: Process } = {};
    bench = new Workbench(new TaskHarness(() => killer.process?.kill()));
    const subject = bench.create('returns');
    killer.process = subject.process;
    subject.process.start();
    await nextTurn();
    assert.deepEqual(subject.news, [KILLED]);
  });

  it('logs nothing when it ends in time', async () => {
    for (const script of ['returns', 'crashes', 'waits_for_stop', 'exits_with_info'] as const) {
      const subject = bench.start(script);
      subject.stop();
      await subject.exited;
    }
    await nextTurn();
    assert.deepEqual(bench.logged, []);
  });

  it('logs once that its code has ended after a kill, and with which error', async () => {
    const error = new Error('late crash');
    const gate = openable();
    const subject = start(
      async () => {
        await gate.opened;
        throw error;
      },
      { id: 'worker', incarnation: 3 },
    );
    subject.process.kill();
    await nextTurn();
    assert.deepEqual(bench.logged, []);
    gate.open();
    await nextTurn();
    const message = 'task "worker" (incarnation 3) was killed and its code has ended only now';
    assert.deepEqual(bench.logged, [{ level: 'warn', message, details: error }]);
  });

  it('logs once that its code has ended after a kill without an error', async () => {
    const subject = start((ctx) => ctx.stopped);
    subject.process.kill();
    await nextTurn();
    assert.deepEqual(
      bench.logged.map(({ level, details }) => [level, details]),
      [['warn', undefined]],
    );
  });
});

describe('the context of a task', () => {
  let bench: Workbench;
  let context: ProcessContext;

  /** A task that waits for the end of the test, whatever it is asked, and gives its context away. */
  const start = () => {
    const gate = openable();
    const harness = new TaskHarness((ctx) => {
      context = ctx;
      return gate.opened;
    });
    harness.letGo = gate.open;
    bench = new Workbench(harness);
    return bench.start('returns', { id: 'worker', incarnation: 2, args: { size: 5 } });
  };

  afterEach(async () => {
    await bench.clear();
    assert.deepEqual(bench.violations, []);
  });

  it('tells who the task is, and gives it what its runtime has', () => {
    const subject = start();
    assert.deepEqual([context.id, context.incarnation, context.args], ['worker', 2, { size: 5 }]);
    assert.equal(context.self, subject.process.ref);
    assert.equal(context.log, bench.environment.log);
    assert.equal(context.clock, bench.environment.clock);
    assert.equal(context.inbox, context.inbox);
    assert.equal(context.inbox.name, 'worker');
  });

  it('has a signal that aborts when the task is asked to stop, with a ProcessExit as its reason', () => {
    const subject = start();
    const { signal } = context;
    assert.equal(context.signal, signal);
    assert.equal(signal.aborted, false);
    subject.stop();
    assert.equal(signal.aborted, true);
    assert.ok(signal.reason instanceof ProcessExit);
    assert.deepEqual(signal.reason.reason, { kind: 'shutdown' });
  });

  it('has a signal that has aborted when it is first read after the request to stop', () => {
    const subject = start();
    subject.stop();
    assert.equal(context.signal.aborted, true);
    assert.ok(context.signal.reason instanceof ProcessExit);
  });

  it('makes the signal when it is first read', () => {
    const { AbortController: Original } = globalThis;
    let made = 0;
    globalThis.AbortController = class extends Original {
      constructor() {
        super();
        made += 1;
      }
    };
    try {
      const subject = start();
      subject.stop();
      assert.equal(made, 0);
      assert.equal(context.signal, context.signal);
      assert.equal(made, 1);
    } finally {
      globalThis.AbortController = Original;
    }
  });

  it('has a signal that any number of waits can listen to, without a warning', async () => {
    const subject = start();
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const waits = Array.from({ length: 20 }, () => assert.rejects(context.inbox.recv({ signal: context.signal })));
    await nextTurn();
    subject.stop();
    await Promise.all(waits);
    process.off('warning', note);
    assert.deepEqual(warnings, []);
  });

  it('has a promise that resolves when the task is asked to stop', async () => {
    const subject = start();
    const { stopped } = context;
    assert.equal(context.stopped, stopped);
    let isStopped = false;
    const wait = async () => {
      await stopped;
      isStopped = true;
    };
    const waited = wait();
    await nextTurn();
    assert.equal(isStopped, false);
    subject.stop();
    await waited;
  });

  it('has a promise that has resolved when it is first read after the request to stop', async () => {
    start().stop();
    await context.stopped;
  });

  it('tells the code of a killed task that it should stop, before the host hears of the end', async () => {
    const subject = start();
    const newsAtAbort: number[] = [];
    context.signal.addEventListener('abort', () => newsAtAbort.push(subject.news.length));
    const { stopped } = context;
    subject.process.kill();
    await stopped;
    assert.deepEqual(newsAtAbort, [1]);
    assert.equal(bench.environment.names.whereis('worker'), undefined);
  });

  it('tells what a task has started that it should stop, also when the task ends by itself', async () => {
    const body: ProcessBody = (ctx) => {
      context = ctx;
    };
    bench = new Workbench(new TaskHarness(body));
    await bench.start('returns').exited;
    assert.equal(context.signal.aborted, true);
    await context.stopped;
  });

  it('has a promise that resolves at once unless the task is suspended, else when it is resumed', async () => {
    const subject = start();
    await context.resumed();
    subject.process.suspend();
    const first = context.resumed();
    subject.process.suspend();
    let isResumed = false;
    const wait = async () => {
      await Promise.all([first, context.resumed()]);
      isResumed = true;
    };
    const waited = wait();
    await nextTurn();
    assert.equal(isResumed, false);
    subject.process.resume();
    await waited;
    await context.resumed();
    subject.process.suspend();
    assert.equal(await Promise.race([context.resumed(), Promise.resolve('suspended again')]), 'suspended again');
  });

  it('TMR-09: cancels its timers when it ends, and starts no more', async () => {
    const subject = start();
    const { timer } = context;
    assert.equal(timer, context.timer);
    timer.setInterval(1_000, () => assert.fail('an interval of a task that has ended'));
    timer.exitAfter(1_000);
    timer.sendAfter(1_000, context.self, 'wake up');
    subject.process.kill();
    await subject.exited;
    assert.equal(timer.setTimeout(0, () => assert.fail('a timer of a task that has ended'))(), false);
    assert.deepEqual(timer.snapshot(), { pending: 0, fired: 0, cancelled: 3 });
  });

  it('lets nobody wait to be resumed who is asked to stop, or killed', async () => {
    for (const end of ['stop', 'kill'] as const) {
      const subject = start();
      subject.process.suspend();
      const resumed = context.resumed();
      if (end === 'stop') subject.stop();
      else subject.process.kill();
      await Promise.all([resumed, context.resumed()]);
    }
  });

  it('gives out nothing through an inbox that is first read while the task is suspended', () => {
    const subject = start();
    subject.process.suspend();
    subject.process.ref.send('a');
    assert.equal(context.inbox.tryRecv(), undefined);
    subject.process.resume();
    assert.equal(context.inbox.tryRecv()?.payload, 'a');
  });

  it('gives out everything through an inbox that is first read when the task was suspended and resumed', () => {
    const subject = start();
    subject.process.suspend();
    subject.process.resume();
    subject.process.ref.send('a');
    assert.equal(context.inbox.tryRecv()?.payload, 'a');
  });

  it('gives and frees names, and finds them', () => {
    const subject = start();
    context.register('first');
    context.register('second');
    assert.equal(context.whereis('first'), subject.process.ref);
    assert.throws(() => context.register('first'), withCode('AlreadyRegistered'));
    assert.deepEqual([context.unregister('first'), context.unregister('first')], [true, false]);
    assert.deepEqual([context.whereis('first'), context.whereis('second')], [undefined, subject.process.ref]);
  });

  it('does not free a name of somebody else', () => {
    start();
    assert.equal(context.unregister('observer'), false);
    assert.notEqual(context.whereis('observer'), undefined);
  });

  it('hears signals, each with the handler that was given last, and is crashed by a throw in it', async () => {
    const subject = start();
    const heard: string[] = [];
    context.onSignal('memoryWarning', () => heard.push('first'));
    context.onSignal('memoryWarning', () => heard.push('memory'));
    context.onSignal('cpuWarning', () => heard.push('cpu'));
    for (const signal of ['memoryWarning', 'cpuWarning', 'healthCheck'] as const) subject.process.notify(signal);
    assert.deepEqual(heard, ['memory', 'cpu']);
    const error = new Error('from the handler');
    context.onSignal('healthCheck', () => {
      throw error;
    });
    subject.process.notify('healthCheck');
    assert.deepEqual(await subject.exited, { kind: 'crashed', error });
    subject.process.notify('memoryWarning');
    assert.deepEqual(heard, ['memory', 'cpu']);
  });

  it('refuses a signal that there is not, and a handler that is none', () => {
    start();
    // @ts-expect-error there is no such signal
    assert.throws(() => context.onSignal('helthCheck', () => {}), withCode('InvalidConfiguration'));
    // @ts-expect-error no handler
    assert.throws(() => context.onSignal('healthCheck', 7), withCode('InvalidConfiguration'));
  });

  it('closes its inbox when it is asked to stop, after which a receive ends with what is queued, then with InboxClosed', async () => {
    const subject = start();
    subject.process.ref.send('queued');
    subject.stop();
    assert.equal(context.inbox.isClosed(), true);
    assert.equal((await context.inbox.recv()).payload, 'queued');
    await assert.rejects(context.inbox.recv(), withCode('InboxClosed'));
  });

  it('has a closed inbox when it is first read after the request to stop, or after the end', () => {
    const subject = start();
    subject.stop();
    assert.equal(context.inbox.isClosed(), true);
    const other = start();
    let isClosedAtEnd: boolean | undefined;
    other.process.ref.onClose(() => {
      isClosedAtEnd = context.inbox.isClosed();
    });
    other.process.kill();
    assert.equal(isClosedAtEnd, true);
  });

  it('rejects a waiting receive at once when the task is killed', async () => {
    const subject = start();
    const waiting = assert.rejects(context.inbox.recv(), withCode('InboxClosed'));
    subject.process.kill();
    await waiting;
  });

  it('has no effect any more once the task has ended', async () => {
    const subject = start();
    context.register('mine');
    subject.process.kill();
    assert.throws(() => context.register('late'), withCode('ProcessNotFound'));
    assert.equal(context.unregister('mine'), false);
    assert.throws(() => context.self.send('a'), withCode('ProcessNotFound'));
    assert.throws(() => context.inbox.send('a'), withCode('InboxClosed'));
    await assert.rejects(context.inbox.recv(), withCode('InboxClosed'));
    context.ready();
    await nextTurn();
    assert.deepEqual(subject.news, ['ready', KILLED]);
  });
});

describe('TaskRunner', () => {
  it('says what kind it is of', () => {
    assert.equal(new TaskRunner(() => {}).kind, 'task');
  });

  it('makes each process anew, with nothing of the one before', async () => {
    const harness = new TaskHarness();
    const bench = new Workbench(harness);
    const first = bench.create('handles_messages');
    const second = bench.create('handles_messages', { incarnation: 2 });
    first.process.ref.send('for the first');
    assert.equal(second.process.ref.stats().depth, 0);
    assert.notEqual(first.process.ref, second.process.ref);
    await bench.clear();
  });
});

function openable(): { readonly opened: Promise<void>; open: () => void } {
  const gate = { opened: Promise.resolve(), open: () => {} };
  gate.opened = new Promise((resolve) => {
    gate.open = resolve;
  });
  return gate;
}

function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
