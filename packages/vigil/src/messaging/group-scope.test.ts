import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { runtime } from '../app/index.js';
import { type Inbox, isVigilError, type OwnedSender, type VigilErrorCode } from '../core/index.js';
import type { ProcessContext } from '../processes/index.js';
import type { GroupMonitor } from './group-monitor.js';
import { GroupScope } from './group-scope.js';
import { describeWithInboxes } from './engines.suite.js';

describeWithInboxes('GroupScope', (engine) => {
  const makeInbox = (name: string) => engine.build(runtime(), (builder) => builder.name(name).capacity(10));

  it('PG-01: a member is in a group from its join to its leave; a group is there while it has members', () => {
    const scope = new GroupScope();
    const [a, b] = [makeInbox('a'), makeInbox('b')];
    assert.deepEqual([membersIn(scope, 'g'), scope.whichGroups()], [[], []]);
    scope.join('g', a);
    scope.join('g', b);
    scope.join('h', b);
    assert.deepEqual([membersIn(scope, 'g'), membersIn(scope, 'h'), scope.whichGroups()], [['a', 'b'], ['b'], ['g', 'h']]);
    assert.equal(scope.leave('g', a), true);
    assert.deepEqual([membersIn(scope, 'g'), scope.whichGroups()], [['b'], ['g', 'h']]);
    scope.leave('g', b);
    assert.deepEqual([membersIn(scope, 'g'), membersIn(scope, 'h'), scope.whichGroups()], [[], ['b'], ['h']]);
  });

  it('PG-01: a list joins and leaves at once, and nobody joins when one cannot', () => {
    const scope = new GroupScope();
    const [a, b, closed] = [makeInbox('a'), makeInbox('b'), makeInbox('closed')];
    closed.close();
    assert.throws(() => scope.join('g', [a, closed]), withCode('InboxClosed'));
    assert.deepEqual(scope.whichGroups(), []);
    scope.join('g', []);
    assert.deepEqual(scope.whichGroups(), []);
    scope.join('g', [a, b]);
    assert.deepEqual(membersIn(scope, 'g'), ['a', 'b']);
    assert.equal(scope.leave('g', [b, a]), true);
    assert.deepEqual(membersIn(scope, 'g'), []);
  });

  it('PG-02: whoever joins n times has to leave n times', () => {
    const scope = new GroupScope();
    const [a, b] = [makeInbox('a'), makeInbox('b')];
    scope.join('g', [a, b, a]);
    scope.join('g', a);
    assert.deepEqual(membersIn(scope, 'g'), ['a', 'b', 'a', 'a']);
    for (const left of [['a', 'b', 'a'], ['a', 'b'], ['b']]) {
      assert.equal(scope.leave('g', a), true);
      assert.deepEqual(membersIn(scope, 'g'), left);
    }
    assert.equal(scope.leave('g', a), false);
    scope.join('g', [a, a]);
    assert.equal(scope.leave('g', [a, a]), true);
    assert.deepEqual(membersIn(scope, 'g'), ['b']);
  });

  it('PG-03: a closed inbox has left all groups, as often as it was in them', () => {
    const scope = new GroupScope();
    const [a, stays] = [makeInbox('a'), makeInbox('stays')];
    scope.join('g', [a, stays, a]);
    scope.join('only a', [a, a]);
    scope.leave('g', a);
    engine.close(a);
    assert.deepEqual([scope.whichGroups(), membersIn(scope, 'g')], [['g'], ['stays']]);
    assert.deepEqual(namesByGroup(scope.monitorScope().members), { g: ['stays'] });
    assert.throws(() => scope.join('g', a), withCode('InboxClosed'));
  });

  it('PG-03, MON-04: a process that crashes has left before anybody hears that it is down', async () => {
    const scope = new GroupScope();
    const processes: ProcessContext['self'][] = [];
    const body = async (ctx: ProcessContext) => {
      processes.push(ctx.self);
      await ctx.inbox.recv();
      throw new Error('crash');
    };
    const supervisor = runtime().supervisor().child('worker', body, { restartType: 'temporary' }).build();
    await supervisor.start();
    const [worker] = processes;
    assert.ok(worker !== undefined);
    scope.join('g', [worker, worker]);
    assert.equal(scope.getMembers('g')[1], worker);
    const { down } = worker.monitor();
    worker.send('crash');
    await down;
    assert.deepEqual(scope.whichGroups(), []);
    await supervisor.stop();
  });

  it('PG-03: nothing waits for the end of one who has left everywhere', () => {
    const scope = new GroupScope();
    const { inbox, waiting } = watchedInbox();
    scope.join('g', [inbox, inbox]);
    scope.join('h', inbox);
    assert.equal(waiting(), 1);
    scope.leave('g', [inbox, inbox]);
    scope.leave('h', inbox);
    assert.equal(waiting(), 0);
  });

  it('PG-05: leaving a group one is not in answers false; a list, only if none was in', () => {
    const scope = new GroupScope();
    const [a, b, c] = [makeInbox('a'), makeInbox('b'), makeInbox('c')];
    scope.join('g', [a, b]);
    scope.join('h', c);
    assert.deepEqual([scope.leave('g', c), scope.leave('none', a), scope.leave('g', [c, c]), scope.leave('g', [])], Array(4).fill(false));
    assert.deepEqual(membersIn(scope, 'g'), ['a', 'b']);
    assert.equal(scope.leave('g', [c, a]), true);
    assert.deepEqual([membersIn(scope, 'g'), membersIn(scope, 'h')], [['b'], ['c']]);
  });

  it('PG-06: a monitor has the members of now, and then every join and leave of its group in order, deaths included', async () => {
    const scope = new GroupScope();
    const [a, b] = [makeInbox('a'), makeInbox('b')];
    scope.join('g', [a, a]);
    const monitor = scope.monitor('g');
    assert.deepEqual(namesOf(monitor.members), ['a', 'a']);
    scope.join('other', b);
    scope.join('g', [b, b]);
    scope.leave('g', [a, makeInbox('c')]);
    b.close();
    scope.leave('g', a);
    assert.deepEqual(await read(monitor, 6), ['join g b', 'join g b', 'leave g a', 'leave g b', 'leave g b', 'leave g a']);
    assert.deepEqual(namesOf(monitor.members), ['a', 'a'], 'the members of then');
  });

  it('PG-06: a monitor of a group that has nobody yet hears of the first', async () => {
    const scope = new GroupScope();
    const monitor = scope.monitor('g');
    assert.deepEqual(monitor.members, []);
    const first = monitor.next();
    scope.join('g', makeInbox('a'));
    assert.deepEqual(textOf(await first), 'join g a');
  });

  it('PG-06: demonitor is true once and then false, and nothing that was queued comes after it', async () => {
    const scope = new GroupScope();
    for (const monitor of [scope.monitor('g'), scope.monitorScope()]) {
      scope.join('g', makeInbox('a'));
      assert.deepEqual([monitor.demonitor(), monitor.demonitor()], [true, false]);
      scope.join('g', makeInbox('b'));
      assert.equal(await monitor.next(), undefined);
    }
  });

  it('PG-07: a scope monitor has the whole map, and then one event for each join and leave, never two', async () => {
    const scope = new GroupScope();
    const [a, b] = [makeInbox('a'), makeInbox('b')];
    scope.join('g', [a, b, a]);
    scope.join('h', b);
    const [monitor, other, ofGroup] = [scope.monitorScope(), scope.monitorScope(), scope.monitor('g')];
    assert.deepEqual(namesByGroup(monitor.members), { g: ['a', 'b', 'a'], h: ['b'] });
    scope.join('h', a);
    scope.leave('g', b);
    a.close();
    scope.join('i', b);
    const expected = ['join h a', 'leave g b', 'leave g a', 'leave g a', 'leave h a', 'join i b'];
    assert.deepEqual(await read(monitor, 6), expected);
    assert.deepEqual(await read(other, 6), expected);
    assert.deepEqual(await read(ofGroup, 3), ['leave g b', 'leave g a', 'leave g a']);
    assert.deepEqual(namesByGroup(monitor.members), { g: ['a', 'b', 'a'], h: ['b'] }, 'the members of then');
  });

  it('PG-07: a monitor ends with its owner, a member itself, and the others hear of that', async () => {
    const scope = new GroupScope();
    const [owner, other] = [makeInbox('owner'), scope.monitorScope()];
    // Whether the watch began before the join or after it.
    const [early] = [scope.monitorScope({ owner }), scope.join('g', owner)];
    const late = scope.monitor('g', { owner });
    owner.close();
    for (const monitor of [early, late]) {
      assert.equal(await monitor.next(), undefined);
      assert.equal(monitor.demonitor(), false);
    }
    assert.deepEqual(await read(other, 2), ['join g owner', 'leave g owner']);
    assert.throws(() => scope.monitor('g', { owner }), withCode('InboxClosed'));
    assert.throws(() => scope.monitorScope({ owner }), withCode('InboxClosed'));
  });

  it('PG-07: nothing waits for the end of an owner whose monitor has ended', () => {
    const scope = new GroupScope();
    const { inbox: owner, waiting } = watchedInbox();
    const monitor = scope.monitor('g', { owner });
    assert.equal(waiting(), 1);
    monitor.demonitor();
    assert.equal(waiting(), 0);
  });

  it('PG-07: scopes know nothing of each other', async () => {
    const [one, other] = [new GroupScope(), new GroupScope()];
    const [a, b] = [makeInbox('a'), makeInbox('b')];
    const monitor = other.monitorScope();
    one.join('g', [a, a]);
    other.join('g', b);
    assert.deepEqual([membersIn(one, 'g'), membersIn(other, 'g')], [['a', 'a'], ['b']]);
    assert.equal(other.leave('g', a), false);
    assert.deepEqual(membersIn(one, 'g'), ['a', 'a']);
    assert.deepEqual(await read(monitor, 1), ['join g b']);
  });

  it('PG-02, PG-03, PG-06, PG-07: does what a list of joins does, and a monitor tells of every step', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(acts, { maxLength: 40 }), fc.nat(40), async (history, watchedFrom) => {
        const scope = new GroupScope();
        const model = new Model(makeInbox);
        let monitor: ScopeMonitor | undefined;
        for (const [step, { kind, group, members }] of history.entries()) {
          if (step === watchedFrom) {
            monitor = scope.monitorScope();
            assert.deepEqual(namesByGroup(monitor.members), model.members());
            model.events.length = 0;
          }
          if (kind === 'join') {
            const open = members.filter((member) => !model.inboxOf(member).isClosed());
            scope.join(
              group,
              open.map((member) => model.inboxOf(member)),
            );
            for (const member of open) model.join(group, member);
          } else if (kind === 'leave') {
            const hasLeft = scope.leave(
              group,
              members.map((member) => model.inboxOf(member)),
            );
            assert.equal(hasLeft, members.filter((member) => model.leave(group, member)).length > 0);
          } else {
            for (const member of members) {
              engine.close(model.inboxOf(member));
              // Whoever asks first tells the others; here in the order of the model.
              scope.whichGroups();
              model.end(member);
            }
          }
          const expected = model.members();
          assert.deepEqual(scope.whichGroups().toSorted(), Object.keys(expected).toSorted());
          for (const name of GROUPS) assert.deepEqual(membersIn(scope, name), expected[name] ?? []);
        }
        if (monitor !== undefined) assert.deepEqual(await read(monitor, model.events.length), model.events);
      }),
    );
  });
});

