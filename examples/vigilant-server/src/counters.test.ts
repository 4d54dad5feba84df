import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import { VirtualClock } from 'vigiljs/testing';
import { Counters, counterServer, type Counts } from './counters.js';

const NONE: Counts = { connections: 0, requests: 0, jobs: 0, errors: 0, restarts: 0 };

describe('the counters', () => {
  it('count what they are told, and the restarts of other children', async () => {
    await using world = await startCounters();
    for (const what of ['requests', 'jobs', 'requests'] as const) world.counters.count(what);
    await world.supervisor.startChild({
      id: 'other',
      startFn: ({ incarnation, stopped }) => (incarnation === 1 ? Promise.reject(new Error('a bug')) : stopped),
    });
    await world.clock.advance(0);
    assert.deepEqual(await world.counters.read(), { ...NONE, requests: 2, jobs: 1, restarts: 1 });
  });

  it('begin again at 0 when they are restarted, and say so', async () => {
    await using world = await startCounters();
    world.counters.count('connections');
    await world.supervisor.restartChild('counters');
    assert.deepEqual(await world.counters.read(), NONE);
    assert.deepEqual(world.warnings, ['the counters were restarted and begin again at 0']);
    world.counters.count('connections');
    assert.deepEqual(await world.counters.read(), { ...NONE, connections: 1 });
  });

  it('hold up nobody who counts while they are down, and refuse to be read at once', async () => {
    await using world = await startCounters();
    await world.supervisor.terminateChild('counters');
    world.counters.count('requests');
    await assert.rejects(world.counters.read(), (error) => vigil.isVigilError(error, 'ProcessNotFound'));
  });

  it('hold up nobody for more than a second when they hang', async () => {
    await using world = await startCounters();
    await world.supervisor.suspendChild('counters');
    for (let count = 0; count < 2_000; count += 1) world.counters.count('requests');
    const full = world.counters.read();
    await assert.rejects(full, (error) => vigil.isVigilError(error, 'MailboxFull'));
    await world.supervisor.restartChild('counters');
    await world.supervisor.suspendChild('counters');
    const read = assert.rejects(world.counters.read(), (error) => vigil.isVigilError(error, 'OperationTimeout'));
    await world.clock.advance(1_000);
    await read;
  });
});

async function startCounters() {
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const ignore = () => {};
  const runtime = vigil.runtime({ clock, log: { debug: ignore, info: ignore, error: ignore, warn: (text) => warnings.push(text) } });
  const supervisor = runtime.supervisor().maxRestarts(3).child('counters', counterServer).build();
  await supervisor.start();
  return {
    clock,
    supervisor,
    warnings,
    counters: new Counters(supervisor.address('counters'), runtime),
    [Symbol.asyncDispose]: () => supervisor.stop(),
  };
}
