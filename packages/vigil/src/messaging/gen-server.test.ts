import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runtime, type Runtime } from '../app/index.js';
import { type ExitReason, isVigilError, type Logger, ProcessExit, type VigilErrorCode } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import { genServer } from './gen-server.js';
import type { Caller } from './server-context.js';
import * as result from './server-result.js';

interface Logged {
  readonly level: keyof Logger;
  readonly message: string;
  readonly details: unknown;
}

interface World {
  readonly clock: VirtualClock;
  readonly runtime: Runtime;
  readonly logged: Logged[];
}

function newWorld(): World {
  const clock = new VirtualClock();
  const logged: Logged[] = [];
  const level = (name: keyof Logger) => (message: string, details?: unknown) => logged.push({ level: name, message, details });
  const log = { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') };
  return { clock, logged, runtime: runtime({ clock, log }) };
}

/** A gate that handlers wait at. */
function newGate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

const counter = genServer({
  init: (start: number) => start,
  call: {
    add: (n: number, count) => ({ reply: count + n, state: count + n }),
    get: (_, count) => ({ reply: count, state: count }),
  },
  cast: { reset: () => 0 },
});

describe('a server', () => {
  it("GS-01: answers a call with its handler's reply, and takes what one sender sends in order", async () => {
    const { runtime: own } = newWorld();
    const server = await own.startServer(counter, { args: 5 });
    const sums = await Promise.all([server.call.add(2), server.call.add(3)]);
    server.cast.reset();
    assert.deepEqual([...sums, await server.call.add(1), await server.call.get()], [7, 10, 1, 1]);
  });

  it('GS-01: never lets handlers overlap, even asynchronous ones of different kinds', async () => {
    const { runtime: own } = newWorld();
    const [trace, gates] = [Array.of<string>(), [newGate(), newGate()]];
    const server = await own.startServer(
      genServer({
        init: () => 0,
        call: {
          slow: async (index: number, state) => {
            trace.push(`+${index}`);
            await gates[index]?.opened;
            trace.push(`-${index}`);
            return { reply: index, state: state + 1 };
          },
        },
        cast: { note: (text: string, state) => (trace.push(text), state) },
        info: (payload, state) => (trace.push(String(payload)), state),
      }),
    );
    const first = server.call.slow(0);
    server.cast.note('cast');
    server.info('info');
    const second = server.call.slow(1);
    gates[1]?.open();
    await turns();
    assert.deepEqual(trace, ['+0']);
    gates[0]?.open();
    await Promise.all([first, second]);
    assert.deepEqual(trace, ['+0', '-0', 'cast', 'info', '+1', '-1']);
    assert.equal(await server.getState(), 2);
  });

  it('GS-03: gives a plain message to the info handler; without one it is logged, and the server lives on', async () => {
    const { runtime: own, logged } = newWorld();
    const seen: unknown[] = [];
    const server = await own.startServer(
      genServer({ init: () => 0, info: (payload, state, _server, message) => (seen.push([payload, message.priority]), state + 1) }),
    );
    server.info({ hello: 1 }, { priority: 'high' });
    assert.equal(await server.getState(), 1);
    assert.deepEqual(seen, [[{ hello: 1 }, 'high']]);
    const deaf = await own.startServer(counter, { args: 1 });
    deaf.info('anybody there?');
    assert.equal(await deaf.call.add(1), 2);
    assert.deepEqual(
      logged.map(({ level, message }) => [level, message]),
      [['warn', 'server "server" got a message and has no handler named info']],
    );
  });

  it('GS-03: a plain message may have the word that marks those of handles', async () => {
    const { runtime: own } = newWorld();
    const seen: unknown[] = [];
    const server = await own.startServer(genServer({ init: () => 0, info: (payload, state) => (seen.push(payload), state) }));
    const plain = [
      { $vigil: 'x', name: 'y' },
      { $vigil: 'call', name: 1 },
      { $vigil: true, name: 'call' },
    ];
    for (const payload of plain) server.info(payload);
    await server.getState();
    assert.deepEqual(seen, plain);
  });

  it('takes any value for a state, also what looks like a result', async () => {
    const { runtime: own } = newWorld();
    for (const state of [undefined, null, { reply: 1, state: 2 }, { stopReason: 'x', next: { continue: 1 } }, () => 1]) {
      const server = await own.startServer(genServer({ init: () => undefined as unknown, cast: { become: (next: unknown) => next } }));
      server.cast.become(state);
      assert.equal(await server.getState(), state);
    }
  });

  it('fails a call that it does not know, and a call whose handler returns no reply crashes it', async () => {
    const { runtime: own } = newWorld();
    const server = await own.startServer(counter, { args: 1 });
    const other = own.serverOf<typeof wider>(server.ref);
    await assert.rejects(other.call.unknown(), withCode('InvalidMessage'));
    other.cast.unknown();
    assert.equal(await server.call.get(), 1);
    // @ts-expect-error it must return a reply
    const wrong = await own.startServer(genServer({ init: () => 0, call: { get: () => 5 } }));
    await assert.rejects(own.serverOf<typeof wider>(wrong.ref).call.get(), withCode('ProcessNotFound'));
  });
});

describe('a call of a server', () => {
  it('GS-05: fails at once with the exit reason when it waits behind one that crashes or stops the server', async () => {
    for (const how of ['crash', 'stop'] as const) {
      const { runtime: own } = newWorld();
      const server = await own.startServer(mortal(), { id: 'mortal' });
      const calls = [how === 'crash' ? server.call.crash() : server.call.stop(), server.call.get(), server.call.get(), server.call.get()];
      for (const call of calls) {
        await assert.rejects(call, (error) => {
          assert.ok(isVigilError(error, 'ProcessNotFound'));
          assert.equal(kindOf(error.details.reason), how === 'crash' ? 'crashed' : 'normal');
          return how === 'stop' || (error.cause instanceof Error && error.cause.message === 'told to crash');
        });
      }
      assert.equal(own.replies.pendingCalls, 0);
      // The one that was in hand is gone; what had waited is kept.
      assert.equal(own.deadLetters.size, 3);
    }
  });

  it('GS-06: rejects at once when the server is gone or nobody has its name, also without a time-out', async () => {
    const { runtime: own } = newWorld();
    const server = await own.startServer(counter, { args: 1 });
    await server.stop();
    await assert.rejects(server.call.get(undefined, { timeoutMs: 'infinity' }), withCode('ProcessNotFound'));
    const named = own.serverOf<typeof counter>('nobody');
    await assert.rejects(named.call.get(undefined, { timeoutMs: 'infinity' }), withCode('NotRegistered'));
    assert.throws(() => named.cast.reset(), withCode('NotRegistered'));
  });

  it('GS-07, GS-08: times out at its time, and the server goes on; its late reply reaches nobody', async () => {
    const { runtime: own, clock } = newWorld();
    const gate = newGate();
    const server = await own.startServer(
      genServer({
        init: () => 0,
        call: {
          slow: async (_, state) => {
            await gate.opened;
            return { reply: 'old', state: state + 1 };
          },
          get: (_, state) => ({ reply: `state ${state}`, state }),
        },
      }),
    );
    const slow = server.call.slow(undefined, { timeoutMs: 50 });
    const rejected = assert.rejects(slow, withCode('OperationTimeout'));
    await clock.advance(50);
    await rejected;
    const next = server.call.get();
    gate.open();
    assert.equal(await next, 'state 1');
    assert.deepEqual([own.replies.lateReplies, own.replies.pendingCalls], [1, 0]);
  });

  it('GS-09: is refused at once when the server calls itself from a handler', async () => {
    const { runtime: own } = newWorld();
    const self = genServer({
      name: 'selfish',
      init: () => 0,
      call: {
        typed: async (target: 'name' | 'ref', state, server) => {
          await server.serverOf<typeof counter>(target === 'name' ? 'selfish' : server.self).call.get();
          return { reply: 1, state };
        },
        plain: async (_: void, state, server) => ({ reply: await server.request('selfish', 1), state }),
        stop: async (_: void, state, server) => ({ reply: await server.serverOf('selfish').stop(), state }),
      },
    });
    for (const ask of ['name', 'ref', 'plain', 'stop'] as const) {
      const server = await own.startServer(self);
      const call = ask === 'plain' ? server.call.plain() : ask === 'stop' ? server.call.stop() : server.call.typed(ask);
      await assert.rejects(call, (error) => {
        assert.ok(isVigilError(error, 'ProcessNotFound') && isVigilError(error.cause, 'InvalidState'));
        return error.cause.details.reason === 'calling_self';
      });
    }
  });

  it('is answered later, and before the handler is done, by whoever has its caller', async () => {
    const { runtime: own } = newWorld();
    const server = await own.startServer(
      genServer({
        init: (): Caller<string>[] => [],
        call: {
          wait: (_: void, waiting, context) => result.noReply([...waiting, context.caller<string>()]),
          early: (_: void, waiting, context) => {
            context.caller().reply('early');
            return result.noReply(waiting);
          },
        },
        cast: {
          release: (text: string, waiting) => {
            for (const caller of waiting) assert.equal(caller.reply(text), true);
            for (const caller of waiting) assert.equal(caller.reply(text), false);
            return [];
          },
          outside: (_: void, waiting, context) => {
            assert.throws(() => context.caller(), withCode('InvalidState'));
            return waiting;
          },
        },
      }),
    );
    const waiting = [server.call.wait(), server.call.wait()];
    assert.equal(await server.call.early(), 'early');
    server.cast.outside();
    server.cast.release('go');
    assert.deepEqual(await Promise.all(waiting), ['go', 'go']);
    await server.stop();
  });

  it('GS-23: can be one of several: each is answered or fails by itself, and is collected later', async () => {
    const { runtime: own, clock } = newWorld();
    const [fast, dead] = [await own.startServer(counter, { args: 1 }), await own.startServer(counter, { args: 2 })];
    dead.kill();
    const silent = own.inbox();
    const requests = [fast.call.get(), dead.call.get(), own.request(silent, 1, { timeoutMs: 10 })];
    assert.equal(await Promise.any(requests), 1);
    await clock.advance(10);
    const outcomes = await Promise.allSettled(requests);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : isVigilError(outcome.reason) && outcome.reason.code)),
      [1, 'ProcessNotFound', 'OperationTimeout'],
    );
  });
});