type ScopeMonitor = ReturnType<GroupScope['monitorScope']>;

const GROUPS = ['g', 'h'];
const MEMBERS = ['a', 'b', 'c'];
const acts = fc.record({
  kind: fc.constantFrom('join', 'join', 'join', 'leave', 'leave', 'close'),
  group: fc.constantFrom(...GROUPS),
  members: fc.array(fc.constantFrom(...MEMBERS), { minLength: 1, maxLength: 3 }),
});

/** All joins that were not taken back, in their order. */
class Model {
  readonly events: string[] = [];
  readonly #inboxes: ReadonlyMap<string, Inbox>;
  #joins: { readonly group: string; readonly member: string }[] = [];

  constructor(makeInbox: (name: string) => Inbox) {
    this.#inboxes = new Map(MEMBERS.map((member) => [member, makeInbox(member)]));
  }

  inboxOf(member: string): Inbox {
    return this.#inboxes.get(member)!;
  }

  members(): Record<string, string[]> {
    const groups = new Set(this.#joins.map(({ group }) => group));
    const membersOf = (name: string) => this.#joins.flatMap(({ group, member }) => (group === name ? member : []));
    return Object.fromEntries(Array.from(groups, (group) => [group, membersOf(group)]));
  }

  join(group: string, member: string): void {
    this.#joins.push({ group, member });
    this.events.push(`join ${group} ${member}`);
  }

  leave(group: string, member: string): boolean {
    const last = this.#joins.findLastIndex((join) => join.group === group && join.member === member);
    if (last === -1) return false;
    this.#joins.splice(last, 1);
    this.events.push(`leave ${group} ${member}`);
    return true;
  }

  /** Group by group, in the order in which it came into them. */
  end(member: string): void {
    for (const { group } of this.#joins.filter((join) => join.member === member)) while (this.leave(group, member));
  }
}

/** An inbox that knows how many wait for its end. */
function watchedInbox(): { inbox: Inbox; waiting: () => number } {
  let count = 0;
  const onClose = () => {
    count += 1;
    return () => {
      count -= 1;
      return true;
    };
  };
  const inbox: Inbox = Object.assign(Object.create(runtime().inbox()), { isClosed: () => false, onClose });
  return { inbox, waiting: () => count };
}

function membersIn(scope: GroupScope, group: string): string[] {
  return namesOf(scope.getMembers(group));
}

function namesByGroup(members: ScopeMonitor['members']): Record<string, string[]> {
  return Object.fromEntries(Array.from(members, ([group, senders]) => [group, namesOf(senders)]));
}

/** Inboxes are equal to each other for an assertion; their names are not. */
function namesOf(members: readonly OwnedSender[]): string[] {
  return members.map(nameOf);
}

function nameOf(member: OwnedSender): string {
  assert.ok('name' in member);
  return String(member.name);
}

async function read(monitor: GroupMonitor<OwnedSender, unknown>, count: number): Promise<string[]> {
  const events: string[] = [];
  for (let index = 0; index < count; index += 1) events.push(textOf(await monitor.next()));
  return events;
}

function textOf(event: Awaited<ReturnType<ScopeMonitor['next']>>): string {
  assert.ok(event !== undefined);
  return `${event.kind} ${event.group} ${nameOf(event.member)}`;
}

function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
