import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import { VirtualClock } from 'vigiljs/testing';
import type * as ledgerModule from './fixtures/ledger.js';
import ledger from './fixtures/ledger.js';
import type * as starterModule from './fixtures/starter.js';
import starter from './fixtures/starter.js';

type Ledger = typeof ledgerModule;

const MODULE = new URL('./fixtures/ledger.js', import.meta.url);

const kinds = {
  task: () => ledger,
  thread: () => vigil.thread<Ledger>(MODULE),
  fork: () => vigil.fork<Ledger>(MODULE),
} as const;

const STARTER = new URL('./fixtures/starter.js', import.meta.url);

const starters = {
  task: () => starter,
  thread: () => vigil.thread<typeof starterModule>(STARTER),
  fork: () => vigil.fork<typeof starterModule>(STARTER),
} as const;

const KINDS = ['task', 'thread', 'fork'] as const;
type Kind = (typeof KINDS)[number];

/** A runtime whose servers end with the test. */
class World implements AsyncDisposable {
  readonly runtime: vigil.Runtime = vigil.runtime();
  readonly events: string[] = [];
  readonly obituaries: vigil.Inbox<unknown>;
  readonly #supervisor: vigil.Supervisor;

  private constructor() {
    this.obituaries = this.runtime.inbox();
    this.runtime.registry.register('obituaries', this.obituaries);
    for (const event of ['genserver_started', 'genserver_stopped', 'genserver_state_changed'] as const) {
      this.runtime.telemetry.on(event, ({ metadata }) => this.events.push(`${event} ${metadata.id}`));
    }
    this.#supervisor = this.runtime.supervisor().name('s').build();
  }

  static async start(): Promise<World> {
    const world = new World();
    await world.#supervisor.start();
    return world;
  }

  /** The handle of a new server, which has its kind for its name unless it is told another. */
  async serve(kind: Kind, name: string = kind): Promise<vigil.ServerHandle<Ledger>> {
    const options = { args: { name, start: 5 }, restartType: 'temporary', readiness: 'explicit' } as const;
    await this.#supervisor.startChild({ id: name, startFn: kinds[kind](), ...options });
    return this.runtime.serverOf<Ledger>(name);
  }

  refOf(name: string): vigil.ProcessRef {
    return this.#supervisor.getChildInfo(name)?.ref ?? assert.fail('it runs');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#supervisor.stop();
  }
}

const withCode = (code: vigil.VigilErrorCode) => (error: unknown) => vigil.isVigilError(error, code);

