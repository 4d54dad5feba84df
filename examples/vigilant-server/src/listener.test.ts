import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import type { ConnectionArgs } from './connection.js';
import { Counters } from './counters.js';
import { listener } from './listener.js';
import { TestClient } from './test-client.js';

const ignore = () => {};

describe('the listener, while a client waits to become a connection', () => {
  it('drops it when it stops', async () => {
    await using server = await startBusyListener();
    using client = await TestClient.connect(server.port);
    const stopped = server.app.root.terminateChild('listener');
    server.admit();
    await stopped;
    assert.equal(server.countStarted(), 1);
    assert.equal(await client.readLine(), undefined);
  });

  it('does not mind that it is reset', async () => {
    await using server = await startBusyListener();
    const client = await TestClient.connect(server.port);
    client.socket.resetAndDestroy();
    // An error that nobody hears fails the test in one of these turns.
    for (let round = 0; round < 10; round += 1) (await TestClient.connect(server.port)).socket.destroy();
    server.admit();
    while (server.countStarted() < 12) await once(server.events, 'started');
  });
});

/** A listener whose first client, and so each after it, has to wait until `admit` is called. */
async function startBusyListener() {
  const events = new EventEmitter();
  const isAdmitted = once(events, 'admit');
  const runtime = vigil.runtime({ log: { debug: ignore, warn: ignore, error: ignore, info: (text) => events.emit('listening', text) } });
  let started = 0;
  const startFn = async (ctx: vigil.ProcessContext<never, ConnectionArgs>) => {
    started += 1;
    events.emit('started');
    await isAdmitted;
    ctx.ready();
    await ctx.stopped;
    ctx.args.socket.destroy();
  };
  const connections = runtime.dynamicSupervisor({ startFn, readiness: 'explicit', restartType: 'temporary' }, {});
  const args = {
    host: '127.0.0.1',
    port: 0,
    runtime,
    clientRate: 10,
    counters: new Counters(runtime.via('nobody'), runtime),
    connections,
    answer: () => '',
  };
  const app = runtime.app().worker('connections', connections).worker('listener', listener, { args, readiness: 'explicit' });
  const [[text]] = await Promise.all([once(events, 'listening'), app.start()]);
  const port = Number(text.split(':')[1]);
  const [first] = await Promise.all([TestClient.connect(port), once(events, 'started')]);
  return {
    app,
    events,
    port,
    admit: () => events.emit('admit'),
    countStarted: () => started,
    async [Symbol.asyncDispose]() {
      first.socket.destroy();
      await app.shutdown();
    },
  };
}
