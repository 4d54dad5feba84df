import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { VirtualClock } from 'vigiljs/testing';
import { MAX_LINE_BYTES } from './line-splitter.js';
import { POOLS } from './server.js';
import { openSocket, TestClient } from './test-client.js';
import { startMeasuredServer, startServer } from './test-server.js';

const MEGABYTE = 2 ** 20;

describe('the server', () => {
  it('refuses a line over 64 KiB and goes on with the next one', async () => {
    await using server = await startServer();
    using client = await TestClient.connect(server.port);
    const longest = 'x'.repeat(MAX_LINE_BYTES);
    client.send(longest, `${longest}x`, 'x'.repeat(10 * MAX_LINE_BYTES), 'next');
    const tooLong = 'ERROR the line is longer than 65536 bytes';
    assert.deepEqual(await client.readLines(4), [longest, tooLong, tooLong, 'next']);
  });

  it('refuses a line that never ends without waiting for its end', async () => {
    await using server = await startServer();
    using client = await TestClient.connect(server.port);
    client.socket.write('x'.repeat(2 * MAX_LINE_BYTES));
    assert.equal(await client.readLine(), 'ERROR the line is longer than 65536 bytes');
  });

  it('serves 1,000 connections, tells the next one why it is not served, and takes new ones when there is room', async () => {
    await using server = await startMeasuredServer();
    const clients: TestClient[] = [];
    for (let count = 0; count < 1_000; count += 1) clients.push(await TestClient.connect(server.port));
    const answers = await Promise.all(clients.map((client, index) => client.ask(`hello ${index}`)));
    assert.deepEqual(
      answers,
      Array.from(clients, (_, index) => `hello ${index}`),
    );

    using refused = await TestClient.connect(server.port);
    refused.send('STATUS');
    assert.deepEqual(await refused.readLines(2), [
      'ERROR supervisor "vigilant-server/connections" has 1000 of 1000 children, try again later',
      undefined,
    ]);

    clients[0]?.socket.destroy();
    while ((await clients[1]?.ask('STATUS')) !== 'OK active=999 total=1000');
    using late = await TestClient.connect(server.port);
    assert.equal(await late.ask('hello'), 'hello');
    for (const client of clients) client.socket.destroy();
  });

  for (const pool of POOLS) {
    it(`has the longest text hashed by ${pool}s, however many of them wait`, async () => {
      await using server = await startServer({ pool });
      const clients = await Promise.all(Array.from({ length: 4 }, () => TestClient.connect(server.port)));
      const longest = 'x'.repeat(MAX_LINE_BYTES - 'HASH '.length);
      for (const client of clients) client.send(...Array.from({ length: 16 }, () => `HASH ${longest}`));
      const answers = (await Promise.all(clients.map((client) => client.readLines(16)))).flat();
      for (const client of clients) client.socket.destroy();
      assert.deepEqual(new Set(answers), new Set([`OK ${scryptSync(longest, 'vigilant-server', 32).toString('hex')}`]));
    });

    it(`tells a client at once that too many jobs are waiting for ${pool}s`, async () => {
      await using server = await startServer({ pool });
      const clients = await Promise.all(Array.from({ length: 10 }, () => TestClient.connect(server.port)));
      for (const client of clients) client.send(...Array.from({ length: 16 }, () => 'HASH x'));
      const answers = (await Promise.all(clients.map((client) => client.readLines(16)))).flat();
      for (const client of clients) client.socket.destroy();
      using witness = await TestClient.connect(server.port);
      witness.send('METRICS');
      const metrics = await witness.readBlock();

      const refused = answers.filter((answer) => answer === 'ERROR too many jobs are waiting, try again later').length;
      const done = answers.filter((answer) => answer?.startsWith('OK ')).length;
      assert.ok(refused > 0 && done > 0, `${refused} refused, ${done} done`);
      assert.ok(metrics.includes(`refused_jobs=${refused}`));
      assert.ok(answers.every((answer) => answer !== undefined && /^(OK|ERROR) /.test(answer)));
    });
  }

  it('lets a client wait that asks too often, and nobody else', async () => {
    const clock = new VirtualClock();
    await using server = await startServer({ clientRate: 5, clock });
    using client = await TestClient.connect(server.port);
    using witness = await TestClient.connect(server.port);
    const lines = Array.from({ length: 7 }, (_, index) => `line ${index}`);
    client.send(...lines);
    assert.deepEqual(await client.readLines(5), lines.slice(0, 5));
    assert.equal(await requestsOf(witness), 6);
    await clock.advance(200);
    assert.equal(await client.readLine(), 'line 5');
    assert.equal(await requestsOf(witness), 8);
    const stopped = server.app.shutdown();
    assert.deepEqual(await client.readLines(2), ['line 6', undefined], 'what it has received is answered at once');
    client.socket.end();
    witness.socket.end();
    await stopped;
  });

  it('refuses what all clients together ask for too often', async () => {
    const clock = new VirtualClock();
    await using server = await startServer({ rate: 4, clock });
    using client = await TestClient.connect(server.port);
    using other = await TestClient.connect(server.port);
    for (const asker of [client, other, client, other]) assert.equal(await asker.ask('hello'), 'hello');
    assert.equal(await client.ask('hello'), 'ERROR the server has too much to do, try again later');
    await clock.advance(250);
    assert.equal(await other.ask('hello'), 'hello');
  });

  it('serves the others in between, however much one client sends at once', async () => {
    await using server = await startMeasuredServer();
    const flooder = await openSocket(server.port);
    using witness = await TestClient.connect(server.port);
    flooder.write('\n'.repeat(1_000_000));
    flooder.resume();
    await once(flooder, 'data');

    for (let round = 0; round < 20; round += 1) assert.equal(await witness.ask('hello'), 'hello');
    const requests = await requestsOf(witness);
    flooder.destroy();
    assert.ok(requests < 1_000_000, `${requests} requests were answered first`);
  });

  it('reads no more from a client that does not read', async () => {
    await using server = await startMeasuredServer();
    const glutton = await openSocket(server.port);
    using witness = await TestClient.connect(server.port);
    await witness.ask('hello');
    const before = await server.measure();

    const lines = `${'x'.repeat(MAX_LINE_BYTES)}\n`.repeat(1_000);
    glutton.end(lines);
    for (let round = 0; round < 1_000; round += 1) await witness.ask('hello');

    const after = await server.measure();
    const grownBy = after.memoryBytes - before.memoryBytes;
    assert.ok(grownBy < 5 * MEGABYTE, `grown by ${grownBy} bytes`);
    assert.ok((await text(glutton)) === lines, 'in the end it gets everything');
  });
});

/** How many requests there were, with this one. */
async function requestsOf(client: TestClient): Promise<number> {
  client.send('HEALTH');
  return Number((await client.readLines(7))[2]?.split('=')[1]);
}
