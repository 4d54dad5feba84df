import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  CrashReports,
  DeadLetterQueue,
  type Environment,
  type ExitReason,
  isVigilError,
  LocalInbox,
  MailboxSettings,
  noTelemetry,
  ReplyExchange,
  Roots,
  silentLogger,
  SystemClock,
  systemRandom,
  type VigilErrorCode,
} from '../core/index.js';
import { type Process, type ProcessBody, type ProcessHost, type ProcessSettings, TaskRunner } from '../processes/index.js';
import { runtime } from '../app/index.js';
import { describeWithInboxes } from './engines.suite.js';
import { PubSubBroker } from './pubsub-broker.js';
import { Registry } from './registry.js';

const here = runtime();

describeWithInboxes('Registry', (engine) => {
  const makeInbox = () => engine.build(here);

  it('REG-01: leads from a name to its mailbox, and from no name to nobody', () => {
    const registry = new Registry();
    const inbox = makeInbox();
    registry.register('db', inbox);
    assert.equal(registry.whereis('db'), inbox);
    assert.equal(registry.whereis('cache'), undefined);
  });

  it('REG-01: refuses a name that is taken, whoever asks, and tells who has it', () => {
    const registry = new Registry();
    const holder = makeInbox();
    registry.register('db', holder);
    for (const other of [makeInbox(), holder]) {
      assert.throws(
        () => registry.register('db', other),
        (error) => isVigilError(error, 'AlreadyRegistered') && error.details.name === 'db' && error.details.holder === holder,
      );
    }
    assert.equal(registry.whereis('db'), holder);
  });

  it('REG-01: keeps nothing of a registration that was refused', () => {
    const registry = new Registry();
    const [holder, other, closed] = [new CountingInbox(), new CountingInbox(), new CountingInbox()];
    closed.close();
    registry.register('db', holder);
    for (let i = 0; i < 3; i += 1) {
      assert.throws(() => registry.register('db', other), withCode('AlreadyRegistered'));
      assert.throws(() => registry.register('', other), withCode('InvalidConfiguration'));
      assert.throws(() => registry.register('cache', closed), withCode('InboxClosed'));
    }
    assert.equal(registry.size, 1);
    assert.deepEqual([holder.listeners, other.listeners, closed.listeners], [1, 0, 0]);
    other.close();
    assert.equal(registry.whereis('db'), holder);
  });

  it('gives one mailbox as many names as it asks for', () => {
    const registry = new Registry();
    const inbox = makeInbox();
    for (const name of ['db', 'main db']) registry.register(name, inbox);
    assert.deepEqual([registry.whereis('db'), registry.whereis('main db'), registry.size], [inbox, inbox, 2]);
  });

  it('refuses a mailbox that is closed', () => {
    const registry = new Registry();
    const inbox = makeInbox();
    engine.close(inbox);
    assert.throws(() => registry.register('db', inbox), withCode('InboxClosed'));
    assert.equal(registry.whereis('db'), undefined);
  });

  it('refuses what is no mailbox', () => {
    const registry = new Registry();
    for (const other of [undefined, null, {}, { send() {} }]) {
      // @ts-expect-error it takes a mailbox
      assert.throws(() => registry.register('db', other), withCode('InvalidConfiguration'));
    }
    assert.equal(registry.size, 0);
  });

  it('REG-12: takes only texts for names, and compares them exactly', () => {
    const registry = new Registry();
    // @ts-expect-error a name is a text
    assert.throws(() => registry.register(1, makeInbox()), withCode('InvalidConfiguration'));
    // @ts-expect-error a name is a text
    assert.throws(() => registry.register({}, makeInbox()), withCode('InvalidConfiguration'));
    assert.throws(() => registry.register('', makeInbox()), withCode('InvalidConfiguration'));
    const inbox = makeInbox();
    registry.register('1', inbox);
    // @ts-expect-error a name is a text
    assert.equal(registry.whereis(1), undefined);
    for (const other of ['1 ', '01', '１', '__proto__', 'constructor']) assert.equal(registry.whereis(other), undefined);
    registry.register('__proto__', inbox);
    registry.register('Db', inbox);
    assert.deepEqual([registry.whereis('__proto__'), registry.whereis('db')], [inbox, undefined]);
  });
});

