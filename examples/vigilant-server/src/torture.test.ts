import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { it } from 'node:test';
import * as vigil from 'vigiljs';
import { MAX_LINE_BYTES } from './line-splitter.js';
import type { Figures } from './measured-server.js';
import { POOLS } from './server.js';
import { TestClient } from './test-client.js';
import { pidsIn, untilGone } from './test-process.js';
import { type MeasuredServer, startMeasuredServer } from './test-server.js';

/** One line in a thousand makes a worker crash, and a new thread or process takes its time. */
const CLIENTS = { task: 100, thread: 50, fork: 25 };
const LINES_PER_CLIENT = 1_000;
const CRASH_EVERY_MS = 100;
const KILL_EVERY_MS = 500;
const HASHERS = 4;
const TOPICS = 10;
const MEGABYTE = 2 ** 20;

type Command = 'echo' | 'STATUS' | 'HEALTH' | 'METRICS' | 'TREE' | 'SUBSCRIBE' | 'PUBLISH' | 'CRASH' | 'hash' | 'too long';

/** How many of a thousand lines are what; the rest is echoed. */
const SHARES: readonly (readonly [Command, number])[] = [
  ['STATUS', 50],
  ['HEALTH', 20],
  ['METRICS', 20],
  ['TREE', 4],
  ['SUBSCRIBE', 2],
  ['PUBLISH', 20],
  ['hash', 1],
  ['CRASH', 1],
  ['too long', 1],
];

/** On a busy machine a job may also have to wait for too long; and by chance many crashes may come in a row. */
const REFUSED = 'too many jobs are waiting, try again later|the workers keep failing, try again later|no worker answered within 5000 ms';
/** What may become of a worker whose job one has. */
const KILLED = 'the worker failed: (process "hasher_\\d" ended before it replied: killed|the process ended by SIGKILL)';
const REFUSED_OR_KILLED = new RegExp(`^ERROR (${REFUSED}|${KILLED})$`);
const CRASHED = 'ERROR the worker failed: a client asked for it';
const REFUSED_OR_CRASHED = new RegExp(`${REFUSED_OR_KILLED.source}|^${CRASHED}$`);
const HASHED = `OK ${scryptSync('x', 'vigilant-server', 32).toString('hex')}`;

for (const pool of POOLS) {
  const clients = CLIENTS[pool];
  it(`answers ${clients},000 lines of ${clients} clients in order while ${pool}s crash all the time, and is as before afterwards`, async () => {
    await using server = await startMeasuredServer(pool);
    // The first round warms up what is kept for good: code, pools, buffers.
    await runClients(server.port, 20);
    const before = await measureAtRest(server);

    const stopCrashing = await keepCrashing(server.port);
    const stopKilling = pool === 'fork' ? await keepKilling(server.port) : async () => 0;
    const counts = await runClients(server.port, clients);
    const kills = await stopKilling();
    const crashes = await stopCrashing();
    const after = await measureAtRest(server);

    assert.equal(counts.answered + counts.failed, clients * LINES_PER_CLIENT);
    assert.ok(
      crashes > 0 && after.restarts - before.restarts >= crashes,
      `${after.restarts - before.restarts} restarts by ${crashes} crashes`,
    );
    assert.ok(pool !== 'fork' || kills > 0, `${kills} killed from outside`);
    assert.deepEqual([after.connections, after.sockets], [0, 0]);
    const grownBy = after.memoryBytes - before.memoryBytes;
    assert.ok(grownBy < 3 * MEGABYTE, `grown by ${grownBy} bytes`);

    using client = await TestClient.connect(server.port);
    const tormentors = pool === 'fork' ? 2 : 1;
    assert.equal(await client.ask('STATUS'), `OK active=1 total=${20 + tormentors + clients + 1}`);
    const pids = await workersIn(client);
    server.signal('SIGTERM');
    assert.equal(await server.exitCode, 0);
    await untilGone(pids);
  });
}

const { clock } = vigil.runtime();

interface Counts {
  answered: number;
  /** Answered with an error line that the command may get. */
  failed: number;
}

async function runClients(port: number, clients: number): Promise<Counts> {
  const counts: Counts = { answered: 0, failed: 0 };
  await Promise.all(Array.from({ length: clients }, (_, seed) => runClient(port, seed, counts)));
  return counts;
}

/** Sends all its lines without waiting, and checks each answer in its turn. */
async function runClient(port: number, seed: number, counts: Counts): Promise<void> {
  using client = await TestClient.connect(port);
  const commands = commandsFrom(seed);
  client.send(...commands.map((command, index) => lineOf(command, seed, index)));
  for (const [index, command] of commands.entries()) {
    const isAnswered = await checkAnswer(client, command, lineOf(command, seed, index));
    counts[isAnswered ? 'answered' : 'failed'] += 1;
  }
  client.socket.end();
  assert.equal(await nextAnswer(client), undefined);
}

