import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startServer, type TestServer } from './test-server.js';
import { TestClient } from './test-client.js';

describe('PUBLISH', () => {
  it('sends the text to all whose patterns match the topic, and tells how many', async () => {
    await using server = await startTopics();
    using ann = await TestClient.connect(server.port);
    using ben = await TestClient.connect(server.port);
    assert.equal(await ann.ask('SUBSCRIBE news.*'), 'OK patterns=1');
    assert.equal(await ann.ask('SUBSCRIBE news.sport'), 'OK patterns=2');
    assert.equal(await ben.ask('SUBSCRIBE #'), 'OK patterns=1');
    assert.equal(await server.publisher.ask('PUBLISH news.sport two  words '), 'OK delivered=2 failed=0');
    assert.equal(await server.publisher.ask('PUBLISH weather '), 'OK delivered=1 failed=0');
    assert.equal(await ann.readLine(), 'MESSAGE news.sport two  words ');
    assert.deepEqual(await ben.readLines(2), ['MESSAGE news.sport two  words ', 'MESSAGE weather ']);
  });

  it('sends the bytes as they are, whatever their encoding', async () => {
    await using server = await startTopics();
    using client = await TestClient.connect(server.port);
    await client.ask('SUBSCRIBE bytes');
    const chunks: Buffer[] = [];
    client.socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    const text = Buffer.from([0x00, 0xff, 0xfe, 0x80]);
    server.publisher.socket.write(Buffer.concat([Buffer.from('PUBLISH bytes '), text, Buffer.from('\n')]));
    assert.equal(await server.publisher.readLine(), 'OK delivered=1 failed=0');
    await client.readLine();
    assert.deepEqual(Buffer.concat(chunks), Buffer.concat([Buffer.from('MESSAGE bytes '), text, Buffer.from('\n')]));
  });

  it('is refused without a text, with a topic that is none, and when it is too long', async () => {
    await using server = await startTopics();
    using client = await TestClient.connect(server.port);
    await client.ask('SUBSCRIBE #');
    assert.equal(await client.ask('PUBLISH topic'), 'ERROR PUBLISH takes a topic and a text');
    for (const topic of ['', 'a..b', '.a', 'a.', 'a.*', '#']) {
      const answer = await client.ask(`PUBLISH ${topic} text`);
      assert.equal(
        answer,
        `ERROR topic must be levels with dots between them, none of them empty or with a * or #, got ${JSON.stringify(topic)}`,
      );
    }
    assert.equal(await client.ask(`PUBLISH t ${'x'.repeat(4_095)}`), 'ERROR a message has up to 4096 bytes');
    client.send(`PUBLISH t ${'x'.repeat(4_094)}`);
    const lines = await client.readLines(2);
    assert.deepEqual(new Set(lines), new Set([`MESSAGE t ${'x'.repeat(4_094)}`, 'OK delivered=1 failed=0']));
  });
});

describe('SUBSCRIBE and UNSUBSCRIBE', () => {
  it('tell how many patterns the connection has, each counted once', async () => {
    await using server = await startTopics();
    using client = await TestClient.connect(server.port);
    client.send('SUBSCRIBE a', 'SUBSCRIBE b.#', 'SUBSCRIBE a', 'UNSUBSCRIBE c', 'UNSUBSCRIBE a');
    assert.deepEqual(
      await client.readLines(5),
      [1, 2, 2, 2, 1].map((count) => `OK patterns=${count}`),
    );
    assert.equal(await server.publisher.ask('PUBLISH a text'), 'OK delivered=0 failed=0');
    assert.equal(await server.publisher.ask('PUBLISH b text'), 'OK delivered=1 failed=0');
    assert.equal(await client.readLine(), 'MESSAGE b text');
  });

  it('refuse what is no pattern', async () => {
    await using server = await startTopics();
    using client = await TestClient.connect(server.port);
    for (const pattern of ['a..b', 'a.b*', '#.a', '.']) {
      for (const command of ['SUBSCRIBE', 'UNSUBSCRIBE']) {
        const answer = await client.ask(`${command} ${pattern}`);
        assert.match(answer ?? '', /^ERROR pattern must be levels with dots between them, .*, got ".*"$/, `${command} ${pattern}`);
      }
    }
    assert.match((await client.ask('SUBSCRIBE ')) ?? '', /^ERROR pattern must be /);
    assert.equal(await client.ask(`SUBSCRIBE ${'x'.repeat(4_097)}`), 'ERROR a pattern has up to 4096 bytes');
    assert.equal(await client.ask('SUBSCRIBE a'), 'OK patterns=1');
  });

  it('take 32 patterns of one connection', async () => {
    await using server = await startTopics();
    using client = await TestClient.connect(server.port);
    for (let count = 1; count <= 32; count += 1) assert.equal(await client.ask(`SUBSCRIBE p${count}`), `OK patterns=${count}`);
    assert.equal(await client.ask('SUBSCRIBE p33'), 'ERROR a connection has up to 32 patterns');
    assert.equal(await client.ask('SUBSCRIBE p32'), 'OK patterns=32');
    assert.equal(await client.ask('UNSUBSCRIBE p1'), 'OK patterns=31');
    assert.equal(await client.ask('SUBSCRIBE p33'), 'OK patterns=32');
  });
});