describeWithInboxes('Registry: the end of an owner', (engine) => {
  const makeInbox = () => engine.build(here);

  it('REG-03: frees all names of an inbox that closes', () => {
    const registry = new Registry();
    const [inbox, other] = [makeInbox(), makeInbox()];
    for (const name of ['a', 'b']) registry.register(name, inbox);
    registry.register('c', other);
    engine.close(inbox);
    assert.deepEqual([registry.whereis('a'), registry.whereis('b'), registry.whereis('c')], [undefined, undefined, other]);
    assert.equal(registry.size, 1);
  });

  for (const end of ['return', 'crash', 'kill'] as const) {
    it(`REG-03: frees all names of a process, before its host hears of the end: ${end}`, async () => {
      const { registry, environment } = makeEnvironment();
      let sizeAtExit: number | undefined;
      const host = new Host(environment, () => {
        sizeAtExit = registry.size;
      });
      const body: ProcessBody = (ctx) => {
        ctx.register('a');
        ctx.register('b');
        if (end === 'crash') throw new Error('scripted crash');
        return end === 'kill' ? new Promise<void>(() => {}) : undefined;
      };
      const process = host.start(body);
      assert.equal(registry.size, 2);
      if (end === 'kill') process.kill();
      await host.exited;
      assert.equal(sizeAtExit, 0);
      assert.deepEqual([registry.whereis('a'), registry.whereis('b')], [undefined, undefined]);
    });
  }

  it('REG-10: tells of the names of a process when all of them are free', async () => {
    const { registry, environment } = makeEnvironment();
    const host = new Host(environment, () => {});
    const process = host.start((ctx) => {
      ctx.register('a');
      ctx.register('b');
      return ctx.stopped;
    });
    const seen: unknown[] = [];
    registry.listen(({ kind, name }) => seen.push([kind, name, registry.size]));
    process.kill();
    await host.exited;
    assert.deepEqual(seen, [
      ['ended', 'a', 0],
      ['ended', 'b', 0],
    ]);
  });

  it('REG-05: gives its name to the successor of a process that crashed, 1,000 times', async () => {
    const { registry, environment } = makeEnvironment();
    const crashes: unknown[] = [];
    await new Promise<void>((resolve) => {
      const host = new Host(environment, (process, reason) => {
        crashes.push(reason.kind === 'crashed' && reason.error instanceof Error ? reason.error.message : reason);
        if (process.ref.incarnation < 1000) host.start(registerAndCrash, process.ref.incarnation + 1);
        else resolve();
      });
      host.start(registerAndCrash);
    });
    assert.deepEqual(
      crashes,
      Array.from({ length: 1000 }, (_, index) => `crash of ${index + 1}`),
    );
    assert.equal(registry.size, 0);
  });

  it('REG-05: gives its name to the successor of an inbox that closed, 1,000 times, and tells of each end', () => {
    const registry = new Registry();
    const changes: unknown[] = [];
    registry.listen(({ kind: what, value }) => changes.push([what, value]));
    for (let round = 0; round < 1000; round += 1) {
      const inbox = engine.build(here, (builder) => builder.capacity(1));
      registry.register('db', inbox, round);
      assert.equal(registry.whereis('db'), inbox);
      engine.close(inbox);
    }
    assert.equal(registry.whereis('db'), undefined);
    assert.deepEqual(
      changes,
      Array.from({ length: 1000 }, (_, round) => [
        ['registered', round],
        ['ended', round],
      ]).flat(),
    );
    assert.equal(registry.size, 0);
  });

  it('leaves a name to whoever took it on hearing that its owner has ended', () => {
    const registry = new Registry();
    const [predecessor, successor] = [makeInbox(), makeInbox()];
    registry.register('db', predecessor);
    registry.onFree('db', () => registry.register('db', successor));
    engine.close(predecessor);
    assert.throws(() => registry.register('db', makeInbox()), withCode('AlreadyRegistered'));
    assert.equal(registry.whereis('db'), successor);
  });

  it('does not take the name from a successor that had it before the end was told to everybody', async () => {
    const registry = new Registry();
    const [predecessor, successor] = [makeInbox(), makeInbox()];
    // Called first at the close, when the registry has not heard of it yet.
    predecessor.onClose(() => {
      registry.unregister('db');
      registry.register('db', successor);
    });
    registry.register('db', predecessor);
    const told = new Promise<void>((resolve) => predecessor.onClose(resolve));
    engine.close(predecessor);
    await told;
    assert.equal(registry.whereis('db'), successor);
  });
});