describe('the start of a server', () => {
  it('GS-14: times out, and what the half-started server still does has no effect', async () => {
    const { runtime: own, clock } = newWorld();
    const gate = newGate();
    const trace: string[] = [];
    own.telemetry.on('genserver_started', () => trace.push('started'));
    const slow = genServer({
      name: 'slow',
      init: async () => {
        await gate.opened;
        trace.push('init done');
        return 0;
      },
      terminate: () => trace.push('terminate'),
    });
    const starting = own.startServer(slow, { startTimeoutMs: 50 });
    const rejected = assert.rejects(starting, withCode('OperationTimeout'));
    await clock.advance(50);
    await rejected;
    assert.equal(own.registry.whereis('slow'), undefined);
    gate.open();
    await turns();
    assert.deepEqual(trace, ['init done']);
  });

  it('GS-15: leaves no name behind when it fails or is declined, 100 times in a row', async () => {
    const { runtime: own } = newWorld();
    for (let round = 0; round < 100; round += 1) {
      const [failing, declining] = [
        genServer({
          name: 'db',
          init: (): number => {
            throw new Error('no disk');
          },
        }),
        genServer({ name: 'db', init: () => result.ignore() }),
      ];
      await assert.rejects(own.startServer(failing), (error) => {
        assert.ok(isVigilError(error, 'ProcessStartFailed') && error.cause instanceof Error);
        return error.cause.message === 'no disk';
      });
      await assert.rejects(
        own.startServer(declining),
        (error) => isVigilError(error, 'ProcessStartFailed') && error.details.ignored === true,
      );
      await assert.rejects(own.startServer(failing, { name: 'db-2' }), withCode('ProcessStartFailed'));
      assert.deepEqual([own.registry.whereis('db'), own.registry.whereis('db-2')], [undefined, undefined]);
    }
  });

  it('GS-16: is refused under a name that is taken, with its holder, and its init does not run', async () => {
    const { runtime: own } = newWorld();
    const holder = await own.startServer(counter, { args: 1, name: 'db' });
    let inits = 0;
    const rival = genServer({ name: () => 'db', init: () => (inits += 1) });
    for (const options of [{}, { name: 'db' }]) {
      await assert.rejects(
        own.startServer(rival, options),
        (error) => isVigilError(error, 'AlreadyRegistered') && error.details.holder === holder.ref,
      );
    }
    assert.equal(inits, 0);
    assert.equal(await own.serverOf<typeof counter>('db').call.add(1), 2);
  });

  it('is a start failure of a supervised child with explicit readiness, and a crash without', async () => {
    const { runtime: own } = newWorld();
    const failing = genServer({
      init: (): number => {
        throw new Error('no disk');
      },
    });
    await assert.rejects(own.supervisor().child('db', failing, { readiness: 'explicit' }).build().start());
  });
});