describe('a subscriber', () => {
  it('has left when its connection is closed', async () => {
    await using server = await startTopics();
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      using client = await TestClient.connect(server.port);
      await client.ask('SUBSCRIBE a.*');
      await client.ask('SUBSCRIBE #');
      assert.ok((await metricsOf(server.publisher)).includes('subscribers=1'));
      client.socket[leave]();
      // Asked until it is so, since nothing tells a client that another one is gone.
      while (!(await metricsOf(server.publisher)).includes('subscribers=0'));
    }
  });

  it('has left when it has closed its own side and everything is answered', async () => {
    await using server = await startTopics();
    using client = await TestClient.connect(server.port);
    client.socket.end('SUBSCRIBE #\nhello\n');
    assert.deepEqual(await client.readLines(3), ['OK patterns=1', 'hello', undefined]);
    assert.equal(await server.publisher.ask('PUBLISH a text'), 'OK delivered=0 failed=0');
  });

  it('gets each message as a line between its answers, never within one', async () => {
    await using server = await startTopics();
    using client = await TestClient.connect(server.port);
    await client.ask('SUBSCRIBE #');
    const published = Array.from({ length: 60 }, (_, index) => `MESSAGE tick ${index}`);
    client.send(...Array.from({ length: 20 }, () => ['HASH x', 'METRICS', 'HEALTH']).flat());
    server.publisher.send(...published.map((line) => line.replace('MESSAGE', 'PUBLISH')));
    const messages: string[] = [];
    const next = async () => {
      for (;;) {
        const line = (await client.readLine()) ?? '';
        if (!line.startsWith('MESSAGE')) return line;
        messages.push(line);
      }
    };
    for (let round = 0; round < 20; round += 1) {
      assert.match(await next(), /^OK [0-9a-f]{64}$/);
      assert.match(await next(), /^active_connections=/);
      for (const line of (await client.readBlock()).slice(1)) assert.match(line, /^\w+=\d+$/);
      assert.equal(await next(), 'OK');
      assert.match(await next(), /^uptime=/);
      assert.match(await next(), /^requests=/);
      assert.equal(await next(), 'circuit=closed');
      for (const name of ['status', 'ready', 'reasons']) assert.ok((await next()).startsWith(`${name}=`));
    }
    while (messages.length < published.length) messages.push((await client.readLine()) ?? '');
    assert.deepEqual(messages, published);
  });

  it('that does not read is told how many messages it has missed, and gets the others in order', async () => {
    await using server = await startTopics();
    using client = await TestClient.connect(server.port);
    await client.ask('SUBSCRIBE flood');
    client.socket.pause();
    const text = 'x'.repeat(4_000);
    let published = 0;
    let failed = 0;
    while (failed < 10) {
      published += 1;
      const answer = await server.publisher.ask(`PUBLISH flood ${published} ${text}`);
      if (answer === 'OK delivered=0 failed=1') failed += 1;
      else assert.equal(answer, 'OK delivered=1 failed=0');
    }
    client.socket.resume();
    let missed = 0;
    const numbers: number[] = [];
    while (numbers.length + missed < published) {
      const line = (await client.readLine()) ?? '';
      const count = /^MISSED (\d+)$/.exec(line);
      if (count === null) numbers.push(Number(/^MESSAGE flood (\d+) x{4000}$/.exec(line)?.[1]));
      else missed += Number(count[1]);
    }
    assert.equal(missed, failed);
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    );
    assert.equal(await server.publisher.ask('PUBLISH flood again'), 'OK delivered=1 failed=0');
    assert.equal(await client.readLine(), 'MESSAGE flood again');
  });

  it('gets what was published before the server stops', async () => {
    const server = await startTopics();
    using client = await TestClient.connect(server.port);
    await client.ask('SUBSCRIBE #');
    server.publisher.send('PUBLISH last words', 'HASH x');
    assert.equal(await server.publisher.readLine(), 'OK delivered=1 failed=0');
    const stopped = server[Symbol.asyncDispose]();
    assert.deepEqual(await client.readLines(2), ['MESSAGE last words', undefined]);
    await stopped;
  });
});

/** A server with a client that publishes. */
async function startTopics(): Promise<TestServer & { readonly publisher: TestClient }> {
  const server = await startServer({ pool: 'task' });
  return { ...server, publisher: await TestClient.connect(server.port) };
}

async function metricsOf(client: TestClient): Promise<string[]> {
  client.send('METRICS');
  return client.readBlock();
}