for (const kind of KINDS) {
  describe(`a server in a ${kind}`, () => {
    it('is called, cast to, sent to, looked into and stopped by one kind of handle', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      assert.equal(await server.call.add(2), 7);
      server.cast.reset(1);
      server.info(10);
      assert.equal(await server.getState(), 11);
      const { pid, threadId } = await server.call.where();
      assert.deepEqual([pid === process.pid, threadId === 0], { task: [true, true], thread: [true, false], fork: [false, true] }[kind]);
      assert.deepEqual(await server.stop({ reason: { kind: 'shutdown', info: 'done' } }), { kind: 'shutdown', info: 'done' });
      assert.deepEqual((await world.obituaries.recv()).payload, { sum: 11, kind: 'shutdown' });
      assert.deepEqual(world.events, [
        `genserver_started ${kind}`,
        `genserver_state_changed ${kind}`,
        `genserver_state_changed ${kind}`,
        `genserver_state_changed ${kind}`,
        `genserver_stopped ${kind}`,
      ]);
    });

    it('GS-01: answers five hundred calls in their order', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      const sums = await Promise.all(Array.from({ length: 500 }, () => server.call.add(1)));
      assert.deepEqual(
        sums,
        Array.from({ length: 500 }, (_, index) => 6 + index),
      );
    });

    it('GS-05: fails all who wait with the whole error when it crashes', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      const calls = [server.call.crash(), server.call.add(1), server.call.never(undefined, { timeoutMs: 'infinity' })];
      for (const outcome of await Promise.allSettled(calls)) {
        assert.ok(outcome.status === 'rejected' && vigil.isVigilError(outcome.reason, 'ProcessNotFound'));
        const { cause } = outcome.reason;
        assert.ok(cause instanceof RangeError && cause.message === 'out of paper' && cause.cause === 'the office');
        assert.equal('status' in cause && cause.status, 507);
      }
      assert.equal(world.runtime.replies.pendingCalls, 0);
    });

    it('GS-03: has a plain message logged for which it has no handler, and lives on', async () => {
      const warnings: string[] = [];
      const log = { debug() {}, info() {}, warn: (line: string) => void warnings.push(line), error() {} };
      await using server = await vigil.runtime({ log }).startServer(starters[kind](), { args: { name: 's', sum: 1, does: 'starts' } });
      server.info('a plain message');
      assert.equal(await server.call.add(1), 2);
      assert.deepEqual(warnings, ['server "server" got a message and has no handler named info']);
    });

    it('GS-06: refuses a call at once when it has ended, or nobody has the name, without a time-out too', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      const byRef = world.runtime.serverOf<Ledger>(world.refOf(kind));
      await server.stop();
      const endless = { timeoutMs: 'infinity' } as const;
      await assert.rejects(server.call.add(1, endless), withCode('NotRegistered'));
      await assert.rejects(byRef.call.add(1, endless), withCode('ProcessNotFound'));
      const caller = await world.serve(kind, 'caller');
      assert.equal((await caller.call.failureOf({ name: kind, call: 'crash' }, endless))?.code, 'NotRegistered');
      assert.equal(world.runtime.replies.pendingCalls, 0);
    });

    it('GS-07, GS-08: a call times out, its reply is counted as late, and the server goes on', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      await assert.rejects(server.call.wait(undefined, { timeoutMs: 5 }), (error) => vigil.isVigilError(error, 'OperationTimeout'));
      assert.equal(await server.call.release('too late'), 5);
      assert.equal(world.runtime.replies.lateReplies, 1);
      const waiting = server.call.wait();
      await server.call.release('in time');
      assert.equal(await waiting, 'in time');
      assert.equal(world.runtime.replies.pendingCalls, 0);
    });

    it('GS-09: is refused when it calls itself', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      await assert.rejects(server.call.addTo({ name: kind, n: 1 }), (error) => {
        assert.ok(vigil.isVigilError(error, 'ProcessNotFound') && vigil.isVigilError(error.cause, 'InvalidState'));
        return error.cause.details.reason === 'calling_self';
      });
    });

    it('GS-11: stops with a reply', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      assert.equal(await server.call.quit(), 'bye');
      assert.deepEqual((await world.obituaries.recv()).payload, { sum: 5, kind: 'shutdown' });
    });

    it('GS-17: goes on with what a handler has asked for before any queued message, in a chain, to an end if it says so', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      server.cast.chain(2);
      const sum = server.call.add(1);
      server.info('behind the chain');
      assert.equal(await sum, 501);
      const { down } = world.refOf(kind).monitor();
      server.cast.chain(-1);
      const unanswered = server.call.add(1);
      server.info('behind the chain');
      await assert.rejects(unanswered, withCode('ProcessNotFound'));
      assert.deepEqual((await down).reason, { kind: 'shutdown', info: 'in the midst of it' });
    });

    it('GS-19: terminates with the error of a handler, and not when it is killed', async () => {
      await using world = await World.start();
      await assert.rejects((await world.serve(kind)).call.crash(), withCode('ProcessNotFound'));
      assert.deepEqual((await world.obituaries.recv()).payload, { sum: 5, kind: 'crashed' });
      const server = await world.runtime.startServer(kinds[kind](), { args: { name: kind, start: 5 } });
      server.kill();
      await server.ref.monitor().down;
      assert.equal(world.obituaries.tryRecv(), undefined);
    });

    it('GS-19: ends with what terminate throws, and keeps nobody waiting who stops it', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      server.cast.reset(Number.POSITIVE_INFINITY);
      await assert.rejects(server.stop(), (error) => {
        assert.ok(vigil.isVigilError(error, 'ProcessNotFound') && error.cause instanceof RangeError);
        return error.cause.message === 'cannot end well';
      });
    });

    it('GS-20: stop() is refused by one that has ended, and to one that would wait for itself', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      const byRef = world.runtime.serverOf<Ledger>(world.refOf(kind));
      assert.deepEqual(await server.call.stopItself(kind), ['InvalidState', 'calling_self']);
      assert.deepEqual(await server.stop(), { kind: 'normal' });
      assert.equal(world.runtime.registry.whereis(kind), undefined);
      await assert.rejects(byRef.stop(), withCode('ProcessNotFound'));
    });

    it('GS-20, GS-22: stop() waits for the handler that runs, gives up at its time, and the server ends by itself', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      const [ref, held] = [world.refOf(kind), server.call.hold()];
      const { down } = ref.monitor();
      assert.equal((await world.obituaries.recv()).payload, 'holds');
      await assert.rejects(server.stop({ timeoutMs: 5 }), withCode('OperationTimeout'));
      assert.equal(ref.isAlive(), true);
      server.info('let go');
      assert.equal(await held, 'held');
      assert.deepEqual((await down).reason, { kind: 'normal' });
      assert.deepEqual((await world.obituaries.recv()).payload, { sum: 6, kind: 'normal' });
    });

    it('GS-22: a kill does not wait for the handler that runs, and nothing comes of that', async () => {
      await using world = await World.start();
      const server = await world.runtime.startServer(kinds[kind](), { args: { name: kind, start: 5 } });
      const held = server.call.hold();
      assert.equal((await world.obituaries.recv()).payload, 'holds');
      const { down } = server.ref.monitor();
      server.kill();
      await assert.rejects(held, withCode('ProcessNotFound'));
      assert.deepEqual((await down).reason, { kind: 'killed' });
      assert.deepEqual([world.obituaries.tryRecv(), world.runtime.replies.lateReplies], [undefined, 0]);
    });

    it('GS-19: terminates when its supervisor stops it', async () => {
      const world = await World.start();
      await world.serve(kind);
      await world[Symbol.asyncDispose]();
      assert.deepEqual((await world.obituaries.recv()).payload, { sum: 5, kind: 'shutdown' });
    });

    it('GS-23: several calls under way are answered or fail each by itself, and are collected whenever it suits', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      const patient = server.call.wait();
      const calls = [server.call.add(1), server.call.never(undefined, { timeoutMs: 5 }), server.call.add(2)];
      assert.equal(await Promise.any(calls), 6);
      assert.equal(await Promise.race([patient, Promise.resolve('nothing yet')]), 'nothing yet');
      const [one, timedOut, other] = await Promise.allSettled(calls);
      assert.deepEqual(
        [one, other],
        [6, 8].map((value) => ({ status: 'fulfilled', value })),
      );
      assert.ok(timedOut?.status === 'rejected' && vigil.isVigilError(timedOut.reason, 'OperationTimeout'));
      await server.call.release('collected later');
      assert.equal(await patient, 'collected later');
      assert.equal(world.runtime.replies.pendingCalls, 0);
    });

    for (const other of KINDS) {
      it(`calls one in a ${other}`, async () => {
        await using world = await World.start();
        const [server, callee] = [await world.serve(kind), await world.serve(other, 'callee')];
        assert.equal(await server.call.addTo({ name: 'callee', n: 3 }), 8);
        assert.equal(await callee.call.add(1), 9);
      });

      it(`hears at once, with the whole error, when one in a ${other} crashes during its call`, async () => {
        await using world = await World.start();
        const server = await world.serve(kind);
        await world.serve(other, 'callee');
        const failure = await server.call.failureOf({ name: 'callee', call: 'crash' }, { timeoutMs: 'infinity' });
        assert.ok(failure?.code === 'ProcessNotFound' && failure.cause instanceof RangeError);
        assert.equal(failure.cause.message, 'out of paper');
      });
    }

    it('has a time-out of its own for its calls', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      await world.serve('task', 'callee');
      const failure = await server.call.failureOf({ name: 'callee', call: 'never' });
      assert.equal(failure?.code, 'OperationTimeout');
    });
  });
}

