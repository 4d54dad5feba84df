import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError, type VigilErrorCode } from '../core/index.js';
import { expectMessage } from './expectations.js';
import { type Life, scriptedChild } from './scripted-child.js';
import { TestContext } from './test-context.js';

const withCode = (code: VigilErrorCode) => (error: unknown) => isVigilError(error, code);

describe('a test context', () => {
  it('OBS-07: fires timers as time passes, in the order of their deadlines', async () => {
    await using context = new TestContext();
    const fired: number[] = [];
    context.timer.setInterval(4, () => fired.push(context.now()));
    context.timer.setTimeout(10, () => fired.push(context.now()));
    await context.advanceTime(3);
    assert.deepEqual(fired, []);
    await context.advanceTime(9);
    assert.deepEqual([fired, context.now()], [[4, 8, 10, 12], 12]);
  });

  it('has chance that replays from its seed', () => {
    const numbers = (seed?: number) => {
      const { random, runtime } = new TestContext({ seed });
      return [random.next(), random.next(), runtime.random.next()];
    };
    assert.deepEqual(numbers(7), numbers(7));
    assert.notDeepEqual(numbers(7), numbers(8));
    assert.throws(() => new TestContext({ seed: 0.5 }), withCode('InvalidConfiguration'));
  });

  it('keeps what is logged, and what is sent to it later', async () => {
    await using context = new TestContext();
    const inbox = context.mockInbox();
    context.timer.setTimeout(1, () => {
      throw new Error('boom');
    });
    context.timer.sendAfter(2, inbox, 'wake up');
    await context.advanceTime(2);
    assert.deepEqual([context.logged.length, context.logged[0]?.level], [1, 'error']);
    expectMessage(inbox, { payload: 'wake up' });
  });

  it('ends with everything that it has made, whatever its children do', async () => {
    const context = new TestContext();
    const ended: string[] = [];
    const supervisor = context.mockSupervisor().addChild('worker', async (ctx) => {
      await ctx.stopped;
      ended.push('worker');
    });
    await supervisor.start();
    const app = context.runtime.app({ log: false }).worker('stubborn', scriptedChild([{ does: 'ignores_stop' }]));
    await app.start();
    context.timer.setInterval(1, () => ended.push('a timer'));
    await context[Symbol.asyncDispose]();
    assert.deepEqual(ended, ['worker']);
    assert.deepEqual([supervisor.supervisor.state, app.root.state, context.clock.pendingTimers], ['stopped', 'stopped', 0]);
  });
});

describe('a mock supervisor', () => {
  it('restarts a child that the test makes fail, by its strategy', async () => {
    await using context = new TestContext();
    const entered: string[] = [];
    const enter = ({ id, incarnation }: { id: string; incarnation: number }) => void entered.push(`${id}#${incarnation}`);
    const supervisor = context.mockSupervisor({ strategy: 'rest_for_one' }).addChild('a', enter).addChild('b', enter).addChild('c');
    assert.deepEqual([supervisor.childCount(), supervisor.getRestartCount()], [3, 0]);
    await supervisor.start();
    await supervisor.failChild('b');
    assert.deepEqual(entered, ['a#1', 'b#1', 'b#2']);
    assert.deepEqual([supervisor.getRestartCount(), supervisor.childCount()], [1, 3]);
    const { lastExit } = supervisor.supervisor.getChildInfo('b') ?? {};
    assert.ok(lastExit?.reason.kind === 'crashed' && String(lastExit.reason.error) === 'Error: the test made child "b" fail');
  });

  it('gives up when its budget is used up', async () => {
    await using context = new TestContext();
    const supervisor = context.mockSupervisor({ maxRestarts: 1, maxSeconds: 10 }).addChild('a');
    await supervisor.start();
    const error = new Error('bad luck');
    await supervisor.failChild('a', error);
    await context.advanceTime(9_999);
    await supervisor.failChild('a', error);
    assert.equal(supervisor.supervisor.state, 'stopped');
    const reason = await supervisor.supervisor.exited;
    assert.ok(reason.kind === 'shutdown' && isVigilError(reason.info, 'TooManyRestarts'));
    await assert.rejects(supervisor.failChild('a'), withCode('InvalidState'));
  });

  it('says what it cannot do', async () => {
    await using context = new TestContext();
    const supervisor = context.mockSupervisor({ name: 'mock' }).addChild('a');
    assert.throws(() => supervisor.addChild('a'), withCode('AlreadyMonitoring'));
    assert.throws(() => supervisor.supervisor, withCode('InvalidState'));
    await assert.rejects(supervisor.failChild('a'), withCode('InvalidState'));
    await supervisor.start();
    assert.throws(() => supervisor.addChild('b'), withCode('InvalidState'));
    await assert.rejects(supervisor.failChild('b'), withCode('ChildNotFound'));
    await supervisor.stop();
    await assert.rejects(supervisor.failChild('a'), withCode('InvalidState'));
    await assert.rejects(context.mockSupervisor({ maxRestarts: -1 }).start(), withCode('InvalidConfiguration'));
  });
});

