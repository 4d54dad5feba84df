import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { describe, it } from 'node:test';
import type { App, SupervisorInfo } from 'vigiljs';
import { VirtualClock } from 'vigiljs/testing';
import { findChild } from './find-child.js';
import { POOLS } from './server.js';
import { startServer } from './test-server.js';
import { pidsIn } from './test-process.js';
import { TestClient } from './test-client.js';

/** A worker that a client has killed, in the tree. */
const LINES = {
  task: /─ hasher_\d: running for \d+ s, 1 restart, last end crashed: Error: a client asked for it$/,
  thread: /─ hasher_\d \(thread \d+\): running for \d+ s, .*1 restart, last end crashed: Error: a client asked for it$/,
  fork: /─ hasher_\d \(fork, pid \d+\): running for \d+ s, \d+ MB, .*1 restart, last end crashed: Error: a client asked for it$/,
};

for (const pool of POOLS) {
  describe(`with ${pool}s as workers,`, () => {
    describe('a command', () => {
      it('STATUS tells how many connections there are and were', async () => {
        await using server = await startServer({ pool });
        using gone = await TestClient.connect(server.port);
        gone.socket.end();
        assert.equal(await gone.readLine(), undefined);
        using client = await TestClient.connect(server.port);
        assert.equal(await client.ask('STATUS'), 'OK active=1 total=2');
      });

      it('STATUS counts from 0 again when the counters were restarted, and still knows who is there', async () => {
        await using server = await startServer({ pool });
        using client = await TestClient.connect(server.port);
        await client.ask('STATUS');
        await server.app.root.restartChild('counters');
        assert.equal(await client.ask('STATUS'), 'OK active=1 total=0');
        using second = await TestClient.connect(server.port);
        assert.equal(await second.ask('STATUS'), 'OK active=2 total=1');
      });

      it('HEALTH is answered in seven lines', async () => {
        await using server = await startServer({ pool });
        using client = await TestClient.connect(server.port);
        client.send('hello', 'HEALTH');
        const lines = await client.readLines(8);
        const healthy = ['status=healthy', 'ready=true', 'reasons='];
        assert.deepEqual(lines.with(2, ''), ['hello', 'OK', '', 'requests=2', 'circuit=closed', ...healthy]);
        assert.match(lines[2] ?? '', /^uptime=\d+$/);
      });

      it('METRICS lists every figure and ends with an empty line', async () => {
        await using server = await startServer({ pool });
        using client = await TestClient.connect(server.port);
        await client.ask('HASH x');
        await client.ask('PLAN nobody');
        const lines = await metricsOf(client);
        assert.match(lines[4] ?? '', /^uptime_seconds=\d+$/);
        assert.deepEqual(lines.toSpliced(4, 1), [
          'active_connections=1',
          'total_connections=1',
          'requests_handled=3',
          'errors=1',
          'restarts=0',
          'jobs_done=1',
          'queued_jobs=0',
          'refused_jobs=0',
          'subscribers=0',
          'messages_delivered=0',
          'messages_missed=0',
          'dead_letters=0',
        ]);
        assert.equal(await client.ask('next'), 'next');
      });

      it('TREE draws the tree with the connection that asks and ends with an empty line', async () => {
        await using server = await startServer({ pool });
        using client = await TestClient.connect(server.port);
        const tree = await treeOf(client);
        assert.match(tree[0] ?? '', /^vigilant-server \(one_for_one/);
        assert.ok(tree.some((line) => /connection_1: running for \d+ s$/.test(line)));
        assert.equal(await client.ask('next'), 'next');
      });

      it('HASH is answered with the scrypt hash of the text, and later requests wait their turn', async () => {
        await using server = await startServer({ pool });
        using client = await TestClient.connect(server.port);
        client.send('HASH grüße', 'HASH', 'HASH  two spaces');
        assert.deepEqual(await client.readLines(3), [hashed('grüße'), 'HASH', hashed(' two spaces')]);
      });

      it('anything else comes back byte for byte, without the return of \\r\\n', async () => {
        await using server = await startServer({ pool });
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
        await using server = await startServer({ pool });
        using client = await TestClient.connect(server.port);
        assert.equal(await client.ask('PLAN hasher_1'), 'OK stop= start=hasher_1 gives_up=false');
        assert.equal(await client.ask('PLAN listener'), 'OK stop= start=listener gives_up=false');
        const porter = pool === 'fork' ? 'OK stop=hashers start=porter,hashers gives_up=false' : 'ERROR there is no child "porter"';
        assert.equal(await client.ask('PLAN porter'), porter);
        assert.equal(await client.ask('PLAN connections'), 'OK stop= start=connections gives_up=false');
        assert.equal(await client.ask('PLAN connection_1'), 'OK stop= start= gives_up=false');
        assert.equal(await client.ask('PLAN nobody'), 'ERROR there is no child "nobody"');
      });
    });

    describe('SCALE', () => {
      it('is echoed like anything else without chaos', async () => {
        await using server = await startServer({ pool });
        using client = await TestClient.connect(server.port);
        assert.equal(await client.ask('SCALE 2'), 'SCALE 2');
        assert.equal(hashersOf(server)?.childCount, 4);
      });

      it('brings the pool to the number of workers that is asked for', async () => {
        await using server = await startServer({ pool, chaos: true });
        using client = await TestClient.connect(server.port);
        assert.equal(await client.ask('SCALE 6'), 'OK workers=6');
        assert.equal(hashersOf(server)?.childCount, 6);
        assert.equal(await client.ask('SCALE 1'), 'OK workers=1');
        assert.equal(hashersOf(server)?.childCount, 1);
        assert.equal(await client.ask('HASH still there'), hashed('still there'));
      });

      it('says what it takes when it is asked for anything else, and changes nothing', async () => {
        await using server = await startServer({ pool, chaos: true });
        using client = await TestClient.connect(server.port);
        for (const count of ['', 'many', '0x3', '1e1', '-1', ' 2', '65', '1000000']) {
          assert.equal(await client.ask(`SCALE ${count}`), 'ERROR SCALE takes a number from 0 to 64', count);
        }
        assert.equal(hashersOf(server)?.childCount, 4);
      });
    });

    describe('CRASH', () => {
      it('is echoed like anything else without chaos', async () => {
        await using server = await startServer({ pool });
        using client = await TestClient.connect(server.port);
        assert.equal(await client.ask('CRASH'), 'CRASH');
        assert.equal(hashersOf(server)?.totalRestarts, 0);
      });

      it('costs the client an error line and nothing else: the worker is restarted', async () => {
        await using server = await startServer({ pool, chaos: true });
        using client = await TestClient.connect(server.port);
        client.send('HASH one', 'CRASH', 'HASH two');
        assert.deepEqual(await client.readLines(3), [hashed('one'), 'ERROR the worker failed: a client asked for it', hashed('two')]);
        client.send('METRICS');
        assert.ok((await client.readBlock()).includes('restarts=1'));
        // Asked until it is so, since nothing tells a client that a worker is up again.
        while ((await treeOf(client)).filter((line) => /─ hasher_\d.*: running/.test(line)).length < 4);
        const restarted = (await treeOf(client)).find((line) => line.includes('1 restart, last end'));
        assert.match(restarted ?? '', LINES[pool]);
      });

      it('opens the circuit when it comes too often in a row: the workers get no jobs until they are tried again', async () => {
        const clock = new VirtualClock();
        await using server = await startServer({ pool, chaos: true, clock });
        using client = await TestClient.connect(server.port);
        const beganMs = performance.now();
        for (let count = 0; count < 20; count += 1) {
          assert.equal(await client.ask('CRASH'), 'ERROR the worker failed: a client asked for it');
          // Other threads see by their own time how old a job is.
          await clock.advance(performance.now() - beganMs - clock.now());
        }
        assert.equal(await circuitOf(client), 'circuit=open');
        for (const command of ['HASH x', 'CRASH']) {
          assert.equal(await client.ask(command), 'ERROR the workers keep failing, try again later');
        }
        await clock.advance(1_000);
        assert.equal(await client.ask('HASH x'), hashed('x'));
        assert.equal(await circuitOf(client), 'circuit=half_open');
        assert.equal(await client.ask('HASH x'), hashed('x'));
        assert.equal(await circuitOf(client), 'circuit=closed');
      });

      it('does not reach the jobs that wait: they are done by whoever comes after', async () => {
        await using server = await startServer({ pool, chaos: true });
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
        await using server = await startServer({ pool });
        using client = await TestClient.connect(server.port);
        client.socket.end('HASH x\nHASH x\nlast\nno line');
        assert.deepEqual(await client.readLines(4), [hashed('x'), hashed('x'), 'last', undefined]);
      });

      it('leaves nothing behind when its client goes away in the middle', async () => {
        await using server = await startServer({ pool });
        using leaver = await TestClient.connect(server.port);
        leaver.send('HASH x', 'HASH x', 'HASH x');
        assert.equal(await leaver.readLine(), hashed('x'));
        leaver.socket.resetAndDestroy();

        using witness = await TestClient.connect(server.port);
        // Asked until it is so, since nothing tells a client that another one is gone.
        let tree: string[];
        do {
          tree = await treeOf(witness);
        } while (tree.some((line) => line.includes('connection_1:')));
        assert.equal(await witness.ask('STATUS'), 'OK active=1 total=2');
      });
    });
  });
}

describe('a worker process that is killed from outside', () => {
  it('costs the one job that it has', async () => {
    await using server = await startServer({ pool: 'fork' });
    using client = await TestClient.connect(server.port);
    using witness = await TestClient.connect(server.port);
    const pids = pidsIn(await treeOf(witness), /hasher_\d/);
    assert.equal(pids.length, 4);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    client.send('HASH a', 'HASH b', 'HASH c', 'HASH d', 'HASH e');
    // Asked until it is so: each of them has a job, and one waits.
    while (!(await metricsOf(witness)).includes('queued_jobs=1'));
    process.kill(pids[0]!, 'SIGKILL');
    for (const pid of pids.slice(1)) process.kill(pid, 'SIGCONT');
    const killed = 'ERROR the worker failed: the process ended by SIGKILL';
    assert.deepEqual(await client.readLines(5), [killed, ...['b', 'c', 'd', 'e'].map(hashed)]);
  });
});

function hashersOf({ app }: { readonly app: App }): SupervisorInfo | undefined {
  return findChild(app.inspect(), 'hashers')?.supervisor;
}

async function circuitOf(client: TestClient): Promise<string | undefined> {
  client.send('HEALTH');
  return (await client.readLines(7))[3];
}

async function metricsOf(client: TestClient): Promise<string[]> {
  client.send('METRICS');
  return client.readBlock();
}

async function treeOf(client: TestClient): Promise<string[]> {
  client.send('TREE');
  return client.readBlock();
}

function hashed(text: string): string {
  return `OK ${scryptSync(text, 'vigilant-server', 32).toString('hex')}`;
}
