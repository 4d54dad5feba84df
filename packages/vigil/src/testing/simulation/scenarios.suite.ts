import assert from 'node:assert/strict';
import { CircuitBreaker, ProcessGroup } from '../../app/index.js';
import { isVigilError, type Message, type VigilErrorCode } from '../../core/index.js';
import type { ProcessContext, ProcessRef } from '../../processes/index.js';
import type { Scenario } from './simulate.js';

/** A process is suspended and resumed while it is sent messages: it handles all of them, in their order. */
const suspended: Scenario<void> = async (simulation) => {
  const count = 4;
  const handled: number[] = [];
  const { promise: allHandled, resolve } = settler();
  const worker = async ({ inbox }: ProcessContext<number>) => {
    for await (const { payload } of inbox) if (handled.push(payload) === count) resolve();
  };
  const supervisor = simulation.runtime.supervisor().child('worker', worker).build();
  await supervisor.start();
  const send = async () => {
    for (let number = 0; number < count; number += 1)
      await simulation.deliver(`message ${number}`, () => supervisor.address('worker').send(number));
  };
  const pause = async () => {
    for (let round = 0; round < 2; round += 1) {
      await simulation.reach('suspend');
      await supervisor.suspendChild('worker');
      await simulation.reach('resume');
      await supervisor.resumeChild('worker');
    }
  };
  await Promise.all([send(), pause(), allHandled]);
  assert.deepEqual(handled, [0, 1, 2, 3]);
  await supervisor.stop();
};

/** Children crash while their supervisor is busy and somebody restarts them by hand: never is one of them there twice. */
const crashing: Scenario<void> = async (simulation) => {
  const latest = new Map<string, ProcessRef>();
  const doubles: string[] = [];
  const body = simulation.task(
    async (ctx) => {
      const { id, self } = ctx;
      const before = latest.get(id);
      if (before?.isAlive() === true) doubles.push(`${id}#${self.incarnation} is started while #${before.incarnation} is alive`);
      latest.set(id, self);
      await simulation.reach(`${id}#${self.incarnation} is ready`);
      ctx.ready();
      await ctx.stopped;
    },
    { crashes: 4 },
  );
  const builder = simulation.runtime.supervisor().strategy('rest_for_one').maxRestarts(20);
  for (const id of ['a', 'b', 'c']) builder.child(id, body, { readiness: 'explicit' });
  const supervisor = builder.build();
  // Until the crashes let it.
  while (supervisor.state !== 'running') {
    await simulation.reach('start');
    await refusedWith('ProcessStartFailed', supervisor.start());
  }
  const restart = async (id: string) => {
    await simulation.reach(`restart ${id}`);
    await supervisor.restartChild(id).catch((error: unknown) => {
      if (!isVigilError(error, 'InvalidState') && !isVigilError(error, 'ProcessStartFailed')) throw error;
    });
  };
  await Promise.all(['a', 'b', 'c', 'a', 'b', 'c'].map(restart));
  await supervisor.stop();
  assert.deepEqual(doubles, []);
  for (const [id, ref] of latest) assert.ok(!ref.isAlive(), `${id} is alive after its supervisor`);
};

/** Callers give up when nobody answers in time, and answers come late, in any order, as texts: each caller gets its own or none. */
const calling: Scenario<void> = async (simulation) => {
  const { runtime } = simulation;
  const answer = async ({ payload, metadata }: Message<number>) => {
    await simulation.reach(`answer ${payload}`);
    const asked = runtime
      .msg(payload)
      .withCorrelation(metadata.correlationId ?? '')
      .replyTo(metadata.replyTo ?? '')
      .build();
    runtime.reply(asked, payload);
  };
  const server = async ({ inbox }: ProcessContext<number>) => {
    for await (const asked of inbox) void answer(asked);
  };
  const supervisor = runtime.supervisor().child('server', server).build();
  await supervisor.start();
  const call = async (question: number) => {
    await simulation.reach(`ask ${question}`);
    const answered = await refusedWith(
      'OperationTimeout',
      runtime.request(supervisor.address('server'), question, { timeoutMs: 5 + question }),
    );
    assert.ok(answered === undefined || answered === question, `${question} was answered with ${String(answered)}`);
  };
  const calls = Array.from({ length: 6 }, (_, question) => call(question));
  await Promise.all(calls);
  assert.equal(runtime.replies.pendingCalls, 0);
  await supervisor.stop();
};

/** Many call what has failed: while the circuit is half open, no more are let through than may be, and in the end it closes. */
const probing: Scenario<void> = async (simulation) => {
  const { runtime, clock } = simulation;
  const halfOpenRequests = 2;
  const options = { failureThreshold: 1, resetTimeoutMs: 10, halfOpenRequests, halfOpenSuccessThreshold: 2 };
  const breaker = new CircuitBreaker('api', options, runtime);
  let failuresLeft = 3;
  let tried = 0;
  const work = async (caller: number) => {
    const isProbe = breaker.getState() === 'half_open';
    if (isProbe) tried += 1;
    assert.ok(tried <= halfOpenRequests, `${tried} calls are tried at once`);
    await simulation.reach(`work for ${caller}`);
    if (isProbe) tried -= 1;
    if (failuresLeft === 0) return;
    failuresLeft -= 1;
    throw new Error('503');
  };
  const caller = async (number: number) => {
    for (let attempt = 0; attempt < 4; attempt += 1) {
      await simulation.reach(`call of ${number}`);
      await breaker
        .call(() => work(number))
        .catch((error: unknown) => {
          if (!(error instanceof Error && error.message === '503') && !isVigilError(error, 'CircuitOpen')) throw error;
        });
    }
  };
  await Promise.all(Array.from({ length: 4 }, (_, number) => caller(number)));
  failuresLeft = 0;
  for (let round = 0; breaker.getState() !== 'closed'; round += 1) {
    assert.ok(round < 10, `the circuit is still ${breaker.getState()}`);
    await new Promise<void>((resolve) => clock.after(10, resolve));
    await breaker.call(() => 1).catch(() => {});
  }
};

/** Members come and go while messages go to all of them: each message is accounted for, and reaches only who is there. */
const broadcasting: Scenario<void> = async (simulation) => {
  const { runtime } = simulation;
  const group = new ProcessGroup<number>('workers', runtime);
  const member = simulation.task(
    async ({ id, incarnation, self, inbox }: ProcessContext<number>) => {
      group.add(`${id}#${incarnation}`, self);
      for await (const _ of inbox);
    },
    { crashes: 2 },
  );
  const supervisor = runtime.supervisor().maxRestarts(10).child('a', member).child('b', member).child('c', member).build();
  await supervisor.start();
  for (let number = 0; number < 5; number += 1) {
    await simulation.reach(`broadcast ${number}`);
    const members = group.members();
    for (const { id, sender } of members) assert.ok(!sender.isClosed(), `${id} has ended and is a member`);
    const { delivered, failed } = group.broadcast(number);
    assert.equal(delivered + failed, members.length);
  }
  await supervisor.stop();
  assert.equal(group.count(), 0);
};

/** By the names under which they run from the command line. */
export const SCENARIOS: Readonly<Record<string, Scenario<void>>> = { suspended, crashing, calling, probing, broadcasting };

function settler(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** What a promise gives; `undefined` when it is refused with that code. */
async function refusedWith(code: VigilErrorCode, promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    if (isVigilError(error, code)) return undefined;
    throw error;
  }
}
