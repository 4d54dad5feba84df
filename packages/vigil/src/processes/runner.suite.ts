import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  crashed,
  type ExitReason,
  isVigilError,
  KILLED,
  Message,
  NORMAL,
  SHUTDOWN,
  VigilError,
  type VigilErrorCode,
} from '../core/index.js';
import type { ProcessBody, ProcessContext } from './process-context.js';
import type { ProcessKind } from './runner.js';
import type { Script } from './scripts.suite.js';
import { TaskRunner } from './task/task-runner.js';
import { processSettings, type RunnerHarness, Subject, Workbench } from './workbench.suite.js';

/**
 * The contract of a {@link Runner} and its processes, as `runner.ts` and `index.ts` state it.
 *
 * @param cannot - scripts that a kind cannot write, such as errors with fields for a program. They have no tests.
 */
export function describeRunner(kind: ProcessKind, makeHarness: () => RunnerHarness, cannot: readonly Script[] = []): void {
  const whenAble = (script: Script, name: string, test: () => Promise<void>): void => {
    if (!cannot.includes(script)) it(name, test);
  };

  describe(`every process, here a ${kind}`, () => {
    let harness: RunnerHarness;
    let bench: Workbench;

    beforeEach(() => {
      harness = makeHarness();
      bench = new Workbench(harness);
    });

    afterEach(async () => {
      await bench.clear();
      assert.deepEqual(bench.violations, []);
    });

    describe('identity', () => {
      whenAble('waits_for_stop', 'is known by id, incarnation and kind', async () => {
        const subject = bench.create('waits_for_stop', { id: 'worker', incarnation: 3 });
        const { ref } = subject.process;
        assert.deepEqual([ref.id, ref.incarnation, ref.kind], ['worker', 3, kind]);
        assert.equal(subject.process.ref, ref);
        assert.deepEqual([ref.isAlive(), ref.isClosed()], [true, false]);
      });

      whenAble('tells_who_it_is', 'tells its code who it is, with the args of its settings', async () => {
        bench.start('tells_who_it_is', { id: 'worker', incarnation: 2, args: { size: 5 } });
        assert.equal(await bench.heard(), 'worker#2 {"size":5}');
      });
    });

    describe('start', () => {
      whenAble('waits_for_stop', 'is ready at once with immediate readiness', async () => {
        const subject = bench.start('waits_for_stop');
        await subject.ready;
        assert.equal(await bench.heard(), 'entered');
        assert.deepEqual(subject.news, ['ready']);
      });

      whenAble('becomes_ready', 'is ready when it says so with explicit readiness, and once, however often it says so', async () => {
        const subject = bench.start('becomes_ready', { readiness: 'explicit' });
        assert.equal(await bench.heard(), 'entered');
        await harness.quiet();
        assert.deepEqual(subject.news, []);
        subject.process.ref.send('go');
        await subject.ready;
        assert.equal(await bench.heard(), 'ready');
        await harness.quiet();
        assert.deepEqual(subject.news, ['ready']);
      });

      whenAble('becomes_ready', 'is not ready a second time when it says so with immediate readiness', async () => {
        const subject = bench.start('becomes_ready');
        subject.process.ref.send('go');
        await bench.heard('ready');
        await harness.quiet();
        assert.deepEqual(subject.news, ['ready']);
      });

      whenAble('declines', 'ends with normal instead of being ready when it declines to start', async () => {
        const subject = bench.start('declines', { readiness: 'explicit' });
        assert.deepEqual(await subject.exited, { kind: 'normal' });
        await harness.quiet();
        assert.deepEqual(subject.news, ['ignored', { kind: 'normal' }]);
        assert.deepEqual(bench.logged, []);
      });

      whenAble('declines', 'cannot decline to start with immediate readiness', async () => {
        const subject = bench.start('declines');
        assert.deepEqual(await subject.exited, { kind: 'normal' });
        assert.deepEqual(subject.news, ['ready', { kind: 'normal' }]);
      });

      for (const script of ['returns', 'crashes', 'exits_with_info'] as const) {
        whenAble(script, `is never ready when it ends before it says so: ${script}`, async () => {
          const subject = bench.start(script, { readiness: 'explicit' });
          const reason = await subject.exited;
          assert.deepEqual(subject.news, [reason]);
        });

        whenAble(script, `has started and ended, with immediate readiness, when its code ends at once: ${script}`, async () => {
          const subject = bench.start(script);
          const reason = await subject.exited;
          assert.deepEqual(subject.news, ['ready', reason]);
        });
      }
    });

    describe('end', () => {
      whenAble('returns', 'is normal when its code is through', async () => {
        assert.deepEqual(await bench.start('returns').exited, { kind: 'normal' });
      });

      whenAble('crashes', 'is a crash when its code throws, with the whole error', async () => {
        const { kind: end, error } = errorOf(await bench.start('crashes').exited);
        assert.equal(end, 'crashed');
        assert.ok(error instanceof Error);
        assert.equal(error.message, 'scripted crash');
        assert.match(error.stack ?? '', /scripted crash/);
        assert.ok(error.cause instanceof Error && error.cause.message === 'scripted cause');
        assert.ok('status' in error && error.status === 503);
      });

      whenAble('throws_text', 'is a crash when its code throws what is no error', async () => {
        assert.deepEqual(await bench.start('throws_text').exited, { kind: 'crashed', error: 'scripted text' });
      });

      whenAble('exits_with_info', 'EXIT-06: is the shutdown that its code asks for, with the info', async () => {
        assert.deepEqual(await bench.start('exits_with_info').exited, { kind: 'shutdown', info: { because: 'scripted' } });
      });

      whenAble('exits_normally', 'is normal when its code asks for it', async () => {
        assert.deepEqual(await bench.start('exits_normally').exited, { kind: 'normal' });
      });

      whenAble('meets_foreign_abort', "EXIT-07: is a crash when the AbortError of somebody else's signal gets through", async () => {
        const { kind: end, error } = errorOf(await bench.start('meets_foreign_abort').exited);
        assert.equal(end, 'crashed');
        assert.ok(error instanceof Error && error.name === 'AbortError');
      });

      whenAble('meets_foreign_close', 'EXIT-07: is a crash when the InboxClosed of somebody else gets through', async () => {
        const { kind: end, error } = errorOf(await bench.start('meets_foreign_close').exited);
        assert.equal(end, 'crashed');
        assert.ok(isVigilError(error, 'InboxClosed'));
      });

      whenAble('stops_itself', 'TMR-09: is the shutdown that it has asked itself for', async () => {
        const subject = bench.start('stops_itself');
        assert.deepEqual(await subject.exited, { kind: 'shutdown' });
        assert.deepEqual(subject.news, ['ready', { kind: 'shutdown' }]);
      });

      whenAble('kills_itself', 'TMR-09: is the kill that it has set itself a time for', async () => {
        const subject = bench.start('kills_itself');
        assert.deepEqual(await subject.exited, { kind: 'killed' });
        assert.equal(subject.process.ref.isAlive(), false);
      });

      whenAble('returns', 'comes once', async () => {
        const subject = bench.start('returns');
        await subject.exited;
        subject.stop();
        subject.process.kill();
        await harness.quiet();
        assert.deepEqual(subject.news, ['ready', { kind: 'normal' }]);
      });
    });

    describe('stop', () => {
      for (const script of ['waits_for_stop', 'waits_in_vain', 'throws_signal_reason', 'handles_messages'] as const) {
        whenAble(script, `ends with shutdown: ${script}`, async () => {
          const subject = bench.start(script);
          await bench.heard('entered');
          subject.stop();
          assert.deepEqual(await subject.exited, { kind: 'shutdown' });
        });
      }

      whenAble('crashes_when_stopped', 'ends with a crash when the code throws an error of its own then', async () => {
        const subject = bench.start('crashes_when_stopped');
        await bench.heard('entered');
        subject.stop();
        const { kind: end, error } = errorOf(await subject.exited);
        assert.equal(end, 'crashed');
        assert.ok(error instanceof Error && error.message === 'scripted crash');
      });

      whenAble('waits_for_stop', 'can be said twice', async () => {
        const subject = bench.start('waits_for_stop');
        await bench.heard('entered');
        subject.stop();
        subject.stop();
        await subject.exited;
        subject.stop();
        await harness.quiet();
        assert.deepEqual(subject.news, ['ready', { kind: 'shutdown' }]);
      });

      whenAble('waits_for_stop', 'can be said right after the start', async () => {
        const subject = bench.start('waits_for_stop');
        subject.stop();
        assert.deepEqual(await subject.exited, { kind: 'shutdown' });
      });

      whenAble('waits_for_stop', 'can be said before the start: the code finds itself asked to stop', async () => {
        const subject = bench.create('waits_for_stop');
        subject.stop();
        subject.start();
        assert.deepEqual(await subject.exited, { kind: 'shutdown' });
      });

      whenAble('becomes_ready', 'can be said before it is ready', async () => {
        const subject = bench.start('becomes_ready', { readiness: 'explicit' });
        await bench.heard('entered');
        subject.stop();
        assert.deepEqual(await subject.exited, { kind: 'shutdown' });
        assert.deepEqual(subject.news, [{ kind: 'shutdown' }]);
      });

      whenAble('ignores_stop', 'is only a request', async () => {
        const subject = bench.start('ignores_stop');
        await bench.heard('entered');
        subject.stop();
        await harness.quiet();
        assert.deepEqual(subject.news, ['ready']);
        assert.equal(subject.process.ref.isAlive(), true);
      });

      whenAble('ignores_stop', 'refuses messages from then on, although the process still lives', async () => {
        const subject = bench.start('ignores_stop');
        await bench.heard('entered');
        subject.stop();
        const { ref } = subject.process;
        assert.throws(() => ref.send('too late'), withCode('InboxClosed'));
        await assert.rejects(ref.sendWait('too late'), withCode('InboxClosed'));
      });

      whenAble('handles_messages', 'still gives out what is queued', async () => {
        const subject = bench.start('handles_messages');
        for (const payload of ['a', 'b', 'c']) subject.process.ref.send(payload);
        subject.stop();
        await subject.exited;
        assert.deepEqual(bench.heardSoFar(), ['entered', 'heard a', 'heard b', 'heard c']);
        assert.deepEqual(bench.deadLetters(), []);
      });
    });

    describe('kill', () => {
      whenAble('ignores_stop', 'ends with killed, whatever the code does', async () => {
        const subject = bench.start('ignores_stop');
        await bench.heard('entered');
        subject.process.kill();
        assert.deepEqual(await subject.exited, { kind: 'killed' });
      });

      whenAble('ignores_stop', 'ends with the reason that it is given', async () => {
        const subject = bench.start('ignores_stop');
        await bench.heard('entered');
        const error = new VigilError('HealthCheckFailed', 'unhealthy');
        subject.process.kill({ kind: 'crashed', error });
        assert.deepEqual(await subject.exited, { kind: 'crashed', error });
      });

      whenAble('ignores_stop', 'comes when a stop request was not heard', async () => {
        const subject = bench.start('ignores_stop');
        await bench.heard('entered');
        subject.stop();
        subject.process.kill();
        assert.deepEqual(await subject.exited, { kind: 'killed' });
      });

      whenAble('waits_for_stop', 'counts for nothing once the process has ended', async () => {
        const subject = bench.start('waits_for_stop');
        await bench.heard('entered');
        subject.stop();
        await subject.exited;
        subject.process.kill();
        await harness.quiet();
        assert.deepEqual(subject.news, ['ready', { kind: 'shutdown' }]);
      });

      whenAble('ignores_stop', 'counts once, and the first reason counts', async () => {
        const subject = bench.start('ignores_stop');
        await Promise.all([bench.heard('entered'), subject.ready]);
        subject.process.kill();
        subject.process.kill({ kind: 'shutdown' });
        await subject.exited;
        await harness.quiet();
        assert.deepEqual(subject.news, ['ready', { kind: 'killed' }]);
      });

      whenAble('waits_for_stop', 'can come right after the start', async () => {
        const subject = bench.start('waits_for_stop', { readiness: 'explicit' });
        subject.process.kill();
        assert.deepEqual(await subject.exited, { kind: 'killed' });
        await harness.quiet();
        assert.deepEqual(subject.news, [{ kind: 'killed' }]);
      });

      whenAble('waits_for_stop', 'can come before the start, which then runs nothing', async () => {
        const subject = bench.create('waits_for_stop');
        subject.process.kill();
        assert.deepEqual(await subject.exited, { kind: 'killed' });
        subject.start();
        await harness.quiet();
        assert.deepEqual(bench.heardSoFar(), []);
        assert.deepEqual(subject.news, [{ kind: 'killed' }]);
      });

      whenAble('ignores_stop', 'leaves what the code still does without effect', async () => {
        const subject = bench.start('ignores_stop', { readiness: 'explicit' });
        await bench.heard('entered');
        subject.process.ref.send('unread');
        subject.process.kill();
        await subject.exited;
        harness.letGo();
        await harness.quiet();
        assert.deepEqual(subject.news, [{ kind: 'killed' }]);
        assert.equal(bench.environment.names.whereis('late'), undefined);
        assert.deepEqual(bench.deadLetters(), ['unread']);
      });
    });

    describe('messages', () => {
      whenAble('handles_messages', 'reach the process in their order', async () => {
        const { ref } = bench.start('handles_messages').process;
        await bench.heard('entered');
        assert.equal(ref.send('a'), 'queued');
        assert.equal(ref.sendMessage(new Message('m1', undefined, 'b')), 'queued');
        assert.equal(await ref.sendWait('c'), 'queued');
        assert.deepEqual([await bench.heard(), await bench.heard(), await bench.heard()], ['heard a', 'heard b', 'heard c']);
      });

      whenAble('waits_for_stop', 'become dead letters of the runtime when they are unread at the end', async () => {
        const subject = bench.start('waits_for_stop', { id: 'worker' });
        await bench.heard('entered');
        for (const payload of ['a', 'b']) subject.process.ref.send(payload);
        subject.stop();
        await subject.exited;
        assert.deepEqual(
          bench.environment.deadLetters.list().map(({ message, reason, mailbox }) => [message.payload, reason, mailbox]),
          [
            ['a', 'process_exited', 'worker'],
            ['b', 'process_exited', 'worker'],
          ],
        );
      });

      whenAble('ignores_stop', 'become dead letters when the process is killed', async () => {
        const subject = bench.start('ignores_stop');
        await bench.heard('entered');
        subject.process.ref.send('a');
        subject.process.kill();
        await subject.exited;
        assert.deepEqual(bench.deadLetters(), ['a']);
      });

      whenAble('ignores_stop', 'send those away who wait for room, when the process ends', async () => {
        const subject = bench.start('ignores_stop', { capacity: 1 });
        await bench.heard('entered');
        subject.process.ref.send('a');
        const waiting = assert.rejects(subject.process.ref.sendWait('b'), withCode('InboxClosed'));
        subject.process.kill();
        await Promise.all([waiting, subject.exited]);
        assert.deepEqual(bench.deadLetters(), ['a']);
      });

      whenAble('returns', 'are refused by the ref of a process that has ended', async () => {
        const subject = bench.start('returns');
        await subject.exited;
        const { ref } = subject.process;
        assert.throws(() => ref.send('a'), withCode('ProcessNotFound'));
        assert.throws(() => ref.sendMessage(new Message('m1', undefined, 'a')), withCode('ProcessNotFound'));
        await assert.rejects(ref.sendWait('a'), withCode('ProcessNotFound'));
        assert.deepEqual([ref.isAlive(), ref.isClosed()], [false, true]);
      });

      whenAble('handles_messages', 'never reach the successor through the ref of its predecessor', async () => {
        const settings = { id: 'worker' };
        const predecessor = bench.start('handles_messages', { ...settings, incarnation: 1 });
        await bench.heard('entered');
        predecessor.process.kill();
        await predecessor.exited;
        const successor = bench.start('handles_messages', { ...settings, incarnation: 2 });
        await bench.heard('entered');
        assert.throws(() => predecessor.process.ref.send('to the predecessor'), withCode('ProcessNotFound'));
        successor.process.ref.send('to the successor');
        assert.equal(await bench.heard(), 'heard to the successor');
        assert.deepEqual([predecessor.process.ref.isAlive(), successor.process.ref.isAlive()], [false, true]);
      });

      whenAble('handles_messages', 'of a predecessor are not left to its successor', async () => {
        const predecessor = bench.start('ignores_stop', { id: 'worker' });
        await bench.heard('entered');
        predecessor.process.ref.send('unread');
        predecessor.process.kill();
        await predecessor.exited;
        const successor = bench.start('handles_messages', { id: 'worker', incarnation: 2 });
        await bench.heard('entered');
        successor.stop();
        await successor.exited;
        assert.deepEqual(bench.heardSoFar(), []);
        assert.deepEqual(bench.deadLetters(), ['unread']);
      });

      whenAble('ignores_stop', 'are counted, while the process lives and afterwards', async () => {
        const subject = bench.start('ignores_stop');
        await bench.heard('entered');
        subject.process.ref.send('a');
        assert.equal(subject.process.ref.stats().messagesSent, 1);
        subject.process.kill();
        await subject.exited;
        const { messagesSent, messagesDeadLettered, depth } = subject.process.ref.stats();
        assert.deepEqual([messagesSent, messagesDeadLettered, depth], [1, 1, 0]);
      });
    });

    describe('suspend', () => {
      whenAble('handles_messages', 'VIG-01: lets it handle no more messages until it is resumed, then all in their order', async () => {
        const { process } = bench.start('handles_messages', { capacity: 2 });
        await bench.heard('entered');
        process.suspend();
        process.suspend();
        process.ref.send('a');
        process.ref.send('b');
        assert.throws(() => process.ref.send('c'), withCode('MailboxFull'));
        await harness.quiet();
        assert.deepEqual(bench.heardSoFar(), []);
        process.resume();
        process.resume();
        assert.deepEqual([await bench.heard(), await bench.heard()], ['heard a', 'heard b']);
      });

      whenAble('handles_messages', 'VIG-01: is no end, and resuming is no start', async () => {
        const subject = bench.start('handles_messages');
        await bench.heard('entered');
        subject.process.suspend();
        await harness.quiet();
        subject.process.resume();
        await harness.quiet();
        assert.deepEqual(subject.news, ['ready']);
        assert.deepEqual(bench.heardSoFar(), []);
      });

      whenAble('handles_messages', 'VIG-02: does not keep it from stopping, with what is queued still given out', async () => {
        const subject = bench.start('handles_messages');
        await bench.heard('entered');
        subject.process.suspend();
        subject.process.ref.send('a');
        subject.stop();
        assert.deepEqual(await subject.exited, { kind: 'shutdown' });
        assert.deepEqual(bench.heardSoFar(), ['heard a']);
      });

      whenAble('handles_messages', 'VIG-02: does not keep it from being killed, with what is queued as dead letters', async () => {
        const subject = bench.start('handles_messages');
        await bench.heard('entered');
        subject.process.suspend();
        subject.process.ref.send('a');
        subject.process.kill();
        assert.deepEqual(await subject.exited, { kind: 'killed' });
        assert.deepEqual(bench.deadLetters(), ['a']);
      });

      whenAble('handles_messages', 'counts for nothing after a request to stop', async () => {
        const subject = bench.start('handles_messages');
        await bench.heard('entered');
        subject.process.ref.send('a');
        subject.stop();
        subject.process.suspend();
        assert.deepEqual(await subject.exited, { kind: 'shutdown' });
        assert.deepEqual(bench.heardSoFar(), ['heard a']);
      });
    });

    describe('monitor', () => {
      whenAble('waits_for_stop', 'MON-01: tells each who watches, once, who has ended and why', async () => {
        const subject = bench.start('waits_for_stop', { id: 'worker' });
        const { ref } = subject.process;
        const monitors = [ref.monitor(), ref.monitor()];
        subject.process.kill({ kind: 'crashed', error: 'scripted' });
        for (const monitor of monitors) {
          const down = await monitor.down;
          assert.deepEqual([down.id, down.reason], ['worker', { kind: 'crashed', error: 'scripted' }]);
          assert.equal(down.ref, ref);
        }
      });

      whenAble('waits_for_stop', 'MON-01: tells nobody who has stopped watching', async () => {
        const { process } = bench.start('waits_for_stop');
        const [cancelled, kept] = [process.ref.monitor(), process.ref.monitor()];
        assert.deepEqual([cancelled.demonitor(), cancelled.demonitor()], [true, false]);
        process.kill();
        await kept.down;
        await harness.quiet();
        assert.equal(await Promise.race([cancelled.down, Promise.resolve('not told')]), 'not told');
        assert.equal(kept.demonitor(), false);
      });

      whenAble('returns', 'MON-02: says noproc, later and without a throw, of a process that has ended', async () => {
        const subject = bench.start('returns', { id: 'worker' });
        await subject.exited;
        const monitor = subject.process.ref.monitor();
        assert.deepEqual((await monitor.down).reason, { kind: 'noproc' });
        assert.equal(monitor.demonitor(), false);
      });

      whenAble('has_name', 'MON-04: tells when the names are free', async () => {
        const subject = bench.start('has_name');
        await bench.heard('entered');
        const { down } = subject.process.ref.monitor();
        subject.process.kill();
        await down;
        assert.equal(bench.environment.names.whereis('scripted'), undefined);
      });

      whenAble(
        'waits_for_stop',
        'MON-04: tells when all have heard of the end who keep a place for it, as groups and brokers do',
        async () => {
          const { process } = bench.start('waits_for_stop');
          const { down } = process.ref.monitor();
          const order: string[] = [];
          process.ref.onClose(() => order.push('place given up'));
          process.kill();
          await down.then(() => order.push('down'));
          assert.deepEqual(order, ['place given up', 'down']);
        },
      );
    });

    describe('link', () => {
      whenAble('ignores_stop', 'MON-03: ends who is linked with it with the reason of its own end', async () => {
        for (const reason of [KILLED, SHUTDOWN, crashed(new Error('scripted'))]) {
          const subject = bench.start('ignores_stop');
          const { peer, context } = startPeer(bench);
          context.link(subject.process.ref);
          subject.process.kill(reason);
          assert.deepEqual(await peer.exited, reason);
        }
      });

      whenAble('ignores_stop', 'MON-03: ends it with the reason of who is linked with it', async () => {
        for (const reason of [KILLED, SHUTDOWN, crashed(new Error('scripted'))]) {
          const subject = bench.start('ignores_stop');
          const { peer, context } = startPeer(bench);
          context.link(subject.process.ref);
          peer.process.kill(reason);
          assert.deepEqual(await subject.exited, reason);
        }
      });

      whenAble('returns', 'MON-03: ends nobody when it returns', async () => {
        const subject = bench.create('returns');
        const { peer, context } = startPeer(bench);
        context.link(subject.process.ref);
        subject.start();
        await subject.exited;
        await harness.quiet();
        assert.deepEqual(peer.news, ['ready']);
        peer.process.kill();
      });

      whenAble('ignores_stop', 'MON-03: does not end it when who is linked with it returns', async () => {
        const subject = bench.start('ignores_stop');
        await bench.heard('entered');
        const { peer, context } = startPeer(bench);
        context.link(subject.process.ref);
        peer.process.kill(NORMAL);
        await harness.quiet();
        assert.deepEqual(subject.news, ['ready']);
      });

      whenAble('crashes', 'MON-03: tells who traps exits of its end, once, when its own host has heard', async () => {
        const subject = bench.create('crashes');
        const { peer, context } = startPeer(bench);
        const told: unknown[] = [];
        context.onExit(({ ref, reason }) => told.push([ref === subject.process.ref, reason, subject.news.length]));
        context.link(subject.process.ref);
        subject.start();
        const reason = await subject.exited;
        await harness.quiet();
        assert.deepEqual(told, [[true, reason, 2]]);
        assert.deepEqual(peer.news, ['ready']);
        peer.process.kill();
      });

      whenAble('ignores_stop', 'MON-03: is undone by either side', async () => {
        const subject = bench.start('ignores_stop');
        const { peer, context } = startPeer(bench);
        context.link(subject.process.ref);
        assert.deepEqual([context.unlink(subject.process.ref), context.unlink(subject.process.ref)], [true, false]);
        subject.process.kill();
        await subject.exited;
        await harness.quiet();
        assert.deepEqual(peer.news, ['ready']);
        peer.process.kill();
      });
    });

    describe('names', () => {
      whenAble('has_name', 'lead to the process', async () => {
        const subject = bench.start('has_name');
        await bench.heard('entered');
        bench.environment.names.whereis('scripted')?.send('hello');
        assert.equal(subject.process.ref.stats().depth, 1);
      });

      for (const end of ['stop', 'kill'] as const) {
        whenAble('has_name', `are free when the host hears of the end, so that the successor can have them: ${end}`, async () => {
          for (let incarnation = 1; incarnation <= 3; incarnation += 1) {
            const subject = bench.start('has_name', { incarnation });
            await bench.heard('entered');
            if (end === 'stop') subject.stop();
            else subject.process.kill();
            await subject.exited;
            assert.equal(subject.nameAtExit, undefined);
          }
        });
      }
    });

    describe('onClose of the ref', () => {
      for (const end of ['stop', 'kill'] as const) {
        whenAble('waits_for_stop', `calls back once, before the host hears of the end: ${end}`, async () => {
          const subject = bench.start('waits_for_stop');
          const newsAtClose: number[] = [];
          subject.process.ref.onClose(() => newsAtClose.push(subject.news.length));
          await Promise.all([bench.heard('entered'), subject.ready]);
          if (end === 'stop') subject.stop();
          else subject.process.kill();
          await subject.exited;
          subject.process.kill();
          assert.deepEqual(newsAtClose, [1]);
        });
      }

      whenAble('ignores_stop', 'calls back at the end, not at the stop request', async () => {
        const subject = bench.start('ignores_stop');
        await bench.heard('entered');
        let calls = 0;
        subject.process.ref.onClose(() => (calls += 1));
        subject.stop();
        assert.deepEqual([calls, subject.process.ref.isClosed()], [0, false]);
        subject.process.kill();
        await subject.exited;
        assert.deepEqual([calls, subject.process.ref.isClosed()], [1, true]);
      });

      whenAble('waits_for_stop', 'can be cancelled, and tells whether that was in time', async () => {
        const subject = bench.start('waits_for_stop');
        let calls = 0;
        const cancel = subject.process.ref.onClose(() => (calls += 1));
        const cancelLate = subject.process.ref.onClose(() => {});
        assert.deepEqual([cancel(), cancel()], [true, false]);
        subject.process.kill();
        await subject.exited;
        assert.equal(cancelLate(), false);
        assert.equal(subject.process.ref.onClose(() => (calls += 1))(), false);
        assert.equal(calls, 0);
      });

      whenAble('waits_for_stop', 'keeps nobody from the news by a callback that throws', async () => {
        const subject = bench.start('waits_for_stop');
        let calls = 0;
        const failure = new Error('from the callback');
        subject.process.ref.onClose(() => {
          throw failure;
        });
        subject.process.ref.onClose(() => (calls += 1));
        subject.process.kill();
        assert.deepEqual(await subject.exited, { kind: 'killed' });
        assert.equal(calls, 1);
        assert.ok(bench.logged.some(({ level, details }) => level === 'error' && details === failure));
      });
    });
  });
}

/** A task beside the process under test, and what its body can do. */
function startPeer({ environment, violations }: Workbench): { readonly peer: Subject; readonly context: ProcessContext } {
  const contexts: ProcessContext[] = [];
  const body: ProcessBody = (ctx) => {
    contexts.push(ctx);
    return ctx.stopped;
  };
  const settings = processSettings({ id: 'peer' });
  const peer = new Subject(new TaskRunner(body), settings, 1, environment, violations);
  peer.start();
  return { peer, context: contexts[0]! };
}

function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}

function errorOf(reason: ExitReason): { kind: ExitReason['kind']; error: unknown } {
  return { kind: reason.kind, error: reason.kind === 'crashed' ? reason.error : undefined };
}