describe('what a handler asks for', () => {
  it('GS-17: continues before any queued message, in a chain, and after init', async () => {
    const { runtime: own } = newWorld();
    const trace: string[] = [];
    const server = await own.startServer(
      genServer({
        init: () => result.next(0, { continue: 'after init' }),
        cast: {
          work: (_: void, state) => (trace.push('work'), result.next(state + 1, { continue: 2 })),
          note: (_: void, state) => (trace.push('note'), state),
        },
        continue: async (what, state) => {
          await Promise.resolve();
          trace.push(`continue ${String(what)}`);
          return what === 2 ? result.next(state + 10, { continue: 1 }) : state;
        },
      }),
    );
    server.cast.work();
    server.cast.note();
    assert.equal(await server.getState(), 11);
    assert.deepEqual(trace, ['continue after init', 'work', 'continue 2', 'continue 1', 'note']);
  });

  it('GS-17: ends with a stop that comes from a continue handler', async () => {
    const { runtime: own } = newWorld();
    const server = await own.startServer(
      genServer({ init: () => 0, cast: { go: (_: void, s) => result.next(s, { continue: 1 }) }, continue: (_, s) => result.stop(s) }),
    );
    server.cast.go();
    const { reason } = await server.ref.monitor().down;
    assert.deepEqual(reason, { kind: 'normal' });
  });

  it('is idle when no message has come for as long as it said, and every message ends that wait', async () => {
    const { runtime: own, clock } = newWorld();
    const idleAt: number[] = [];
    const server = await own.startServer(
      genServer({
        init: () => result.next(0, { idleMs: 100 }),
        cast: { touch: (_: void, state) => result.next(state, { idleMs: 100 }), quiet: (_: void, state) => state },
        idle: (state) => (idleAt.push(clock.now()), result.next(state + 1, { idleMs: 1000 })),
      }),
    );
    await clock.advance(60);
    server.cast.touch();
    await clock.advance(60);
    assert.deepEqual(idleAt, []);
    await clock.advance(1100);
    assert.deepEqual(idleAt, [160, 1160]);
    server.cast.quiet();
    await clock.advance(10_000);
    assert.deepEqual(idleAt, [160, 1160]);
    assert.equal(await server.getState(), 2);
  });

  it('GS-11: stops with a reply: the caller has it before the server has exited, and terminate has run', async () => {
    const { runtime: own } = newWorld();
    const trace: string[] = [];
    const server = await own.startServer(
      genServer({
        init: () => 'state',
        call: { quit: (why: ExitReason, state) => result.stop(`last ${state}`, { reply: 'bye', reason: why }) },
        terminate: (reason, state) => trace.push(`terminate ${reason.kind} ${state}`),
      }),
    );
    const down = server.ref.monitor().down.then(({ reason }) => trace.push(`down ${reason.kind}`));
    trace.push(await server.call.quit({ kind: 'shutdown', info: 'enough' }));
    await down;
    assert.deepEqual(trace, ['terminate shutdown last state', 'bye', 'down shutdown']);
  });

  it('GS-11: a stop replies with undefined when it is told to', async () => {
    const { runtime: own } = newWorld();
    const server = await own.startServer(
      genServer({ init: () => 0, call: { close: (_: void, state) => result.stop(state, { reply: undefined }) } }),
    );
    assert.equal(await server.call.close(), undefined);
  });
});

