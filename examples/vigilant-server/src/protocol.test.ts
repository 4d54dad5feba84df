import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { describe, it } from 'node:test';
import type { App } from 'vigiljs';
import { startServer } from './test-server.js';
import { TestClient } from './test-client.js';

function workersOf(server: { readonly app: App }): number | undefined {
  return server.app.inspect().children[0]?.supervisor?.childCount;
}

describe('a command', () => {
  it('STATUS tells how many connections there are and were', async () => {
    await using server = await startServer();
    using gone = await TestClient.connect(server.port);
    gone.socket.end();
    assert.equal(await gone.readLine(), undefined);
    using client = await TestClient.connect(server.port);
    assert.equal(await client.ask('STATUS'), 'OK active=1 total=2');
  });

  it('HEALTH is answered in three lines', async () => {
    await using server = await startServer();
    using client = await TestClient.connect(server.port);
    client.send('hello', 'HEALTH');
    assert.deepEqual(await client.readLines(4), ['hello', 'OK', 'uptime=0', 'requests=2']);
  });

  it('METRICS lists every figure and ends with an empty line', async () => {
    await using server = await startServer();
    using client = await TestClient.connect(server.port);
    client.send('METRICS');
    assert.deepEqual(await client.readBlock(), [
      'active_connections=1',
      'total_connections=1',
      'requests_handled=1',
      'uptime_seconds=0',
      'restarts=0',
      'queued_jobs=0',
      'refused_jobs=0',
      'dead_letters=0',
    ]);
    assert.equal(await client.ask('next'), 'next');
  });

  it('TREE draws the tree with the connection that asks and ends with an empty line', async () => {
    await using server = await startServer();
    using client = await TestClient.connect(server.port);
    client.send('TREE');
    const tree = await client.readBlock();
    assert.match(tree[0] ?? '', /^vigilant-server \(one_for_one/);
    assert.ok(tree.some((line) => line.endsWith('connection_1: running for 0 s')));
    assert.equal(await client.ask('next'), 'next');
  });

  it('HASH is answered with the scrypt hash of the text, and later requests wait their turn', async () => {
    await using server = await startServer();
    using client = await TestClient.connect(server.port);
    client.send('HASH grüße', 'HASH', 'HASH  two spaces');
    assert.deepEqual(await client.readLines(3), [hashed('grüße'), 'HASH', hashed(' two spaces')]);
  });

  it('anything else comes back byte for byte, without the return of \\r\\n', async () => {
    await using server = await startServer();
    using client = await TestClient.connect(server.port);
    const chunks: Buffer[] = [];
    client.socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.socket.end(Buffer.concat([Buffer.from([0x00, 0xff, 0xfe, 0x80]), Buffer.from('\r\n\nstatus\n')]));
    assert.equal(await client.readLine(), Buffer.from([0x00, 0xff, 0xfe, 0x80]).toString());
    assert.deepEqual(await client.readLines(3), ['', 'status', undefined]);
    assert.deepEqual(Buffer.concat(chunks), Buffer.concat([Buffer.from([0x00, 0xff, 0xfe, 0x80]), Buffer.from('\n\nstatus\n')]));
  });
});

describe('PLAN', () => {
  it('tells what a crash would lead to, anywhere in the tree', async () => {
    await using server = await startServer();
    using client = await TestClient.connect(server.port);
    assert.equal(await client.ask('PLAN hasher_1'), 'OK stop= start=hasher_1 gives_up=false');
    assert.equal(await client.ask('PLAN listener'), 'OK stop= start=listener gives_up=false');
    assert.equal(await client.ask('PLAN connections'), 'OK stop= start=connections gives_up=false');
    assert.equal(await client.ask('PLAN connection_1'), 'OK stop= start= gives_up=false');
    assert.equal(await client.ask('PLAN nobody'), 'ERROR there is no child "nobody"');
  });
});

describe('SCALE', () => {
  it('is echoed like anything else without chaos', async () => {
    await using server = await startServer();
    using client = await TestClient.connect(server.port);
    assert.equal(await client.ask('SCALE 2'), 'SCALE 2');
    assert.equal(workersOf(server), 4);
  });

  it('brings the pool to the number of workers that is asked for', async () => {
    await using server = await startServer({ chaos: true });
    using client = await TestClient.connect(server.port);
    assert.equal(await client.ask('SCALE 6'), 'OK workers=6');
    assert.equal(workersOf(server), 6);
    assert.equal(await client.ask('SCALE 1'), 'OK workers=1');
    assert.equal(workersOf(server), 1);
    assert.equal(await client.ask('HASH still there'), hashed('still there'));
  });

  it('says what it takes when it is asked for anything else, and changes nothing', async () => {
    await using server = await startServer({ chaos: true });
    using client = await TestClient.connect(server.port);
    for (const count of ['', 'many', '0x3', '1e1', '-1', ' 2', '65', '1000000']) {
      assert.equal(await client.ask(`SCALE ${count}`), 'ERROR SCALE takes a number from 0 to 64', count);
    }
    assert.equal(workersOf(server), 4);
  });
});

describe('CRASH', () => {
  it('is echoed like anything else without chaos', async () => {
    await using server = await startServer();
    using client = await TestClient.connect(server.port);
    assert.equal(await client.ask('CRASH'), 'CRASH');
    assert.equal(server.app.inspect().children[0]?.supervisor?.totalRestarts, 0);
  });

  it('costs the client an error line and nothing else: the worker is restarted', async () => {
    await using server = await startServer({ chaos: true });
    using client = await TestClient.connect(server.port);
    client.send('HASH one', 'CRASH', 'HASH two');
    assert.deepEqual(await client.readLines(3), [hashed('one'), 'ERROR the worker failed: a client asked for it', hashed('two')]);
    client.send('METRICS');
    assert.ok((await client.readBlock()).includes('restarts=1'));
    assert.equal(server.app.inspect().children[0]?.supervisor?.activeChildren, 4);
  });

  it('does not reach the jobs that wait: they are done by whoever comes after', async () => {
    await using server = await startServer({ chaos: true });
    using client = await TestClient.connect(server.port);
    using other = await TestClient.connect(server.port);
    other.send(...Array.from({ length: 8 }, () => 'CRASH'));
    client.send(...Array.from({ length: 16 }, () => 'HASH x'));
    assert.deepEqual(
      await client.readLines(16),
      Array.from({ length: 16 }, () => hashed('x')),
    );
  });
});

describe('a connection', () => {
  it('is answered to the end after it has closed its side', async () => {
    await using server = await startServer();
    using client = await TestClient.connect(server.port);
    client.socket.end('HASH x\nHASH x\nlast\nno line');
    assert.deepEqual(await client.readLines(4), [hashed('x'), hashed('x'), 'last', undefined]);
  });

  it('leaves nothing behind when its client goes away in the middle', async () => {
    await using server = await startServer();
    using leaver = await TestClient.connect(server.port);
    leaver.send('HASH x', 'HASH x', 'HASH x');
    assert.equal(await leaver.readLine(), hashed('x'));
    leaver.socket.resetAndDestroy();

    using witness = await TestClient.connect(server.port);
    // Asked until it is so, since nothing tells a client that another one is gone.
    let tree: string[];
    do {
      witness.send('TREE');
      tree = await witness.readBlock();
    } while (tree.some((line) => line.includes('connection_1:')));
    assert.equal(await witness.ask('STATUS'), 'OK active=1 total=2');
  });
});

function hashed(text: string): string {
  return `OK ${scryptSync(text, 'vigilant-server', 32).toString('hex')}`;
}
