import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { runtime } from '../app/index.js';
import { type Inbox, isVigilError, MailboxSettings, type VigilErrorCode } from '../core/index.js';
import { type Process, TaskRunner } from '../processes/index.js';
import { describeWithInboxes } from './engines.suite.js';
import { ProcessGroup } from './process-group.js';

const here = runtime();

describeWithInboxes('ProcessGroup', (engine) => {
  /** @param room - 0 for an inbox that is full. */
  const makeInbox = (room = 100) => {
    const inbox = engine.build<string>(here, (builder) => builder.capacity(Math.max(room, 1)));
    if (room === 0) inbox.send('fill');
    return inbox;
  };

  it('PG-01: has the members that were added and not removed, and none at first', () => {
    const group = new ProcessGroup<string>('workers');
    const [a, b] = [makeInbox(), makeInbox()];
    assert.deepEqual([group.name, group.members(), group.count(), group.memberCount()], ['workers', [], 0, 0]);
    group.add('a', a);
    group.add('b', b, { weight: 2 });
    assert.deepEqual(group.members(), [
      { id: 'a', sender: a, weight: 1 },
      { id: 'b', sender: b, weight: 2 },
    ]);
    assert.deepEqual([group.count(), group.memberCount()], [2, 2]);
    assert.equal(group.remove('a'), true);
    assert.deepEqual(idsOf(group), ['b']);
  });

  it('PG-02: refuses an id that is taken, whoever asks, and keeps the first', () => {
    const group = new ProcessGroup<string>('workers');
    const first = makeInbox();
    group.add('w1', first);
    for (const sender of [makeInbox(), first]) {
      assert.throws(
        () => group.add('w1', sender),
        (error) => isVigilError(error, 'AlreadyMember') && error.details.sender === first && error.details.id === 'w1',
      );
    }
    assert.equal(group.members()[0]?.sender, first);
    assert.equal(group.count(), 1);
  });

  it('PG-03: a closed inbox leaves every group under every id, and is counted by no broadcast', () => {
    const [one, other] = [new ProcessGroup<string>('one'), new ProcessGroup<string>('other')];
    const [inbox, stays] = [makeInbox(), makeInbox()];
    one.add('a', inbox);
    one.add('also a', inbox);
    other.add('a', inbox);
    one.add('stays', stays);
    engine.close(inbox);
    assert.deepEqual(one.broadcast('x'), { delivered: 1, failed: 0 });
    assert.deepEqual([idsOf(one), idsOf(other)], [['stays'], []]);
    assert.throws(() => one.add('a', inbox), withCode('InboxClosed'));
  });

  it('PG-03: one that has closed is sent nothing by turns or by its key, is not counted, and its id is free', async () => {
    const group = new ProcessGroup<string>('workers');
    const [first, last] = [makeInbox(), makeInbox()];
    const monitor = group.monitor();
    for (const [id, inbox] of [
      ['first', first],
      ['last', last],
    ] as const)
      group.add(id, inbox);
    engine.close(first);
    for (const text of ['a', 'b']) group.roundRobin(text);
    assert.deepEqual(drain(last), ['a', 'b']);
    group.add('first', makeInbox());
    const owned = ['1', '2', '3', '4', '5', '6', '7', '8'].find((key) => group.memberFor(key)?.id === 'last')!;
    engine.close(last);
    assert.equal(group.memberFor(owned)?.id, 'first');
    assert.deepEqual([group.count(), group.remove('last')], [1, false]);
    assert.deepEqual(await readEvents(monitor, 5), ['join first', 'join last', 'leave first', 'join first', 'leave last']);
  });

  it('PG-03: a process that dies leaves before anybody hears of it', () => {
    const group = new ProcessGroup('workers');
    let membersAtExit: number | undefined;
    const process = startTask(() => {
      membersAtExit = group.count();
    });
    group.add('worker', process.ref);
    assert.equal(group.count(), 1);
    process.kill();
    assert.deepEqual([membersAtExit, group.count()], [0, 0]);
  });

  it('PG-03: the end of a former member does not remove its successor', () => {
    const group = new ProcessGroup<string>('workers');
    const [former, successor] = [makeInbox(), makeInbox()];
    group.add('w', former);
    group.remove('w');
    group.add('w', successor);
    former.close();
    assert.equal(group.members()[0]?.sender, successor);
  });

  it('PG-03: nor does the news of that end, when it was on its way already as the member was removed', () => {
    const group = new ProcessGroup<string>('workers');
    let tellOfEnd = () => {};
    const former = Object.assign(makeInbox(), {
      onClose(callback: () => void) {
        tellOfEnd = callback;
        return () => false;
      },
    });
    group.add('w', former);
    group.remove('w');
    group.add('w', makeInbox());
    tellOfEnd();
    assert.equal(group.count(), 1);
  });

  it('PG-05: leaving a group that one is not in answers false', () => {
    const group = new ProcessGroup<string>('workers');
    assert.equal(group.remove('nobody'), false);
    group.add('w', makeInbox());
    assert.deepEqual([group.remove('w'), group.remove('w')], [true, false]);
  });

  it('PG-06: a monitor has the members of now, and then joins and leaves in order, deaths included', async () => {
    const group = new ProcessGroup<string>('workers');
    const [a, b] = [makeInbox(), makeInbox()];
    group.add('a', a);
    const monitor = group.monitor();
    assert.deepEqual(
      monitor.members.map(({ id }) => id),
      ['a'],
    );
    group.add('b', b);
    a.close();
    group.remove('b');
    assert.deepEqual(await readEvents(monitor, 3), ['join b', 'leave a', 'leave b']);
    const waiting = monitor.next();
    group.add('c', makeInbox());
    const event = await waiting;
    assert.deepEqual([event?.kind, event?.group, event?.member.id], ['join', 'workers', 'c']);
  });

  it('PG-06: demonitor is true once and then false, and nothing that was queued comes after it', async () => {
    const group = new ProcessGroup<string>('workers');
    const [monitor, other] = [group.monitor(), group.monitor()];
    group.add('a', makeInbox());
    assert.deepEqual([monitor.demonitor(), monitor.demonitor()], [true, false]);
    group.add('b', makeInbox());
    assert.equal(await monitor.next(), undefined);
    for await (const event of monitor) assert.fail(`told of ${event.member.id}`);
    assert.deepEqual(await readEvents(other, 2), ['join a', 'join b']);
  });

  it('PG-06: demonitor ends a wait, also one that an event has ended but that has not resumed', async () => {
    const group = new ProcessGroup<string>('workers');
    const [idle, woken] = [group.monitor(), group.monitor()];
    const waits = [idle.next(), woken.next()];
    idle.demonitor();
    group.add('a', makeInbox());
    woken.demonitor();
    assert.deepEqual(await Promise.all(waits), [undefined, undefined]);
  });

  it('PG-06: several readers of one monitor share its events', async () => {
    const group = new ProcessGroup<string>('workers');
    const monitor = group.monitor();
    const reads = [monitor.next(), monitor.next()];
    group.add('a', makeInbox());
    group.add('b', makeInbox());
    assert.deepEqual(
      (await Promise.all(reads)).map((event) => event?.member.id),
      ['a', 'b'],
    );
  });

  it('PG-07: a monitor ends with its owner, a member itself, and the others hear of that', async () => {
    const group = new ProcessGroup<string>('workers');
    const owner = makeInbox();
    group.add('owner', owner);
    const [owned, other] = [group.monitor({ owner }), group.monitor()];
    owner.close();
    assert.equal(await owned.next(), undefined);
    assert.deepEqual(await readEvents(other, 1), ['leave owner']);
    assert.throws(() => group.monitor({ owner }), withCode('InboxClosed'));
  });

  it('PG-08: broadcast reaches everybody, and one that refuses keeps it from nobody', () => {
    const group = new ProcessGroup<string>('workers');
    assert.deepEqual(group.broadcast('x'), { delivered: 0, failed: 0 });
    const inboxes = [makeInbox(), makeInbox(0), makeInbox()];
    inboxes.forEach((inbox, index) => group.add(`w${index}`, inbox));
    assert.deepEqual(group.broadcast('x', { from: 'me' }), { delivered: 2, failed: 1 });
    assert.deepEqual(inboxes.map(drain), [['x'], ['fill'], ['x']]);
  });

  it('PG-08: broadcast goes to the members of its moment, whoever joins or leaves meanwhile', () => {
    const group = new ProcessGroup<string>('workers');
    const [a, b, c] = [makeInbox(), makeInbox(), makeInbox()];
    group.add('a', a);
    group.add('b', b);
    whenSent(a, () => {
      if (group.count() < 2) return;
      group.add('c', c);
      group.remove('b');
      group.remove('a');
    });
    assert.deepEqual(group.broadcast('x'), { delivered: 2, failed: 0 });
    assert.deepEqual([a, b, c].map(drain), [['x'], ['x'], []]);
    assert.deepEqual(group.broadcast('y'), { delivered: 1, failed: 0 });
  });

  it('PG-08: a batch of m payloads for n members is m times n deliveries in order, and the counters add up', () => {
    const group = new ProcessGroup<string>('workers');
    const inboxes = [makeInbox(), makeInbox(0), makeInbox()];
    inboxes.forEach((inbox, index) => group.add(`w${index}`, inbox));
    assert.deepEqual(group.broadcastBatch(['p', 'q', 'r']), { delivered: 6, failed: 3 });
    assert.deepEqual(inboxes.map(drain), [['p', 'q', 'r'], ['fill'], ['p', 'q', 'r']]);
    group.remove('w1');
    group.roundRobin('s');
    group.route('t', 'key');
    assert.deepEqual(group.stats(), { members: 2, joined: 3, left: 1, delivered: 8, failed: 3 });
  });

  it('PG-08: bad options are refused before anybody is sent anything', () => {
    const group = new ProcessGroup<string>('workers');
    const inbox = makeInbox();
    group.add('w', inbox);
    assert.throws(() => group.broadcast('x', { ttlMs: -1 }), withCode('InvalidMessage'));
    assert.deepEqual([drain(inbox), group.stats().failed], [[], 0]);
  });

  it('PG-09: roundRobin gives everybody the same number, in the order of joining', () => {
    const group = new ProcessGroup<string>('workers');
    const inboxes = [makeInbox(), makeInbox()];
    inboxes.forEach((inbox, index) => group.add(`w${index}`, inbox, { weight: index + 1 }));
    for (const text of 'abcdef') assert.equal(group.roundRobin(text), 'queued');
    assert.deepEqual(inboxes.map(drain), [
      ['a', 'c', 'e'],
      ['b', 'd', 'f'],
    ]);
  });

  it('PG-09: roundRobin and route of an empty group throw NoMembers', () => {
    const group = new ProcessGroup<string>('workers');
    assert.throws(() => group.roundRobin('x'), withCode('NoMembers'));
    assert.throws(() => group.route('x', 'key'), withCode('NoMembers'));
    assert.equal(group.memberFor('key'), undefined);
    group.add('a', makeInbox());
    group.roundRobin('x');
    group.remove('a');
    assert.throws(() => group.roundRobin('x'), withCode('NoMembers'));
  });

  it('PG-09: a member that refuses has had its turn', () => {
    const group = new ProcessGroup<string>('workers');
    const [full, free] = [makeInbox(0), makeInbox()];
    group.add('full', full);
    group.add('free', free);
    assert.throws(() => group.roundRobin('x'), withCode('MailboxFull'));
    group.roundRobin('y');
    assert.deepEqual(drain(free), ['y']);
  });

  it('PG-09: whoever comes and goes, nobody who stays is skipped or served twice in a round', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant('send'), fc.constant('add'), fc.nat(9)), { maxLength: 60 }), (acts) => {
        const group = new ProcessGroup<string>('workers');
        // The naive turn: a list of those who wait for theirs, those who had it behind them.
        let [ahead, behind]: [string[], string[]] = [[], []];
        const received: string[] = [];
        let joined = 0;
        for (const act of acts) {
          if (act === 'add') {
            joined += 1;
            const id = `w${joined}`;
            group.add(
              id,
              callbackSender(() => received.push(id)),
            );
            ahead.push(id);
          } else if (act === 'send' && ahead.length + behind.length > 0) {
            if (ahead.length === 0) [ahead, behind] = [behind, []];
            const expected = ahead.shift()!;
            behind.push(expected);
            group.roundRobin('x');
            assert.equal(received.at(-1), expected);
          } else if (typeof act === 'number') {
            const all = [...behind, ...ahead];
            const id = all[act % Math.max(all.length, 1)];
            if (id === undefined) continue;
            group.remove(id);
            [ahead, behind] = [ahead.filter((other) => other !== id), behind.filter((other) => other !== id)];
          }
        }
      }),
    );
  });

  it('PG-11: when a member leaves, only its keys move; one that joins takes its share and nothing else moves', () => {
    const group = new ProcessGroup<string>('workers');
    for (let index = 0; index < 10; index += 1) group.add(`w${index}`, makeInbox());
    const before = owners(group);
    group.remove('w3');
    for (const [key, owner] of owners(group)) if (before.get(key) !== 'w3') assert.equal(owner, before.get(key));
    group.add('w3', makeInbox());
    assert.deepEqual(owners(group), before, 'the order of joining does not matter');
    group.add('w10', makeInbox());
    let moved = 0;
    for (const [key, owner] of owners(group)) {
      if (owner === before.get(key)) continue;
      assert.equal(owner, 'w10');
      moved += 1;
    }
    assert.ok(moved > KEYS / 11 / 1.15 && moved < (KEYS / 11) * 1.15, `${moved} of ${KEYS} keys moved`);
  });

  it('PG-11: keys are shared by weight, and evenly without', () => {
    const group = new ProcessGroup<string>('workers');
    const weights = [1, 1, 2, 4, 0.5];
    weights.forEach((weight, index) => group.add(`w${index}`, makeInbox(), { weight }));
    const shares = weights.map((_, index) => [...owners(group).values()].filter((id) => id === `w${index}`).length / KEYS);
    shares.forEach((share, index) => {
      const expected = weights[index]! / 8.5;
      assert.ok(Math.abs(share - expected) < 0.1 * expected + 0.005, `w${index} has ${share} instead of ${expected}`);
    });
  });

  it('PG-11: route sends to the owner of the key, always the same', () => {
    const group = new ProcessGroup<string>('workers');
    const inboxes = new Map(['a', 'b', 'c'].map((id) => [id, makeInbox()]));
    for (const [id, inbox] of inboxes) group.add(id, inbox);
    for (const key of ['user_1', 'user_2', 'user_3', 'user_1']) {
      const owner = group.memberFor(key)!.id;
      group.route(key, key);
      assert.deepEqual(drain(inboxes.get(owner)!), [key]);
    }
    // Another program, or another version of this one, must come to the same owner.
    assert.deepEqual(
      ['user_1', 'user_2', 'user_3', 'ü'].map((key) => group.memberFor(key)?.id),
      GOLDEN,
    );
  });
});