describe('the end of a server', () => {
  it('GS-19: calls terminate once with the reason: on stop(), a stop result, a throw, and a stop by the supervisor', async () => {
    const { runtime: own } = newWorld();
    const ends: string[] = [];
    const server = () =>
      genServer({
        init: () => 0,
        cast: {
          stop: (_: void, s) => result.stop(s, { reason: { kind: 'shutdown', info: 'x' } }),
          crash: (): number => {
            throw new Error('boom');
          },
          exit: (): number => {
            throw new ProcessExit('shutdown', 'y');
          },
        },
        terminate: (reason) => ends.push(reason.kind === 'shutdown' ? `shutdown ${String(reason.info)}` : reason.kind),
      });
    await (await own.startServer(server())).stop();
    for (const how of ['stop', 'crash', 'exit'] as const) {
      const started = await own.startServer(server());
      const { cast } = started;
      if (how === 'stop') cast.stop();
      else if (how === 'crash') cast.crash();
      else cast.exit();
      await started.ref.monitor().down;
    }
    const supervisor = own.supervisor().child('a', server()).build();
    await supervisor.start();
    await supervisor.stop();
    assert.deepEqual(ends, ['normal', 'shutdown x', 'crashed', 'shutdown y', 'shutdown undefined']);
  });

  it('GS-19: a throw in terminate becomes the exit reason, and does not hang who stops it', async () => {
    const { runtime: own, logged } = newWorld();
    const server = await own.startServer(
      genServer({
        init: () => 0,
        terminate: async () => {
          await Promise.resolve();
          throw new Error('cannot end well');
        },
      }),
    );
    await assert.rejects(server.stop(), (error) => {
      assert.ok(isVigilError(error, 'ProcessNotFound') && error.cause instanceof Error);
      return error.cause.message === 'cannot end well';
    });
    assert.ok(logged.some(({ level, message }) => level === 'error' && message.includes('cannot end well')));
  });

  it('GS-20: stop() waits until it is down, with the reason it was given', async () => {
    const { runtime: own } = newWorld();
    const server = await own.startServer(counter, { args: 1, name: 'c' });
    assert.deepEqual(await server.stop(), { kind: 'normal' });
    assert.deepEqual([server.ref.isAlive(), own.registry.whereis('c')], [false, undefined]);
    await assert.rejects(server.stop(), withCode('ProcessNotFound'));
    const other = await own.startServer(counter, { args: 1 });
    assert.deepEqual(await other.stop({ reason: { kind: 'shutdown', info: 7 } }), { kind: 'shutdown', info: 7 });
    const killable = await own.startServer(counter, { args: 1 });
    await assert.rejects(killable.stop({ reason: { kind: 'killed' } }), withCode('InvalidConfiguration'));
    // @ts-expect-error a crash has an error
    await assert.rejects(killable.stop({ reason: { kind: 'crashed' } }), withCode('InvalidConfiguration'));
    killable.kill();
  });

  it('GS-20: stop() gives up at its time, and the server stops by itself when it comes to that', async () => {
    const { runtime: own, clock } = newWorld();
    const gate = newGate();
    const server = await own.startServer(genServer({ init: () => 0, cast: { wait: async (_: void, s) => (await gate.opened, s) } }));
    server.cast.wait();
    const rejected = assert.rejects(server.stop({ timeoutMs: 20 }), withCode('OperationTimeout'));
    await clock.advance(20);
    await rejected;
    assert.equal(server.ref.isAlive(), true);
    gate.open();
    assert.deepEqual((await server.ref.monitor().down).reason, { kind: 'normal' });
  });

  it('GS-20: stop() of one that its supervisor is stopping waits for that', async () => {
    const { runtime: own } = newWorld();
    const gate = newGate();
    const waiting = genServer({ name: 'w', init: () => 0, cast: { wait: async (_: void, s) => (await gate.opened, s) } });
    const supervisor = own.supervisor().child('w', waiting).build();
    await supervisor.start();
    const server = own.serverOf<typeof waiting>('w');
    server.cast.wait();
    await turns();
    const stopping = supervisor.stop();
    await turns();
    const stopped = server.stop();
    gate.open();
    assert.deepEqual(await stopped, { kind: 'shutdown' });
    await stopping;
  });

  it('GS-21: handles what was queued before the stop, and fails and keeps what came after', async () => {
    const { runtime: own } = newWorld();
    const server = await own.startServer(counter, { args: 0 });
    const before = server.call.add(1);
    const stopped = server.stop();
    const after = server.call.add(1);
    server.info('lost');
    assert.equal(await before, 1);
    await assert.rejects(after, withCode('ProcessNotFound'));
    assert.deepEqual(await stopped, { kind: 'normal' });
    assert.deepEqual(
      own.deadLetters.list().map(({ message: { payload }, reason }) => [typeof payload, reason]),
      [
        ['object', 'process_exited'],
        ['string', 'process_exited'],
      ],
    );
  });

  it('GS-21: handles what was queued before its supervisor stops it', async () => {
    const { runtime: own } = newWorld();
    const supervisor = own.supervisor().child('c', counter, { args: 0 }).build();
    await supervisor.start();
    const server = own.serverOf<typeof counter>(supervisor.address('c'));
    const sums = [server.call.add(1), server.call.add(1)];
    await Promise.all([supervisor.stop(), ...sums]);
    assert.deepEqual(await Promise.all(sums), [1, 2]);
  });

  it('GS-22: a stop lets the running handler end; a kill drops its result', async () => {
    for (const how of ['stop', 'kill'] as const) {
      const { runtime: own } = newWorld();
      const gate = newGate();
      const trace: string[] = [];
      own.telemetry.on('genserver_state_changed', () => trace.push('changed'));
      const server = await own.startServer(
        genServer({
          init: () => 0,
          call: {
            slow: async (_: void, state) => {
              await gate.opened;
              trace.push('handled');
              return { reply: 'done', state: state + 1 };
            },
          },
          terminate: () => trace.push('terminate'),
        }),
      );
      const call = server.call.slow().then(
        (reply) => trace.push(`reply ${reply}`),
        (error: unknown) => trace.push(isVigilError(error) ? `${error.code} ${String(kindOf(error.details.reason))}` : 'other'),
      );
      const down = server.ref.monitor().down.then(({ reason }) => trace.push(`down ${reason.kind}`));
      await turns();
      if (how === 'stop') void server.stop();
      else server.kill();
      await turns();
      gate.open();
      await Promise.all([call, down]);
      await turns();
      assert.deepEqual(
        trace.toSorted(),
        (how === 'stop'
          ? ['handled', 'changed', 'reply done', 'terminate', 'down normal']
          : ['down killed', 'ProcessNotFound killed', 'handled']
        ).toSorted(),
      );
    }
  });

  it('GS-25: is quiet when it is normal or a shutdown, and else one report with message, state and reason, redacted', async () => {
    const { runtime: own, logged } = newWorld();
    const secretive = genServer({
      init: () => ({ password: 'secret', n: 1 }),
      cast: {
        crash: ({ token }: { token: string }): { password: string; n: number } => {
          throw new Error(`boom ${token.length}`);
        },
      },
      redact: ({ state }) => ({ lastMessage: 'a cast', state: { ...state, password: '***' } }),
    });
    for (const reason of [undefined, { kind: 'shutdown' }, { kind: 'shutdown', info: 1 }] as const) {
      await (await own.startServer(secretive)).stop({ reason });
    }
    assert.equal(logged.length, 0);
    const supervisor = own.supervisor().child('s', secretive, { restartType: 'temporary' }).build();
    await supervisor.start();
    const address = supervisor.address('s');
    own.serverOf<typeof secretive>(address).cast.crash({ token: 'abc' });
    await turns();
    const reports = logged.filter(({ message }) => message.startsWith('server "s"'));
    assert.equal(reports.length, 1);
    const [report] = reports;
    assert.ok(report);
    const { level, message, details } = report;
    assert.deepEqual([level, message], ['error', 'server "s" (incarnation 1) crashed: Error: boom 3']);
    assert.ok(typeof details === 'object' && details !== null && 'state' in details && 'lastMessage' in details && 'reason' in details);
    assert.deepEqual([details.state, details.lastMessage, kindOf(details.reason)], [{ password: '***', n: 1 }, 'a cast', 'crashed']);
    await supervisor.stop();
  });

  it('GS-25: tells the last message and the state as they are without a redaction, and survives one that throws', async () => {
    for (const redact of [undefined, () => assert.fail('no redaction')]) {
      const { runtime: own, logged } = newWorld();
      const server = await own.startServer(
        genServer({
          init: () => 'a state',
          cast: {
            crash: (n: number): string => {
              throw new Error(`boom ${n}`);
            },
          },
          redact,
        }),
      );
      server.cast.crash(7);
      await server.ref.monitor().down;
      const report = logged.find(({ message }) => message.startsWith('server "server"'))?.details;
      assert.ok(typeof report === 'object' && report !== null);
      if (redact === undefined) {
        assert.deepEqual('state' in report && report.state, 'a state');
        assert.deepEqual('lastMessage' in report && report.lastMessage, { $vigil: 'cast', name: 'crash', argument: 7 });
      } else assert.ok('redactFailed' in report && !('state' in report));
    }
  });
});