describeWithInboxes('Registry: taking names away', (engine) => {
  const makeInbox = () => engine.build(here);

  it('REG-06: takes one name and leaves the others of the same owner', () => {
    const registry = new Registry();
    const inbox = makeInbox();
    for (const name of ['a', 'b']) registry.register(name, inbox);
    assert.deepEqual([registry.unregister('a'), registry.unregister('a'), registry.unregister('never')], [true, false, false]);
    assert.deepEqual([registry.whereis('a'), registry.whereis('b')], [undefined, inbox]);
  });

  it('REG-06: frees a name for its owner, and for nobody else', () => {
    const registry = new Registry();
    const [owner, other] = [makeInbox(), makeInbox()];
    registry.register('a', owner);
    assert.equal(registry.release('a', other), false);
    assert.equal(registry.whereis('a'), owner);
    assert.deepEqual([registry.release('a', owner), registry.release('a', owner)], [true, false]);
    assert.equal(registry.whereis('a'), undefined);
  });

  it('REG-06: forgets the owner with the name, so that its end does not take the name from the next one', () => {
    const registry = new Registry();
    const [first, second] = [new CountingInbox(), makeInbox()];
    registry.register('a', first);
    registry.unregister('a');
    assert.equal(first.listeners, 0);
    registry.register('a', second);
    first.close();
    assert.equal(registry.whereis('a'), second);
  });
});

describeWithInboxes('Registry: values', (engine) => {
  const makeInbox = () => engine.build(here);

  it('REG-08: leads from a name to its mailbox and value', () => {
    const registry = new Registry<number>();
    const inbox = makeInbox();
    registry.register('a', inbox, 5);
    registry.register('b', inbox);
    assert.deepEqual(registry.lookup('a'), [{ mailbox: inbox, value: 5 }]);
    assert.deepEqual(registry.lookup('b'), [{ mailbox: inbox, value: undefined }]);
    assert.deepEqual(registry.lookup('c'), []);
  });

  it('REG-08: lets its owner update a value, and nobody else', () => {
    const registry = new Registry<number>();
    const [owner, other] = [makeInbox(), makeInbox()];
    registry.register('a', owner, 5);
    registry.update('a', owner, 6);
    assert.throws(() => registry.update('a', other, 7), withCode('NotRegistered'));
    assert.throws(() => registry.update('b', owner, 7), withCode('NotRegistered'));
    assert.deepEqual([registry.lookup('a')[0]?.value, registry.lookup('b')], [6, []]);
    engine.close(owner);
    assert.throws(() => registry.update('a', owner, 8), withCode('NotRegistered'));
  });

  it('REG-08: keeps the value that a process gives with its name', async () => {
    const { registry, environment } = makeEnvironment();
    const host = new Host(environment, () => {});
    const process = host.start((ctx) => {
      ctx.register('db', 'primary');
      return ctx.stopped;
    });
    assert.deepEqual(registry.lookup('db'), [{ mailbox: process.ref, value: 'primary' }]);
    process.kill();
    await host.exited;
    assert.deepEqual(registry.lookup('db'), []);
  });

  it('REG-06: lists the names of a mailbox', () => {
    const registry = new Registry();
    const [owner, other] = [makeInbox(), makeInbox()];
    for (const name of ['b', 'a', 'c']) registry.register(name, owner);
    registry.register('d', other);
    registry.unregister('a');
    assert.deepEqual([registry.namesOf(owner), registry.namesOf(other), registry.namesOf(makeInbox())], [['b', 'c'], ['d'], []]);
    engine.close(owner);
    assert.deepEqual(registry.namesOf(owner), []);
  });

  it('REG-09: dispatches to who has the name, once, and not at all when nobody has', () => {
    const registry = new Registry<number>();
    const inbox = makeInbox();
    registry.register('a', inbox, 5);
    const calls: unknown[] = [];
    registry.dispatch('a', (entries) => calls.push(entries));
    registry.dispatch('b', (entries) => calls.push(entries));
    assert.deepEqual(calls, [[{ mailbox: inbox, value: 5 }]]);
    const thrown = new Error('thrown by dispatch');
    assert.throws(
      () =>
        registry.dispatch('a', () => {
          throw thrown;
        }),
      thrown,
    );
  });
});

describeWithInboxes('Registry.onFree', (engine) => {
  const makeInbox = () => engine.build(here);

  it('tells once when the name is free: unregistered, or its owner has ended', () => {
    for (const end of ['unregister', 'close'] as const) {
      const registry = new Registry();
      const inbox = makeInbox();
      registry.register('a', inbox);
      const seen: unknown[] = [];
      registry.onFree('a', () => seen.push(registry.whereis('a')));
      const cancel = registry.onFree('a', () => seen.push('never'));
      assert.deepEqual([cancel(), cancel()], [true, false]);
      if (end === 'close') engine.close(inbox);
      else registry.unregister('a');
      registry.register('a', makeInbox());
      registry.unregister('a');
      assert.deepEqual(seen, [undefined]);
    }
  });

  it('is about whoever has the name now', () => {
    const registry = new Registry();
    assert.equal(registry.onFree('a', () => assert.fail('nobody had it'))(), false);
    registry.register('a', makeInbox());
    registry.unregister('a');
  });

  it('keeps nobody from the news by a throw', () => {
    const errors: unknown[] = [];
    const registry = new Registry({ log: { ...silentLogger, error: (_, error) => errors.push(error) } });
    registry.register('a', makeInbox());
    const thrown = new Error('thrown by onFree');
    registry.onFree('a', () => {
      throw thrown;
    });
    let isTold = false;
    registry.onFree('a', () => (isTold = true));
    assert.equal(registry.unregister('a'), true);
    assert.deepEqual([isTold, errors], [true, [thrown]]);
  });
});

