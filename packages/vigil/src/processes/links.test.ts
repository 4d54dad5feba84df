import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  crashed,
  type ExitReason,
  isVigilError,
  KILLED,
  LocalInbox,
  MailboxSettings,
  NORMAL,
  nextTurn,
  noTelemetry,
  SHUTDOWN,
  silentLogger,
  SystemClock,
  VigilError,
} from '../core/index.js';
import type { ProcessBody, ProcessContext } from './process-context.js';
import type { Down, ExitSignal, Monitor } from './runner.js';
import { TaskRunner } from './task/task-runner.js';
import { type Subject, Workbench } from './workbench.suite.js';
import { LocalRef } from './local-ref.js';

/** A task that runs until it is ended, and what its body can do. */
interface Peer {
  readonly subject: Subject;
  readonly context: ProcessContext;
}

describe('links and monitors of a process', () => {
  const contexts = new Map<string, ProcessContext>();
  const body: ProcessBody = (ctx) => {
    contexts.set(ctx.id, ctx);
    return ctx.stopped;
  };
  let bench: Workbench;

  beforeEach(() => {
    bench = new Workbench({ runner: () => new TaskRunner(body), letGo() {}, quiet: nextTurn });
  });

  afterEach(async () => {
    await bench.clear();
    assert.deepEqual(bench.violations, []);
  });

  const start = (id: string): Peer => {
    const subject = bench.start('waits_for_stop', { id });
    return { subject, context: contexts.get(id)! };
  };

  const startTwo = (): [Peer, Peer] => [start('a'), start('b')];

  describe('link', () => {
    for (const reason of [crashed(new Error('scripted')), KILLED, SHUTDOWN] as const) {
      it(`MON-03: ends both with the reason of the first, whoever asked for it: ${reason.kind}`, async () => {
        for (const first of [0, 1]) {
          const peers = startTwo();
          const [asking, asked] = peers;
          asking.context.link(asked.subject.process.ref);
          peers[first]!.subject.process.kill(reason);
          assert.equal(await peers[1 - first]!.subject.exited, reason);
        }
      });
    }

    it('MON-03: does not end the other when one ends with normal', async () => {
      const [a, b] = startTwo();
      a.context.link(b.subject.process.ref);
      b.subject.process.kill(NORMAL);
      await nextTurn();
      assert.deepEqual(a.subject.news, ['ready']);
    });

    it('tells the host of the first end first', async () => {
      const [a, b] = startTwo();
      a.context.link(b.subject.process.ref);
      const ends: string[] = [];
      const note = async ({ subject, context }: Peer) => {
        await subject.exited;
        ends.push(context.id);
      };
      const noted = [note(a), note(b)];
      b.subject.process.kill();
      await Promise.all(noted);
      assert.deepEqual(ends, ['b', 'a']);
    });

    it('goes on from one to the next', async () => {
      const peers = ['a', 'b', 'c', 'd'].map(start);
      peers.slice(1).forEach((peer, index) => peer.context.link(peers[index]!.subject.process.ref));
      peers[1]!.subject.process.kill();
      for (const { subject } of peers) assert.deepEqual(await subject.exited, KILLED);
    });

    it('is one link, however often it is asked for, and one call undoes it', async () => {
      const [a, b] = startTwo();
      a.context.link(b.subject.process.ref);
      a.context.link(b.subject.process.ref);
      b.context.link(a.subject.process.ref);
      assert.deepEqual([a.context.unlink(b.subject.process.ref), a.context.unlink(b.subject.process.ref)], [true, false]);
      b.subject.process.kill();
      await nextTurn();
      assert.deepEqual(a.subject.news, ['ready']);
    });

    it('can be undone by either, and only where there is one', async () => {
      const [a, b] = startTwo();
      assert.equal(a.context.unlink(b.subject.process.ref), false);
      a.context.link(b.subject.process.ref);
      assert.equal(b.context.unlink(a.subject.process.ref), true);
      assert.equal(a.context.unlink(b.subject.process.ref), false);
      a.subject.process.kill();
      await nextTurn();
      assert.deepEqual(b.subject.news, ['ready']);
    });

    it('with itself is none', async () => {
      const { subject, context } = start('a');
      context.link(subject.process.ref);
      assert.equal(context.unlink(subject.process.ref), false);
      subject.process.kill();
      assert.deepEqual(await subject.exited, KILLED);
    });

    it('with a process that has ended ends this one, but not before the call has returned', async () => {
      const [a, b] = startTwo();
      b.subject.process.kill();
      a.context.link(b.subject.process.ref);
      assert.deepEqual(a.subject.news, ['ready']);
      const reason = await a.subject.exited;
      assert.ok(reason.kind === 'crashed' && isVigilError(reason.error, 'ProcessNotFound'));
    });

    it('is refused to a process that has ended itself', () => {
      const [a, b] = startTwo();
      a.subject.process.kill();
      assert.throws(
        () => a.context.link(b.subject.process.ref),
        (error) => isVigilError(error, 'ProcessNotFound'),
      );
    });

    it('goes round a ring once', async () => {
      const peers = ['a', 'b', 'c'].map(start);
      peers.forEach((peer, index) => peer.context.link(peers[(index + 1) % 3]!.subject.process.ref));
      peers[0]!.subject.process.kill(crashed('scripted'));
      for (const { subject } of peers) assert.deepEqual(subject.news, ['ready', crashed('scripted')]);
    });

    it('goes on along a chain that is longer than the stack, in the order of the links', () => {
      const peers = Array.from({ length: 20_000 }, (_, index) => start(`${index}`));
      const ended: string[] = [];
      peers.forEach((peer, index) => {
        peer.subject.process.ref.onClose(() => ended.push(peer.context.id));
        if (index > 0) peer.context.link(peers[index - 1]!.subject.process.ref);
      });
      peers[0]!.subject.process.kill();
      assert.deepEqual(
        ended,
        peers.map(({ context }) => context.id),
      );
    });

    it('goes on from a process that has ended by a handler that failed', () => {
      const [a, b, c] = [start('a'), start('b'), start('c')];
      const error = new Error('from the handler');
      b.context.onExit(() => {
        throw error;
      });
      b.context.link(a.subject.process.ref);
      c.context.link(b.subject.process.ref);
      a.subject.process.kill();
      assert.deepEqual([b.subject.news.at(-1), c.subject.news.at(-1)], [crashed(error), crashed(error)]);
    });

    it('is refused with what is no process', () => {
      const { context } = start('a');
      for (const other of [undefined, null, 'a', {}, context]) {
        assert.throws(
          // @ts-expect-error it takes a ref
          () => context.link(other),
          (error) => isVigilError(error, 'InvalidConfiguration'),
        );
      }
    });
  });

  describe('onExit', () => {
    for (const reason of [NORMAL, SHUTDOWN, KILLED, crashed('scripted')] as ExitReason[]) {
      it(`MON-03: tells of the end of a linked process instead of ending this one, once: ${reason.kind}`, async () => {
        const [a, b] = startTwo();
        const signals: ExitSignal[] = [];
        a.context.onExit((signal) => signals.push(signal));
        a.context.link(b.subject.process.ref);
        b.subject.process.kill(reason);
        b.subject.process.kill();
        await nextTurn();
        assert.deepEqual(a.subject.news, ['ready']);
        assert.equal(signals.length, 1);
        assert.equal(signals[0]!.ref, b.subject.process.ref);
        assert.equal(signals[0]!.reason, reason);
      });
    }

    it('tells of a process that had ended before the link', async () => {
      const [a, b] = startTwo();
      const signals: ExitSignal[] = [];
      a.context.onExit((signal) => signals.push(signal));
      b.subject.process.kill();
      a.context.link(b.subject.process.ref);
      assert.equal(signals.length, 0);
      await nextTurn();
      assert.equal(signals.length, 1);
      assert.equal(signals[0]!.ref, b.subject.process.ref);
    });

    it('does not keep a process from being killed itself', async () => {
      const { subject, context } = start('a');
      context.onExit(() => assert.fail('it is not linked'));
      subject.process.kill();
      assert.deepEqual(await subject.exited, KILLED);
    });

    it('makes a crash of what the handler throws', async () => {
      const [a, b] = startTwo();
      const error = new Error('from the handler');
      a.context.onExit(() => {
        throw error;
      });
      a.context.link(b.subject.process.ref);
      b.subject.process.kill(NORMAL);
      assert.deepEqual(await a.subject.exited, { kind: 'crashed', error });
    });

    it('tells of more than one end, and does not keep its own end from those that are linked with it', async () => {
      const [a, b, c, d] = [start('a'), start('b'), start('c'), start('d')];
      const told: string[] = [];
      a.context.onExit(({ ref }) => told.push(ref.id));
      for (const { subject } of [b, c, d]) a.context.link(subject.process.ref);
      b.subject.process.kill();
      c.subject.process.kill();
      assert.deepEqual(told, ['b', 'c']);
      a.subject.process.kill();
      assert.deepEqual(await d.subject.exited, KILLED);
    });

    it('tells nothing to a process that has ended', async () => {
      const [a, b] = startTwo();
      a.context.onExit(() => assert.fail('it has ended'));
      a.context.link(b.subject.process.ref);
      a.subject.process.kill(NORMAL);
      b.subject.process.kill();
      await nextTurn();
    });
  });

  describe('monitor', () => {
    it('MON-01: watches a process by its ref or by its name', async () => {
      const [a, b] = startTwo();
      b.context.register('db');
      const { ref } = b.subject.process;
      const monitors = [a.context.monitor(ref), a.context.monitor('db')];
      b.subject.process.kill();
      for (const monitor of monitors) assertDown(await monitor.down, { id: 'b', ref, reason: KILLED });
      await nextTurn();
      assert.deepEqual(a.subject.news, ['ready']);
    });

    it('MON-02: says noproc of a name that nobody has', async () => {
      const { context } = start('a');
      const monitor = context.monitor('nobody');
      assertDown(await monitor.down, { id: 'nobody', ref: undefined, reason: { kind: 'noproc' } });
      assert.equal(monitor.demonitor(), false);
    });

    it('ends with the process that watches', async () => {
      const [a, b] = startTwo();
      const monitors = [a.context.monitor(b.subject.process.ref), a.context.monitor(b.subject.process.ref)];
      const watched = monitors.map(watch);
      a.subject.process.kill();
      for (const monitor of monitors) assert.equal(monitor.demonitor(), false);
      b.subject.process.kill();
      await nextTurn();
      for (const { isSettled } of watched) assert.equal(isSettled, false);
    });

    it('never begins for a process that has ended itself', async () => {
      const [a, b] = startTwo();
      a.subject.process.kill();
      const watched = watch(a.context.monitor(b.subject.process.ref));
      b.subject.process.kill();
      await nextTurn();
      assert.equal(watched.isSettled, false);
    });

    it('MON-02: leaves nothing behind, on neither side, when it is ended before or has told', () => {
      const { context, subject } = start('a');
      const target = new Watched();
      for (let time = 0; time < 3; time += 1) context.monitor(target.ref).demonitor();
      assert.deepEqual([target.watches, target.cancels], [0, 3]);
      const monitors = [context.monitor(target.ref), context.monitor(target.ref)];
      assert.equal(target.watches, 2);
      monitors[0]!.demonitor();
      subject.process.kill();
      // Nothing is cancelled twice: what was ended before is not kept until the end.
      assert.deepEqual([target.watches, target.cancels], [0, 5]);
    });

    it('MON-01: of a target that has ended is not kept until the end of the process that watched', async () => {
      const { context, subject } = start('a');
      const target = new Watched();
      const { down } = context.monitor(target.ref);
      target.end(KILLED);
      await down;
      await nextTurn();
      subject.process.kill();
      assert.equal(target.cancels, 0);
    });

    it('can be ended before', async () => {
      const [a, b] = startTwo();
      const monitor = a.context.monitor(b.subject.process.ref);
      const settled = watch(monitor);
      assert.deepEqual([monitor.demonitor(), monitor.demonitor()], [true, false]);
      b.subject.process.kill();
      await nextTurn();
      assert.equal(settled.isSettled, false);
    });
  });
});