describe('the state of a server', () => {
  it('GS-24: is read and replaced between messages; a function that throws leaves it as it was', async () => {
    const { runtime: own } = newWorld();
    const server = await own.startServer(counter, { args: 1 });
    const all = [server.call.add(1), server.getState(), server.call.add(1), server.replaceState((n) => Number(n) * 10), server.call.get()];
    assert.deepEqual(await Promise.all(all), [2, 2, 3, 30, 30]);
    await assert.rejects(
      server.replaceState(() => {
        throw new Error('no');
      }),
      /no/,
    );
    assert.equal(await server.call.get(), 30);
    // @ts-expect-error no function
    await assert.rejects(server.replaceState(5), withCode('InvalidConfiguration'));
  });
});

describe('the handle of a server', () => {
  it('reaches the successor by name or address, while a ref names one incarnation', async () => {
    const { runtime: own } = newWorld();
    const server = genServer({
      name: 'phoenix',
      init: (start: number) => start,
      call: { get: (_: void, state) => ({ reply: state, state }) },
      cast: {
        set: (n: number) => n,
        crash: (): number => {
          throw new Error('boom');
        },
      },
    });
    const supervisor = own.supervisor().child('p', server, { args: 1 }).build();
    await supervisor.start();
    const ref = supervisor.getChildInfo('p')?.ref;
    assert.ok(ref);
    const [byName, byAddress, byRef] = [
      own.serverOf<typeof server>('phoenix'),
      own.serverOf<typeof server>(supervisor.address('p')),
      own.serverOf<typeof server>(ref),
    ];
    byName.cast.set(5);
    assert.deepEqual([await byName.call.get(), await byAddress.call.get(), await byRef.call.get()], [5, 5, 5]);
    byName.cast.crash();
    await ref.monitor().down;
    await turns();
    assert.deepEqual([await byName.call.get(), await byAddress.call.get()], [1, 1]);
    await assert.rejects(byRef.call.get(), withCode('ProcessNotFound'));
    await supervisor.stop();
  });

  it('can itself be awaited', async () => {
    const { runtime: own } = newWorld();
    const server = await own.startServer(counter, { args: 3 });
    const { call } = await Promise.resolve(server);
    assert.equal(await Promise.resolve(call), call);
    assert.equal(await Promise.resolve(server.cast), server.cast);
  });

  it('ends its server when it is disposed of', async () => {
    const { runtime: own } = newWorld();
    let ref: { isAlive(): boolean } | undefined;
    {
      await using server = await own.startServer(counter, { args: 3 });
      ref = server.ref;
    }
    assert.equal(ref.isAlive(), false);
  });
});