/** Fewer where a start is the start of a Node process. */
const ROUNDS = { task: 100, thread: 10, fork: 3 } as const;

/** Stands still, but does not let Node end while a process elsewhere is needed. */
class PatientClock extends VirtualClock {
  readonly #machine = vigil.runtime().clock;

  override keepAlive(): () => boolean {
    return this.#machine.keepAlive();
  }
}

/** Where servers start that tell `observer` of it. */
function startingPoint() {
  const clock = new PatientClock();
  const runtime = vigil.runtime({ clock });
  const observer = runtime.inbox<string>();
  runtime.registry.register('observer', observer);
  return { clock, runtime, observer };
}

for (const kind of KINDS) {
  describe(`the start of a server in a ${kind}`, () => {
    for (const host of ['without a supervisor', 'below a supervisor'] as const) {
      it(`GS-14, GS-15: times out ${host} at its time, and when that is heard nothing of it has its name`, async () => {
        const { clock, runtime, observer } = startingPoint();
        const args = { name: 'db', sum: 0, does: 'waits' } as const;
        const supervisor = runtime.supervisor().build();
        await supervisor.start();
        const starting =
          host === 'without a supervisor'
            ? runtime.startServer(starters[kind](), { args, startTimeoutMs: 50 })
            : supervisor.startChild({ id: 'db', startFn: starters[kind](), args, readiness: 'explicit', startTimeoutMs: 50 });
        let isOver = false;
        const code = host === 'without a supervisor' ? 'OperationTimeout' : 'ProcessStartFailed';
        const rejected = assert.rejects(
          starting.finally(() => (isOver = true)),
          (error) => vigil.isVigilError(error, code),
        );
        await observer.recv();
        assert.ok(runtime.registry.whereis('db') !== undefined);
        await clock.advance(49);
        assert.equal(isOver, false);
        await clock.advance(1);
        await rejected;
        assert.equal(runtime.registry.whereis('db'), undefined);
        await using successor = await runtime.startServer(starters[kind](), { args: { name: 'db', sum: 0, does: 'starts' } });
        assert.equal(runtime.registry.whereis('db'), successor.ref);
        assert.equal(await successor.call.add(1), 1);
        await supervisor.stop();
      });
    }

    it(`GS-15: that fails or is declined leaves no name, ${ROUNDS[kind]} times in a row`, async () => {
      const { runtime, observer } = startingPoint();
      for (let round = 0; round < ROUNDS[kind]; round += 1) {
        for (const does of ['throws', 'declines'] as const) {
          await assert.rejects(runtime.startServer(starters[kind](), { args: { name: 'db', sum: 0, does }, name: 'db-2' }), (error) => {
            assert.ok(vigil.isVigilError(error, 'ProcessStartFailed'));
            return does === 'declines' ? error.details.ignored === true : error.cause instanceof Error && error.cause.message === 'no disk';
          });
          assert.deepEqual([runtime.registry.whereis('db'), runtime.registry.whereis('db-2')], [undefined, undefined]);
          assert.equal((await observer.recv()).payload, does);
        }
      }
    });

    for (const holderKind of KINDS) {
      it(`GS-16: is refused under the name of one in a ${holderKind}, with its ref, and its init does not run`, async () => {
        const { runtime, observer } = startingPoint();
        await using holder = await runtime.startServer(starters[holderKind](), { args: { name: 'db', sum: 0, does: 'starts' } });
        assert.equal((await observer.recv()).payload, 'starts');
        const supervisor = runtime.supervisor().build();
        await supervisor.start();
        const args = { name: 'db', sum: 0, does: 'starts' } as const;
        const isRefusal = (error: unknown) => vigil.isVigilError(error, 'AlreadyRegistered') && error.details.holder === holder.ref;
        await assert.rejects(runtime.startServer(starters[kind](), { args }), isRefusal);
        await assert.rejects(runtime.startServer(starters[kind](), { args: { ...args, name: 'own' }, name: 'db' }), isRefusal);
        await assert.rejects(
          supervisor.startChild({ id: 'db', startFn: starters[kind](), args, readiness: 'explicit' }),
          (error) => vigil.isVigilError(error, 'ProcessStartFailed') && isRefusal(error.cause),
        );
        assert.deepEqual([observer.tryRecv(), runtime.registry.whereis('own')], [undefined, undefined]);
        assert.equal(runtime.registry.whereis('db'), holder.ref);
        assert.equal(await holder.call.add(1), 1);
        await supervisor.stop();
      });
    }
  });
}