function lineOf(command: Command, seed: number, index: number): string {
  switch (command) {
    case 'echo':
      return `line ${index} of client ${seed}`;
    case 'hash':
      return 'HASH x';
    case 'too long':
      return 'x'.repeat(MAX_LINE_BYTES + 1);
    case 'SUBSCRIBE':
      return `SUBSCRIBE torture.${seed % TOPICS}`;
    case 'PUBLISH':
      return `PUBLISH torture.${index % TOPICS} by client ${seed}`;
    case 'STATUS':
    case 'HEALTH':
    case 'METRICS':
    case 'TREE':
    case 'CRASH':
      return command;
  }
}

/** The first line of the next answer, after whatever others have published. */
async function nextAnswer(client: TestClient): Promise<string | undefined> {
  let line = await client.readLine();
  while (line !== undefined && /^(MESSAGE torture\.\d by client \d+|MISSED \d+)$/.test(line)) line = await client.readLine();
  return line;
}

/** Whether it is the answer; false for an error line where there may be one. */
async function checkAnswer(client: TestClient, command: Command, line: string): Promise<boolean> {
  const first = await nextAnswer(client);
  switch (command) {
    case 'echo':
      assert.equal(first, line);
      return true;
    case 'STATUS':
      assert.match(first ?? '', /^OK active=\d+ total=\d+$/);
      return true;
    case 'HEALTH':
      assert.equal(first, 'OK');
      assert.match(
        (await client.readLines(6)).join(' '),
        /^uptime=\d+ requests=\d+ circuit=(closed|open|half_open) status=(healthy|degraded) ready=true reasons=.*$/,
      );
      return true;
    case 'METRICS':
      assert.match(first ?? '', /^active_connections=\d+$/);
      assert.equal((await client.readBlock()).length, 12);
      return true;
    case 'TREE':
      assert.match(first ?? '', /^vigilant-server/);
      assert.ok((await client.readBlock()).length > 6);
      return true;
    case 'SUBSCRIBE':
      assert.match(first ?? '', /^OK patterns=1$/);
      return true;
    case 'PUBLISH':
      assert.match(first ?? '', /^OK delivered=\d+ failed=\d+$/);
      return true;
    case 'hash':
      if (first === HASHED) return true;
      assert.match(first ?? '', REFUSED_OR_KILLED);
      return false;
    case 'CRASH':
      assert.match(first ?? '', REFUSED_OR_CRASHED);
      return false;
    case 'too long':
      assert.equal(first, 'ERROR the line is longer than 65536 bytes');
      return false;
  }
}

/** The same for the same seed, in an order that looks like chance. */
function commandsFrom(seed: number): Command[] {
  let state = seed + 1;
  return Array.from({ length: LINES_PER_CLIENT }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    let rest = (state >>> 8) % 1_000;
    for (const [command, share] of SHARES) {
      if (rest < share) return command;
      rest -= share;
    }
    return 'echo';
  });
}

/** Has one worker after the other crash. Returns how to stop it, which tells how many have. */
async function keepCrashing(port: number): Promise<() => Promise<number>> {
  const client = await TestClient.connect(port);
  let crashes = 0;
  const stop = repeat(CRASH_EVERY_MS, async () => {
    const answer = (await client.ask('CRASH')) ?? '';
    assert.match(answer, REFUSED_OR_CRASHED);
    if (answer === CRASHED) crashes += 1;
  });
  return async () => {
    await stop();
    client.socket.end();
    return crashes;
  };
}

/** Kills one worker process after the other from outside. Returns how to stop it, which tells how many were. */
async function keepKilling(port: number): Promise<() => Promise<number>> {
  const client = await TestClient.connect(port);
  let kills = 0;
  const stop = repeat(KILL_EVERY_MS, async () => {
    const [pid] = await workersIn(client);
    if (pid !== undefined && hasKilled(pid)) kills += 1;
  });
  return async () => {
    await stop();
    client.socket.end();
    return kills;
  };
}

/** Acts again and again, so long after the last time. The returned function ends it, and fails if it has failed. */
function repeat(everyMs: number, act: () => Promise<void>): () => Promise<void> {
  const stop = new AbortController();
  const rounds = async () => {
    while (!stop.signal.aborted) {
      await act();
      await new Promise<void>((resolve) => clock.after(everyMs, resolve, { keepAlive: true }));
    }
  };
  const done = rounds();
  done.catch(() => {});
  return () => {
    stop.abort();
    return done;
  };
}

function hasKilled(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    // It has crashed in the moment since the tree was drawn.
    return false;
  }
}

async function workersIn(client: TestClient): Promise<number[]> {
  client.send('TREE');
  return pidsIn(await client.readBlock(), /hasher_\d+/);
}

/** The figures once all clients are gone and all workers are back. */
async function measureAtRest(server: MeasuredServer): Promise<Figures> {
  let figures = await server.measure();
  while (figures.connections > 0 || figures.sockets > 0 || figures.workers < HASHERS) figures = await server.measure();
  return figures;
}