describe('genServer', () => {
  it('carries its handlers, which are functions like any other', () => {
    assert.deepEqual(counter.handlers.call?.add(2, 3), { reply: 5, state: 5 });
  });

  it('refuses what is no definition', () => {
    for (const bad of [
      undefined,
      {},
      { init: 1 },
      { init: () => 0, call: { add: 1 } },
      { init: () => 0, call: [] },
      // oxlint-disable-next-line unicorn/no-thenable -- what it refuses
      { init: () => 0, cast: { then: () => 0 } },
      { init: () => 0, info: 1 },
      { init: () => 0, name: '' },
      { init: () => 0, redact: 'x' },
    ]) {
      // @ts-expect-error no definition
      assert.throws(() => genServer(bad), withCode('InvalidConfiguration'));
    }
  });
});

/** Knows more calls than any server here has. */
const wider = genServer({
  init: () => 0,
  call: { unknown: (_: void, s) => ({ reply: 0, state: s }), get: (_: void, s) => ({ reply: 0, state: s }) },
  cast: { unknown: (_: void, s) => s },
});

function mortal() {
  return genServer({
    init: () => 0,
    call: {
      crash: (): { reply: number; state: number } => {
        throw new Error('told to crash');
      },
      stop: (_: void, state) => result.stop(state),
      get: (_: void, state) => ({ reply: state, state }),
    },
  });
}

function kindOf(reason: unknown): unknown {
  return typeof reason === 'object' && reason !== null && 'kind' in reason ? reason.kind : undefined;
}

/** Lets everything happen that waits for nothing but its turn. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