describeWithInboxes('Registry.snapshot', (engine) => {
  const makeInbox = () => engine.build(here);

  it('REG-13: tells per name how many messages wait, how many can, and how many are dead letters', () => {
    const registry = new Registry();
    const inbox = engine.build(here, (builder) => builder.capacity(2).deadLetter(true));
    registry.register('jobs', inbox);
    const others = makeInbox();
    registry.register('others', others);
    inbox.sendBatch(['a', 'b', 'c']);
    const snapshot = registry.snapshot();
    assert.deepEqual([...snapshot.keys()], ['jobs', 'others']);
    engine.close(others);
    assert.deepEqual([...registry.snapshot().keys()], ['jobs']);
    const { depth, capacity, deadLetters } = snapshot.get('jobs')!;
    assert.deepEqual([depth, capacity, deadLetters], [2, 2, 1]);
  });

  it('REG-13: is a copy', () => {
    const registry = new Registry();
    const inbox = makeInbox();
    registry.register('jobs', inbox);
    const snapshot = registry.snapshot();
    inbox.send('a');
    registry.unregister('jobs');
    assert.equal(snapshot.get('jobs')?.depth, 0);
    snapshot.clear();
    registry.register('jobs', inbox);
    assert.equal(registry.snapshot().size, 1);
  });
});

const registerAndCrash: ProcessBody = (ctx) => {
  ctx.register('db');
  throw new Error(`crash of ${ctx.incarnation}`);
};

/** An inbox that knows how many want to hear of its end. */
class CountingInbox extends LocalInbox {
  listeners = 0;

  constructor() {
    super('counting', new MailboxSettings(), makeEnvironment().environment);
  }

  override onClose(callback: () => void): () => boolean {
    this.listeners += 1;
    const cancel = super.onClose(callback);
    return () => {
      const isCancelled = cancel();
      if (isCancelled) this.listeners -= 1;
      return isCancelled;
    };
  }
}

/** Starts tasks and tells of their ends. */
class Host implements ProcessHost {
  readonly path = 'test';
  readonly environment: Environment;
  readonly exited: Promise<void>;
  readonly #onExit: (process: Process, reason: ExitReason) => void;
  #announceExit: () => void = () => {};

  constructor(environment: Environment, onExit: (process: Process, reason: ExitReason) => void) {
    this.environment = environment;
    this.#onExit = onExit;
    this.exited = new Promise((resolve) => {
      this.#announceExit = resolve;
    });
  }

  start(body: ProcessBody, incarnation = 1): Process {
    const settings: ProcessSettings = {
      id: 'worker',
      args: undefined,
      readiness: 'immediate',
      inbox: new MailboxSettings(),
      healthCheckIntervalMs: 5000,
      maxMemoryBytes: undefined,
      maxBlockedMs: undefined,
      priority: 'normal',
    };
    const process = new TaskRunner(body).create(settings, incarnation, this);
    process.start();
    return process;
  }

  processReady(): void {}

  processIgnored(): void {}

  processNotified(): void {}

  processExited(process: Process, reason: ExitReason): void {
    this.#onExit(process, reason);
    this.#announceExit();
  }
}

function makeEnvironment(): { readonly registry: Registry; readonly environment: Environment } {
  const registry = new Registry();
  const clock = new SystemClock();
  const forMailboxes = { clock, telemetry: noTelemetry, log: silentLogger, nextMessageId: () => 1 };
  const environment = {
    ...forMailboxes,
    random: systemRandom,
    names: registry,
    deadLetters: new DeadLetterQueue<unknown>(100, clock, noTelemetry),
    guard: { watch: () => () => false },
    roots: new Roots(),
    crashes: new CrashReports({}, clock, silentLogger),
    replies: new ReplyExchange(clock),
    topics: new PubSubBroker(forMailboxes),
  };
  return { registry, environment };
}

function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