for (const kind of ['thread', 'fork'] as const) {
  describe(`beyond the boundary of a ${kind}`, () => {
    it('what cannot go there is refused: a reply fails its caller alone, a function is not sent', async () => {
      await using world = await World.start();
      const server = await world.serve(kind);
      await assert.rejects(server.call.uncloneable(), (error) => vigil.isVigilError(error, 'InvalidMessage'));
      await assert.rejects(
        server.replaceState(() => 1),
        (error) => vigil.isVigilError(error, 'InvalidMessage'),
      );
      assert.equal(await server.call.add(1), 6);
    });

    for (const depth of ['here', 'in a thread or process of its own there'] as const) {
      it(`a module that runs ${depth} is answered, also while it is imported`, async () => {
        await using world = await World.start();
        const { runtime } = world;
        const [oracle, told] = [runtime.inbox<string>(), runtime.inbox<string>()];
        runtime.registry.register('oracle', oracle);
        runtime.registry.register('told', told);
        const runner = { thread: vigil.thread, fork: vigil.fork }[kind];
        const module = depth === 'here' ? './fixtures/asker.js' : './fixtures/outer.js';
        const startFn = runner(new URL(module, import.meta.url));
        const supervisor = runtime.supervisor().child('it', startFn, { args: kind, restartType: 'temporary' }).build();
        const started = supervisor.start();
        for (const when of ['early', 'late']) {
          const asked = await oracle.recv();
          assert.equal(asked.payload, when);
          runtime.reply(asked, `answered ${when}`);
        }
        assert.equal((await told.recv()).payload, 'answered early, answered late');
        await started;
        await supervisor.stop();
        assert.deepEqual([runtime.replies.lateReplies, runtime.replies.pendingCalls], [0, 0]);
      });
    }

    it('a caller that has ended is not answered, which is counted once', async () => {
      await using world = await World.start();
      const { runtime } = world;
      const oracle = runtime.inbox<string>();
      runtime.registry.register('oracle', oracle);
      const runner = { thread: vigil.thread, fork: vigil.fork }[kind];
      const startFn = runner(new URL('./fixtures/outer.js', import.meta.url));
      const supervisor = runtime
        .supervisor()
        .child('it', startFn, { args: kind, restartType: 'temporary', shutdownTimeoutMs: 'brutal_kill' })
        .build();
      await supervisor.start();
      const asked = await oracle.recv();
      await supervisor.stop();
      runtime.reply(asked, 'too late');
      assert.equal(runtime.replies.lateReplies, 1);
    });

    it('is called through the default runtime there, too', async () => {
      await using world = await World.start();
      const [server] = [await world.serve(kind), await world.serve('task', 'callee')];
      assert.deepEqual(await server.call.addByDefault({ name: 'callee', n: 3 }), [8, 11]);
    });

    it('RR-01: replies of plain code and for plain code: its request is answered here, and what is refused or given up here fails there', async () => {
      await using world = await World.start();
      const jobs = world.runtime.inbox<unknown>();
      world.runtime.registry.register('callee', jobs);
      const server = await world.serve(kind);
      const asked = server.call.addTo({ name: 'callee', n: 3 });
      world.runtime.reply(await jobs.recv(), 'by hand');
      assert.equal(await asked, 'by hand');
      for (const deadLetter of [false, true]) {
        const full = world.runtime.inboxBuilder().capacity(1).deadLetter(deadLetter).build();
        full.send('a message');
        world.runtime.registry.register(`full ${deadLetter}`, full);
        assert.equal((await server.call.failureOf({ name: `full ${deadLetter}`, call: 'crash' }))?.code, 'MailboxFull');
      }
      const failing = server.call.failureOf({ name: 'callee', call: 'crash' });
      jobs.deadLetter(await jobs.recv());
      assert.equal((await failing)?.code, 'ReceiverUnavailable');
    });
  });
}