/** A process that counts who watches it. */
class Watched {
  readonly ref: LocalRef;
  cancels = 0;
  readonly #callbacks = new Set<(reason: ExitReason) => void>();

  constructor() {
    this.ref = new LocalRef({
      settings: { id: 'watched' },
      incarnation: 1,
      kind: 'task',
      isAlive: true,
      inbox: new LocalInbox('watched', new MailboxSettings(), {
        clock: new SystemClock(),
        telemetry: noTelemetry,
        log: silentLogger,
        nextMessageId: () => 1,
      }),
      onExit: (callback) => {
        this.#callbacks.add(callback);
        return () => {
          this.cancels += 1;
          return this.#callbacks.delete(callback);
        };
      },
      addLink: () => false,
      removeLink: () => false,
      exitSignal() {},
      notFound: () => new VigilError('ProcessNotFound', 'gone'),
    });
  }

  get watches(): number {
    return this.#callbacks.size;
  }

  end(reason: ExitReason): void {
    for (const callback of this.#callbacks) callback(reason);
    this.#callbacks.clear();
  }
}

function assertDown(down: Down, expected: Down): void {
  assert.deepEqual([down.id, down.reason], [expected.id, expected.reason]);
  assert.equal(down.ref, expected.ref);
}

function watch(monitor: Monitor): { isSettled: boolean } {
  const watched = { isSettled: false };
  const wait = async () => {
    await monitor.down;
    watched.isSettled = true;
  };
  void wait();
  return watched;
}