describe('a scripted child', () => {
  const ends = async (lives: readonly Life[], untilMs = 0) => {
    const context = new TestContext();
    const ended: string[] = [];
    const note = ({ metadata }: { metadata: { incarnation: number; reason: { kind: string } } }) =>
      ended.push(`${metadata.incarnation} ${metadata.reason.kind} at ${context.now()}`);
    context.runtime.telemetry.on('process_crashed', note);
    context.runtime.telemetry.on('process_stopped', note);
    const options = { readiness: 'explicit', shutdownTimeoutMs: 50, startTimeoutMs: 1_000 } as const;
    const supervisor = context.runtime.supervisor().maxRestarts(9).child('a', scriptedChild(lives), options).build();
    const started = supervisor.start().then(
      () => ended.push('started'),
      (error: unknown) => ended.push(isVigilError(error) ? error.code : String(error)),
    );
    await context.advanceTime(untilMs);
    const stopped = supervisor.stop();
    await context.advanceTime(2_000);
    await Promise.all([started, stopped]);
    return ended;
  };

  it('lives as it is written, and the last life again and again', async () => {
    const lives: Life[] = [
      { does: 'crashes', afterMs: 5 },
      { does: 'returns', afterMs: 3 },
      { does: 'crashes', afterMs: 4 },
    ];
    assert.deepEqual(await ends(lives, 13), ['started', '1 crashed at 5', '2 normal at 8', '3 crashed at 12', '4 shutdown at 13']);
  });

  it('fails to start with the error that it is given', async () => {
    assert.deepEqual(await ends([{ does: 'fails_to_start', error: new Error('no disk') }]), ['ProcessStartFailed']);
  });

  it('fails its second start', async () => {
    const lives: Life[] = [{ does: 'crashes', afterMs: 5 }, { does: 'fails_to_start' }, { does: 'runs' }];
    assert.deepEqual(await ends(lives, 10), ['started', '1 crashed at 5', '3 shutdown at 10']);
  });

  it('hangs at its start until its time is over', async () => {
    assert.deepEqual(await ends([{ does: 'hangs_at_start' }], 1_000), ['ProcessStartFailed']);
  });

  it('ignores that it is asked to stop, and is killed', async () => {
    assert.deepEqual(await ends([{ does: 'ignores_stop' }], 10), ['started', '1 killed at 60']);
  });

  it('refuses what is no script', () => {
    const wrong: Life[] = JSON.parse('[{ "does": "dances" }]');
    for (const lives of [[], wrong, [{ does: 'crashes', afterMs: -1 }] satisfies Life[]]) {
      assert.throws(() => scriptedChild(lives), withCode('InvalidConfiguration'));
    }
  });
});

describe('a faulty sender', () => {
  it('loses, doubles and delays the messages that it is told to, so that they overtake each other', async () => {
    await using context = new TestContext();
    const inbox = context.mockInbox<number>();
    const link = context.faultySender(
      inbox,
      (number) => ([undefined, 'drop', 'duplicate', { delayMs: 5 }, undefined] as const)[number - 1],
    );
    for (const number of [1, 2, 3, 4, 5]) assert.equal(link.send(number), 'queued');
    await context.advanceTime(5);
    const received = [];
    for (let message = inbox.recv(); message !== undefined; message = inbox.recv()) received.push(message.payload);
    assert.deepEqual(received, [1, 3, 3, 5, 4]);
  });

  it('does the same to sendWait and sendMessage, and loses what is refused late', async () => {
    await using context = new TestContext();
    const inbox = context.mockInbox<number>();
    const link = context.faultySender(inbox, (number) => (['drop', 'duplicate', { delayMs: 5 }, { delayMs: 5 }] as const)[number - 1]);
    assert.deepEqual([await link.sendWait(1), await link.sendWait(2)], ['queued', 'queued']);
    const late = link.sendWait(3);
    link.sendMessage(context.runtime.msg(4).build());
    assert.equal(inbox.count(), 2);
    const closed = assert.rejects(late, withCode('InboxClosed'));
    inbox.close();
    await context.advanceTime(5);
    await closed;
    assert.equal(inbox.count(), 2);
  });

  it('says what is wrong with its plan', async () => {
    await using context = new TestContext();
    const fault: 'drop' = JSON.parse('"drops"');
    const link = context.faultySender(context.mockInbox(), () => fault);
    assert.throws(() => link.send(1), withCode('InvalidConfiguration'));
  });
});
