import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProcessExit, type TelemetryEventType } from '../core/index.js';
import { BOOM, CRASH, type RecordedEvent, World } from './scripted-child.suite.js';
import { RESTART_TYPES, type RestartType } from './restart-plan.js';
import { Supervisor } from './supervisor.js';

/** What a child answers to the request to stop. */
const ANSWERS = {
  shutdown: undefined,
  normal: new ProcessExit('normal'),
  'shutdown(info)': new ProcessExit('shutdown', 'enough'),
  error: CRASH,
};

/** The answers that are no error, by OTP's rule. */
const SILENT: Record<RestartType, readonly string[]> = {
  permanent: ['shutdown'],
  transient: ['shutdown', 'normal', 'shutdown(info)'],
  temporary: ['shutdown', 'normal', 'shutdown(info)'],
};

/** An event as `name id#incarnation`. */
function summary({ eventType, metadata }: RecordedEvent): string {
  if ('incarnation' in metadata) return `${eventType} ${metadata.id}#${metadata.incarnation}`;
  return 'id' in metadata ? `${eventType} ${metadata.id}` : eventType;
}

describe('what is reported while stopping', () => {
  for (const restartType of RESTART_TYPES) {
    for (const [answer, stopsWith] of Object.entries(ANSWERS)) {
      const isSilent = SILENT[restartType].includes(answer);
      it(`SHUT-08: a ${restartType} child that answers ${answer} is ${isSilent ? 'no' : 'an'} error`, async () => {
        const world = new World();
        const supervisor = await world.started({ children: [world.child('a', { restartType, stopsWith })] });
        await supervisor.stop();
        assert.deepEqual(world.takeTrace(), [`-a(${answer})`]);
        assert.equal(world.errors.length, isSilent ? 0 : 1);
        if (!isSilent) assert.match(world.errors[0]!.text, /child "a" of "supervisor" .* was asked to stop and ended otherwise/);
      });
    }
  }

  it('SHUT-08: the same holds for a stop by request', async () => {
    const world = new World();
    const supervisor = await world.started({ children: [world.child('a', { stopsWith: new ProcessExit('normal') })] });
    await supervisor.terminateChild('a');
    assert.equal(world.errors.length, 1);
    await supervisor.stop();
  });
});

describe('the crash hook', () => {
  it('EXIT-09: hears of each abnormal end once, before the restart', async () => {
    const world = new World();
    const a = world.child('a');
    const heard: unknown[] = [];
    const onCrash = (id: string, reason: unknown) => void heard.push([id, reason, a.starts]);
    const supervisor = await world.started({ children: [a], onCrash });
    a.end(BOOM);
    await world.rest();
    a.end({ kind: 'killed' });
    await world.rest();
    assert.deepEqual(heard, [
      ['a', BOOM, 1],
      ['a', { kind: 'killed' }, 2],
    ]);
    await supervisor.stop();
    assert.equal(heard.length, 2);
  });

  it('EXIT-09: hears of it once, even when stop comes during the restart of the group', async () => {
    const world = new World();
    const [a, b] = [world.child('a'), world.child('b', { stopsAfterMs: 10 })];
    const heard: string[] = [];
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b], onCrash: (id) => void heard.push(id) });
    a.crash();
    await world.rest();
    const stopping = supervisor.stop();
    await world.clock.advance(10);
    await stopping;
    assert.deepEqual(heard, ['a']);
    assert.equal(world.errors.length, 1);
  });

  it('EXIT-09: hears nothing of clean ends', async () => {
    const world = new World();
    const a = world.child('a');
    const heard: string[] = [];
    const supervisor = await world.started({ children: [a], onCrash: (id) => void heard.push(id) });
    a.finish();
    await world.rest();
    a.end({ kind: 'shutdown', info: 'enough' });
    await world.rest();
    assert.equal(a.starts, 3);
    assert.deepEqual(heard, []);
    assert.deepEqual(world.errors, []);
    await supervisor.stop();
  });

  it('EXIT-09: may throw: it is reported, and the child is restarted', async () => {
    const world = new World();
    const a = world.child('a');
    const failure = new Error('hook');
    const onCrash = () => {
      throw failure;
    };
    const supervisor = await world.started({ name: 'app', children: [a], onCrash });
    a.crash();
    await world.rest();
    assert.equal(a.starts, 2);
    assert.deepEqual(world.errors.at(-1), { text: 'onCrash of supervisor "app" failed', details: failure });
    await supervisor.stop();
  });

  it('EXIT-09: may be an async function that rejects: it is reported, and nobody else hears of it', async () => {
    const world = new World();
    const a = world.child('a');
    const failure = new Error('hook');
    const onCrash = () => Promise.reject(failure);
    const supervisor = await world.started({ name: 'app', children: [a], onCrash });
    a.crash();
    await world.rest();
    assert.equal(a.starts, 2);
    assert.deepEqual(world.errors.at(-1), { text: 'onCrash of supervisor "app" failed', details: failure });
    await supervisor.stop();
  });
});

