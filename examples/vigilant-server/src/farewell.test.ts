import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import { VirtualClock } from 'vigiljs/testing';
import { POOLS } from './server.js';
import { openSocket, TestClient } from './test-client.js';
import { startServer } from './test-server.js';

describe('a server that stops', () => {
  it('takes no answer back from a client that keeps sending and reads slowly', async () => {
    await using server = await startServer();
    const client = await openSocket(server.port);
    using witness = await TestClient.connect(server.port);
    const line = `${'x'.repeat(60_000)}\n`;
    client.write(line.repeat(500));
    // Until all buffers are full.
    for (let round = 0; round < 500; round += 1) await witness.ask('hello');

    const stopped = server.app.shutdown();
    const received = await readSlowly(client);
    await stopped;
    assert.equal(received.length % line.length, 0);
  });

  for (const pool of POOLS) {
    it(`answers all that it has received, with an error when the time does not suffice, with ${pool}s as workers`, async () => {
      const clock = new VirtualClock();
      await using server = await startServer({ pool, clock });
      using client = await TestClient.connect(server.port);
      client.send(...Array.from({ length: 1_000 }, () => 'HASH x'));
      assert.match((await client.readLine()) ?? '', /^OK /);

      const stopped = server.app.shutdown();
      await clock.advance(4_000);
      assert.match((await client.readLines(100)).at(-1) ?? '', /^OK /, 'while there is time');
      await clock.advance(11_000);
      const answers = await client.readLines(900);
      assert.equal(answers[898], 'ERROR the server is stopping');
      assert.equal(answers[899], undefined);
      await stopped;
    });
  }

  it('leaves a client that neither reads nor closes after ten seconds', async () => {
    const clock = new VirtualClock();
    await using server = await startServer({ clock });
    using idle = await TestClient.connect(server.port);
    await idle.ask('hello');
    idle.socket.pause();
    const stopped = server.app.shutdown();
    await clock.advance(9_999);
    assert.equal(server.app.root.state, 'stopping');
    await clock.advance(1);
    await stopped;
  });
});

/** Everything, a chunk a turn; throws when the connection is reset. */
async function readSlowly(socket: Socket): Promise<string> {
  const { clock } = vigil.runtime();
  let received = '';
  for await (const chunk of socket) {
    received += chunk;
    await new Promise<void>((resolve) => clock.soon(resolve));
  }
  return received;
}
