import assert from 'node:assert/strict';
import { afterEach, describe } from 'node:test';
import { crashed, isVigilError, KILLED, Message, nextTurn } from '../../core/index.js';
import type { ChildOptions } from '../../supervision/index.js';
import type { Runner } from '../runner.js';
import { crashOf, crashWith } from './arena.suite.js';
import { type Errand, errandModule } from './errands.suite.js';
import { Outpost } from './outpost.suite.js';
import { LOAN_WINDOW, SEND_WINDOW } from './protocol.js';
import { it } from './patient-it.suite.js';

/** What holds for code on the other side of a boundary, be it that of a thread or of a Node process. */
export function describeBoundary(kind: 'thread' | 'fork', runnerOf: (module: URL) => Runner): void {
  describe(`across the boundary of a ${kind}`, () => {
    let outpost: Outpost | undefined;

    const send = (errand: Errand, options?: ChildOptions): Outpost => {
      outpost = new Outpost(runnerOf(errandModule(errand)), options);
      return outpost;
    };

    const sendModule = (source: string, options?: ChildOptions): Outpost => {
      outpost = new Outpost(runnerOf(moduleWith(source)), options);
      return outpost;
    };

    afterEach(async () => {
      await outpost?.end();
      outpost = undefined;
    });

    describe('a module', () => {
      const failsWith = async (post: Outpost, check: (reason: ReturnType<typeof crashed>) => void): Promise<void> => {
        await assert.rejects(post.supervisor.start(), (error) => {
          assert.ok(isVigilError(error, 'ProcessStartFailed'));
          check(crashed(error.cause));
          return true;
        });
      };

      it('that is missing fails to start', () => {
        outpost = new Outpost(runnerOf(new URL('./no-such-module.js', import.meta.url)));
        return failsWith(outpost, crashOf(/Cannot find module .*no-such-module/));
      });

      it('that throws when it is imported fails to start with that error', () =>
        failsWith(sendModule("throw Object.assign(new RangeError('import fails'), { status: 7 });"), (reason) => {
          crashOf(/^import fails$/)(reason);
          assert.ok(reason.kind === 'crashed' && reason.error instanceof RangeError && 'status' in reason.error);
        }));

      it('that exits when it is imported fails to start', () =>
        failsWith(sendModule('process.exit(4);'), crashWith('AbnormalExit', { exitCode: 4 })));

      for (const source of ['', 'export default 5;', 'export const body = () => {};']) {
        it(`that has no body fails to start: ${source}`, () => failsWith(sendModule(source), crashWith('InvalidConfiguration')));
      }

      it('whose import never ends fails to start when its time is up', () =>
        failsWith(
          sendModule('await new Promise(() => setInterval(() => {}, 1000));', { startTimeoutMs: 300 }),
          crashWith('OperationTimeout'),
        ));

      it('whose import loops for ever fails to start when its time is up', () =>
        failsWith(sendModule('for (;;);', { startTimeoutMs: 300 }), crashWith('OperationTimeout')));

      it('can be stopped while it is imported', async () => {
        const post = sendModule('await new Promise(() => setInterval(() => {}, 1000));', { shutdownTimeoutMs: 100 });
        const started = assert.rejects(post.supervisor.start());
        await nextTurn();
        await post.supervisor.stop();
        await started;
      });

      it('can be killed while it is imported', async () => {
        const post = sendModule('for (;;);', { shutdownTimeoutMs: 'brutal_kill' });
        const started = assert.rejects(post.supervisor.start());
        await nextTurn();
        await post.supervisor.stop();
        await started;
      });

      it('is not started with args that cannot be cloned', () =>
        failsWith(send('echoes', { args: { callback: () => {} } }), crashWith('InvalidConfiguration')));
    });

    describe('messages', () => {
      it('arrive with all they have', async () => {
        const post = send('echoes');
        const ref = await post.start();
        ref.send(
          { x: new Map([[1, new Date(5)]]) },
          { priority: 'high', from: 'me', signal: 'alert', ttlMs: 60_000, correlationId: 'c', replyTo: 'r' },
        );
        assert.deepEqual(await post.heard(), {
          payload: { x: new Map([[1, new Date(5)]]) },
          priority: 'high',
          sender: 'me',
          signal: 'alert',
          ttlMs: 60_000,
          attemptCount: 1,
          correlationId: 'c',
          replyTo: 'r',
        });
      });

      it('that cannot be cloned are refused at the send', async () => {
        const post = send('ignores_messages');
        const ref = await post.start();
        const isInvalid = (error: unknown) => isVigilError(error, 'InvalidMessage');
        for (const bad of [() => 1, { deep: [Symbol('s')] }, new WeakMap()]) {
          assert.throws(() => ref.send(bad), isInvalid);
          assert.throws(() => ref.sendMessage(new Message('m', undefined, bad)), isInvalid);
          await assert.rejects(ref.sendWait(bad), isInvalid);
        }
        assert.equal(ref.stats().depth, 0);
      });

      it('are copied when they are sent', async () => {
        const post = send('echoes_through_gate');
        const ref = await post.start();
        await post.heardThat('at the gate');
        const payload = { count: 1 };
        ref.send(payload);
        payload.count = 2;
        post.openGate();
        assert.deepEqual(await post.heard(), { ...PLAIN, payload: { count: 1 } });
      });

      it('that are urgent overtake a full loan window', async () => {
        const post = send('echoes_through_gate');
        const ref = await post.start();
        await post.heardThat('at the gate');
        for (let number = 0; number < LOAN_WINDOW * 4; number += 1) ref.send(number);
        ref.send('urgent', { priority: 'critical' });
        ref.send('later', { priority: 'batch' });
        post.openGate();
        const heard = (await post.heardAll(LOAN_WINDOW * 4 + 2)).map(payloadOf);
        assert.equal(heard[0], 'urgent');
        assert.equal(heard.at(-1), 'later');
        assert.deepEqual(
          heard.slice(1, -1),
          Array.from({ length: LOAN_WINDOW * 4 }, (_, index) => index),
        );
      });

      it('keep their order without priorities, urgent ones too', async () => {
        const post = send('echoes_through_gate', { inbox: { priorityQueues: false } });
        const ref = await post.start();
        await post.heardThat('at the gate');
        const sent = Array.from({ length: 100 }, (_, index) => index);
        for (const number of sent) ref.send(number, { priority: number % 3 === 0 ? 'critical' : 'batch' });
        post.openGate();
        assert.deepEqual((await post.heardAll(100)).map(payloadOf), sent);
      });

      it('that expire in the buffer over there are never received, and are counted', async () => {
        const post = send('echoes_through_gate');
        const ref = await post.start();
        await post.heardThat('at the gate');
        ref.send('short', { ttlMs: 20 });
        ref.send('long', { ttlMs: 60_000 });
        await new Promise<void>((resolve) => post.runtime.clock.after(500, resolve, { keepAlive: true }));
        post.openGate();
        assert.equal(payloadOf(await post.heard()), 'long');
        ref.send('next');
        assert.equal(payloadOf(await post.heard()), 'next');
        const { messagesExpired, messagesSent } = ref.stats();
        assert.deepEqual([messagesSent, messagesExpired], [3, 1]);
      });

      it('on loan and behind it are dead letters when the process is killed', async () => {
        const post = send('ignores_messages');
        const ref = await post.start();
        await post.heardThat('entered');
        const sent = Array.from({ length: LOAN_WINDOW * 3 }, (_, index) => index);
        for (const number of sent) ref.send(number);
        await post.supervisor.terminateChild('envoy').catch(() => {});
        assert.deepEqual(
          post.runtime.deadLetters.list().map(({ message, reason }) => [message.payload, reason]),
          sent.map((number) => [number, 'process_exited']),
        );
        const { messagesSent, messagesDeadLettered, depth } = ref.stats();
        assert.deepEqual([messagesSent, messagesDeadLettered, depth], [sent.length, sent.length, 0]);
      });

      it('are all given out after a stop, however many there are', async () => {
        const post = send('echoes_through_gate', { shutdownTimeoutMs: 20_000 });
        const ref = await post.start();
        await post.heardThat('at the gate');
        for (let number = 0; number < 500; number += 1) ref.send(number);
        const stopped = post.supervisor.stop();
        post.openGate();
        await stopped;
        assert.deepEqual(
          (await post.heardAll(500)).map(payloadOf),
          Array.from({ length: 500 }, (_, index) => index),
        );
        assert.equal(post.runtime.deadLetters.size, 0);
        assert.deepEqual(post.ends, [{ kind: 'shutdown' }]);
      });

      it('balance at every moment: sent is received, expired, dropped, dead-lettered and queued together', async () => {
        const post = send('gives_up_every_second', {
          inbox: { capacity: 50, enableDeadletter: true, deadletterCapacity: 1000, maxAttempts: 2 },
        });
        const ref = await post.start();
        let moments = 0;
        const check = () => {
          moments += 1;
          const { messagesSent, messagesReceived, messagesExpired, messagesDropped, messagesDeadLettered, depth } = ref.stats();
          assert.equal(messagesReceived + messagesExpired + messagesDropped + messagesDeadLettered + depth, messagesSent);
        };
        const events = ['message_sent', 'message_received', 'message_expired', 'message_dropped', 'message_dead_lettered'] as const;
        for (const event of events) post.runtime.telemetry.on(event, ({ metadata }) => void (metadata.mailbox === 'envoy' && check()));
        for (let number = 0; number < 300; number += 1) {
          const ttl = number % 5 === 0 ? { ttlMs: 3 } : {};
          await ref.sendWait(number, { priority: number % 7 === 0 ? 'high' : 'normal', ...ttl }).catch(isExpired);
          check();
        }
        await post.supervisor.stop();
        check();
        assert.ok(moments > 600);
        assert.equal(ref.stats().depth, 0);
      });

      it('wait for room, in their order', async () => {
        const post = send('echoes_through_gate', { inbox: { capacity: 5 } });
        const ref = await post.start();
        await post.heardThat('at the gate');
        let admitted = 0;
        const all = Promise.all(Array.from({ length: 50 }, (_, index) => ref.sendWait(index).then(() => (admitted += 1))));
        await nextTurn();
        assert.equal(admitted, 5);
        assert.throws(
          () => ref.send('too many'),
          (error) => isVigilError(error, 'MailboxFull'),
        );
        post.openGate();
        await all;
        assert.deepEqual(
          (await post.heardAll(50)).map(payloadOf),
          Array.from({ length: 50 }, (_, index) => index),
        );
      });

      it('from there wait for room here', async () => {
        const post = send('fills_small_mailbox');
        await post.start();
        const heard = await post.heardAll(2);
        assert.equal(post.small.stats().depth, 2);
        for (let number = 1; number <= 20; number += 1) {
          assert.equal((await post.small.recv()).payload, number);
          assert.ok(post.observer.stats().messagesSent <= number + 2);
        }
        heard.push(...(await post.heardAll(18)));
        assert.deepEqual(
          heard,
          Array.from({ length: 20 }, (_, index) => index + 1),
        );
      });

      it('from there that cannot be cloned are refused there', async () => {
        const post = send('sends_what_cannot_be_cloned');
        await post.start();
        for (let count = 0; count < 3; count += 1) await post.heardThat(['InvalidMessage', 'InvalidMessage', 'InvalidMessage']);
      });

      it('from there are refused beyond the window, and none is lost', async () => {
        const post = send('sends_too_much');
        await post.start();
        const taken = await post.heard();
        await post.heardThat(['MailboxFull']);
        assert.ok(typeof taken === 'number' && taken >= SEND_WINDOW - 2 && taken < 1500, `${String(taken)} were taken`);
        const payloads = post.sink.recvBatch(10_000).map(({ payload }) => payload);
        assert.equal(payloads.length, taken + 1500);
        assert.deepEqual(
          payloads.filter((payload) => typeof payload === 'number'),
          Array.from({ length: taken }, (_, index) => index),
        );
      });

      it('from there are all heard before its end is', async () => {
        const post = send('ends_with_everything_said');
        const ref = await post.start();
        assert.deepEqual(await post.ended(ref), { kind: 'shutdown', info: 'said it all' });
        assert.deepEqual(
          post.observer.recvBatch(10_000).map(({ payload }) => payload),
          Array.from({ length: 900 }, (_, index) => index + 1),
        );
      });

      it('that were received can be sent on', async () => {
        const post = send('gives_a_message_twice');
        const ref = await post.start();
        ref.send('pass it on', { priority: 'low', correlationId: 'c' });
        await post.heardThat(['queued', 'MessageExpired']);
        const message = await post.small.recv();
        assert.deepEqual([message.payload, message.priority, message.metadata.correlationId], ['pass it on', 'low', 'c']);
      });
    });

    describe('the inbox there', () => {
      it('answers as one here does', async () => {
        const post = send('uses_its_inbox', { inbox: { enableDeadletter: true, deadletterCapacity: 10, maxAttempts: 2 } });
        const ref = await post.start();
        await post.heardThat('at the gate');
        for (const payload of ['a', 'b', 'c', 'd']) ref.send(payload);
        post.openGate();
        await post.heardThat(['peek', ['a', 'b', 'c', 'd'], ['a', 'b'], 4, false, 'envoy']);
        await post.heardThat([
          'given up',
          ['a', 'b'],
          [
            ['delivery_failed', 'envoy', false],
            ['delivery_failed', 'envoy', false],
          ],
        ]);
        await post.heardThat(['again', 'InvalidState']);
        await post.heardThat(['letters', 2, ['a', 'b'], 10, 0]);
        const next = await post.heardAll(2);
        assert.ok(next.includes('b'), 'what is replayed to another mailbox arrives there');
        assert.deepEqual(
          next.find((said) => said !== 'b'),
          ['replay', 'replayed', 'not_found', 'replayed'],
        );
        await post.heardThat(['third', 'c', 'd']);
        await post.heardThat(['replayed', 'a', 2, undefined, undefined]);
        await post.heardThat(['discard', false, 1, 0]);
        await post.heardThat(['closed', true, 'InboxClosed', 'InboxClosed']);
        const { messagesSent, messagesReceived, depth } = ref.stats();
        assert.deepEqual([messagesSent, messagesReceived, depth], [5, 5, 0]);
      });

      it('has what its process has sent to itself before it closes it', async () => {
        const post = send('sends_to_itself_and_closes');
        await post.start();
        assert.deepEqual(await post.heardAll(2), ['a', 'b']);
        assert.equal(post.runtime.deadLetters.size, 0);
      });

      it('gives out what is on its way when it closes', async () => {
        const post = send('closes_before_it_reads');
        const ref = await post.start();
        await post.heardThat('waiting');
        for (let number = 1; number <= 5; number += 1) ref.send(number);
        assert.deepEqual(await post.heardAll(7), [true, 1, 2, 3, 4, 5, 'through']);
        assert.throws(
          () => ref.send('late'),
          (error) => isVigilError(error, 'InboxClosed'),
        );
      });

      it('gives out nothing of what is on its way when it closes and discards', async () => {
        const post = send('discards_before_it_reads');
        const ref = await post.start();
        await post.heardThat('waiting');
        for (let number = 1; number <= 5; number += 1) ref.send(number);
        await post.heardThat('through');
        await post.heardThat('still here');
        const { messagesSent, messagesDropped, depth } = ref.stats();
        assert.deepEqual([messagesSent, messagesDropped, depth], [5, 5, 0]);
        assert.equal(ref.isAlive(), true);
      });
    });

    describe('the log', () => {
      it('takes every level, with errors whole', async () => {
        const post = send('logs');
        await post.start();
        await post.heardThat('logged');
        const [first, second, third, fourth] = post.logged;
        assert.deepEqual(
          [first, second],
          [
            { level: 'debug', message: 'a', details: undefined },
            { level: 'info', message: 'b', details: { x: 1 } },
          ],
        );
        const { details } = third!;
        assert.ok(details instanceof TypeError && details.message === 'why' && 'status' in details);
        assert.equal(typeof fourth!.details, 'string');
      });

      it('is bounded, and says how many lines it lost', async () => {
        const post = send('logs_too_much');
        await post.start();
        let dropped = 0;
        const lines = () => post.logged.filter(({ message }) => message.startsWith('line ')).length;
        while (lines() + dropped < 5000) {
          await nextTurn();
          dropped = post.logged.reduce(
            (sum, { message }) => sum + Number(/^(\d+) lines of the log were dropped/.exec(message)?.[1] ?? 0),
            0,
          );
        }
        assert.equal(lines() + dropped, 5000);
        assert.ok(dropped > 0);
      });
    });

    it('names are those of the runtime', async () => {
      const post = send('uses_names');
      await post.start();
      await post.heardThat(['unknown', undefined]);
      await post.heardThat(['me', ['envoy', 1, kind, true, true, true]]);
      await post.heardThat(['taken', 'AlreadyRegistered', 'AlreadyRegistered']);
      await post.heardThat(['freed', true, false, false, undefined]);
      await post.heardThat(['mailbox', true]);
    });

    it('it can watch whom it finds', async () => {
      const post = send('watches');
      await post.start();
      await post.heardThat('noproc');
      await post.heardThat([true, false]);
      await post.supervisor.terminateChild('peer');
      for (let count = 0; count < 3; count += 1) await post.heardThat(['peer', true, { kind: 'shutdown' }, false]);
      await post.heardThat([false, undefined, 0, 'noproc']);
      assert.deepEqual(
        post.runtime.deadLetters.list().map(({ message, reason }) => [message.payload, reason]),
        [['x', 'process_exited']],
      );
    });

    it('links end it with the reason of whom it is linked with', async () => {
      const post = send('links');
      const ref = await post.start();
      await post.heardThat([true, false]);
      await post.heardThat('linked');
      await post.supervisor.terminateChild('peer');
      assert.deepEqual(await post.ended(ref), { kind: 'shutdown' });
    });

    it('it can trap exits', async () => {
      const post = send('traps_exits');
      const ref = await post.start();
      await post.heardThat('linked');
      await post.supervisor.terminateChild('peer');
      await post.heardThat([true, 'peer', { kind: 'shutdown' }]);
      assert.equal(ref.isAlive(), true);
    });

    it('a throw in onExit is its crash', async () => {
      const post = send('throws_when_it_hears_an_exit');
      const ref = await post.start();
      await post.heardThat('linked');
      await post.supervisor.terminateChild('peer');
      crashOf(/^errand: thrown by onExit$/)(await post.ended(ref));
    });

    it('signals are heard there', async () => {
      const post = send('hears_signals', { healthCheckFn: () => true, healthCheckIntervalMs: 20 });
      await post.start();
      await post.heardThat('listening');
      await post.heardThat('healthCheck');
      await post.heardThat('healthCheck');
    });

    it('a throw in onSignal is its crash', async () => {
      const post = send('throws_when_it_hears_a_signal', { healthCheckFn: () => true, healthCheckIntervalMs: 20 });
      const ref = await post.start();
      crashOf(/^errand: thrown by onSignal$/)(await post.ended(ref));
    });

    it('being busy in short steps is no block', async () => {
      const post = send('works_in_short_steps', { maxBlockedMs: 400 });
      const ref = await post.start();
      assert.deepEqual(
        await post.heardAll(60),
        Array.from({ length: 60 }, () => 'step'),
      );
      assert.equal(ref.isAlive(), true);
    });

    it('being idle is no block', async () => {
      const post = send('ignores_messages', { maxBlockedMs: 50 });
      const ref = await post.start();
      await new Promise<void>((resolve) => post.runtime.clock.after(500, resolve, { keepAlive: true }));
      assert.equal(ref.isAlive(), true);
    });

    it('being suspended is no block', async () => {
      const post = send('echoes', { maxBlockedMs: 50 });
      const ref = await post.start();
      await post.supervisor.suspendChild('envoy');
      ref.send('x');
      await new Promise<void>((resolve) => post.runtime.clock.after(500, resolve, { keepAlive: true }));
      assert.equal(post.observer.stats().depth, 0);
      await post.supervisor.resumeChild('envoy');
      assert.equal(payloadOf(await post.heard()), 'x');
    });

    for (const how of ['stopped', 'killed'] as const) {
      it(`it can be ${how} while it is suspended`, async () => {
        const post = send('echoes', how === 'killed' ? { shutdownTimeoutMs: 'brutal_kill' } : { shutdownTimeoutMs: 20_000 });
        const ref = await post.start();
        await post.supervisor.suspendChild('envoy');
        ref.send('x');
        await post.supervisor.terminateChild('envoy');
        assert.deepEqual(post.ends, [how === 'killed' ? KILLED : { kind: 'shutdown' }]);
        if (how === 'stopped') assert.equal(payloadOf(await post.heard()), 'x');
        else assert.equal(post.runtime.deadLetters.size, 1);
      });
    }

    it('readiness is said from there', async () => {
      const post = send('becomes_ready_through_gate', { readiness: 'explicit' });
      let isStarted = false;
      const started = post.supervisor.start().then(() => (isStarted = true));
      await post.heardThat('at the gate');
      assert.equal(isStarted, false);
      post.openGate();
      await started;
    });
  });
}

/** One that waits for room may expire before it gets in. */
function isExpired(error: unknown): void {
  assert.ok(isVigilError(error, 'MessageExpired'), String(error));
}

const PLAIN = {
  priority: 'normal',
  sender: undefined,
  signal: undefined,
  ttlMs: undefined,
  attemptCount: 1,
  correlationId: undefined,
  replyTo: undefined,
};

function payloadOf(description: unknown): unknown {
  assert.ok(typeof description === 'object' && description !== null && 'payload' in description, String(description));
  return description.payload;
}

function moduleWith(source: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}