describe('the log of a supervisor', () => {
  it('has a crash with its error, and where in the tree it was', async () => {
    const world = new World();
    const x = world.child('x');
    const top = await world.started({ name: 'app', children: [world.subtree('sub', { children: [x] })] });
    x.crash();
    await world.rest();
    assert.deepEqual(world.errors, [{ text: 'child "x" of "app/sub" (incarnation 1) crashed: Error: boom', details: CRASH }]);
    await top.stop();
  });

  it('has each attempt to restart that fails', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit' });
    const supervisor = await world.started({ children: [a], maxRestarts: 2 });
    a.start = 'fails';
    a.crash();
    await supervisor.exited;
    const texts = world.errors.map(({ text }) => text);
    assert.deepEqual(texts.slice(0, 3), [
      'child "a" of "supervisor" (incarnation 1) crashed: Error: boom',
      'child "a" of "supervisor" (incarnation 2) did not start: crashed: Error: no such host',
      'child "a" of "supervisor" (incarnation 3) did not start: crashed: Error: no such host',
    ]);
    assert.equal(texts.length, 4);
  });
});

describe('telemetry of a supervisor', () => {
  it('VIG-08: tells the whole story in order', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const supervisor = await world.started({ children: [a, b] });
    a.crash();
    await world.rest();
    await supervisor.stop();
    assert.deepEqual(world.events.map(summary), [
      'supervisor_started',
      'process_started a#1',
      'process_started b#1',
      'process_crashed a#1',
      'supervisor_restart a',
      'process_started a#2',
      'process_stopped b#1',
      'process_stopped a#2',
      'supervisor_stopped',
    ]);
  });

  it('VIG-08: says in each event which supervisor it is about, and what happened', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ name: 'app', children: [a] });
    a.crash();
    await world.rest();
    await supervisor.stop();
    const facts = new Map<TelemetryEventType, unknown>(world.events.map(({ eventType, metadata }) => [eventType, metadata]));
    assert.deepEqual(facts.get('supervisor_started'), { supervisor: 'app', children: 1 });
    assert.deepEqual(facts.get('process_started'), { id: 'a', incarnation: 2, supervisor: 'app' });
    assert.deepEqual(facts.get('process_crashed'), { id: 'a', incarnation: 1, supervisor: 'app', reason: BOOM });
    assert.deepEqual(facts.get('supervisor_restart'), { supervisor: 'app', id: 'a', reason: BOOM, restartsLeft: 2 });
    assert.deepEqual(facts.get('process_stopped'), { id: 'a', incarnation: 2, supervisor: 'app', reason: { kind: 'shutdown' } });
    assert.deepEqual(facts.get('supervisor_stopped'), { supervisor: 'app', reason: { kind: 'shutdown' } });
  });

  it('VIG-08: tells of children that come and go while it runs', async () => {
    const world = new World();
    const [a, t] = [world.child('a'), world.child('t', { restartType: 'temporary' })];
    const supervisor = await world.started();
    world.events.length = 0;
    await supervisor.startChild(a.spec);
    await supervisor.startChild(t.spec);
    t.finish();
    await world.rest();
    await supervisor.terminateChild('a');
    await supervisor.deleteChild('a');
    assert.deepEqual(world.events.map(summary), [
      'process_started a#1',
      'supervisor_child_added a',
      'process_started t#1',
      'supervisor_child_added t',
      'process_stopped t#1',
      'supervisor_child_removed t',
      'process_stopped a#1',
      'supervisor_child_removed a',
    ]);
    await supervisor.stop();
  });

  it('VIG-08: tells nothing of a child that did not start', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', start: 'fails' });
    const supervisor = await world.started();
    world.events.length = 0;
    await supervisor.startChild(a.spec).catch(() => {});
    assert.deepEqual(world.events, []);
    await supervisor.stop();
  });

  it('VIG-08: tells nothing with telemetry: false', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], telemetry: false });
    a.crash();
    await world.rest();
    await supervisor.stop();
    assert.deepEqual(world.events, []);
  });

  it('VIG-08: makes no event that nobody wants', async () => {
    const world = new World();
    const asked = new Set<TelemetryEventType>();
    const reported: TelemetryEventType[] = [];
    const telemetry = {
      wants: (eventType: TelemetryEventType) => {
        asked.add(eventType);
        return false;
      },
      report: (eventType: TelemetryEventType) => void reported.push(eventType),
    };
    const a = world.child('a');
    const supervisor = new Supervisor({ children: [a.spec] }, { ...world.environment, telemetry });
    await supervisor.start();
    a.crash();
    await world.rest();
    await supervisor.stop();
    assert.deepEqual(reported, []);
    assert.ok(asked.has('process_crashed'));
  });
});