const KEYS = 10_000;
const GOLDEN = ['c', 'a', 'a', 'a'];

function owners(group: ProcessGroup<string>): Map<string, string | undefined> {
  return new Map(Array.from({ length: KEYS }, (_, index) => [`user_${index}`, group.memberFor(`user_${index}`)?.id]));
}

function idsOf(group: ProcessGroup<string>): string[] {
  return group.members().map(({ id }) => id);
}

async function readEvents(monitor: ReturnType<ProcessGroup<string>['monitor']>, count: number): Promise<string[]> {
  const events: string[] = [];
  for await (const { kind, member } of monitor) {
    events.push(`${kind} ${member.id}`);
    if (events.length === count) return events;
  }
  return events;
}

function drain<T>(inbox: Inbox<T>): T[] {
  return inbox.recvBatch(100).map(({ payload }) => payload);
}

/** Calls back in the midst of each send. */
function whenSent(inbox: Inbox<string>, callback: () => void): void {
  const send = inbox.send.bind(inbox);
  inbox.send = (payload) => {
    const outcome = send(payload);
    callback();
    return outcome;
  };
}

/** A member that tells of what it is sent. */
function callbackSender(callback: () => void): Inbox<string> {
  return Object.assign(Object.create(here.inbox()), { send: callback, isClosed: () => false, onClose: () => () => true });
}

function startTask(onExit: () => void): Process {
  const host = {
    environment: runtime().environment,
    path: 'test',
    processReady() {},
    processIgnored() {},
    processNotified() {},
    processExited: onExit,
  };
  const settings = {
    id: 'worker',
    args: undefined,
    readiness: 'immediate',
    inbox: new MailboxSettings(),
    healthCheckIntervalMs: 5000,
    maxMemoryBytes: undefined,
    maxBlockedMs: undefined,
    priority: 'normal',
  } as const;
  const process = new TaskRunner(async (ctx) => void (await ctx.inbox.recv())).create(settings, 1, host);
  process.start();
  return process;
}

function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
