import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { it } from 'node:test';
import * as vigil from 'vigiljs';
import { MAX_LINE_BYTES } from './line-splitter.js';
import type { Figures } from './measured-server.js';
import { TestClient } from './test-client.js';
import { type MeasuredServer, startMeasuredServer } from './test-server.js';

const CLIENTS = 200;
const LINES_PER_CLIENT = 1_000;
const CRASH_EVERY_MS = 100;
const MEGABYTE = 2 ** 20;

type Command = 'echo' | 'STATUS' | 'HEALTH' | 'METRICS' | 'TREE' | 'CRASH' | 'hash' | 'too long';

/** How many of a thousand lines are what; the rest is echoed. */
const SHARES: readonly (readonly [Command, number])[] = [
  ['STATUS', 50],
  ['HEALTH', 20],
  ['METRICS', 20],
  ['TREE', 4],
  ['hash', 1],
  ['CRASH', 1],
  ['too long', 1],
];

/** On a busy machine a job may also have to wait for too long. */
const REFUSED = /^ERROR (too many jobs are waiting, try again later|no worker answered within 5000 ms)$/;
const REFUSED_OR_CRASHED =
  /^ERROR (too many jobs are waiting, try again later|no worker answered within 5000 ms|the worker failed: a client asked for it)$/;
const HASHED = `OK ${scryptSync('x', 'vigilant-server', 32).toString('hex')}`;

it('answers 200,000 lines of 200 clients in order while workers crash all the time, and is as before afterwards', async () => {
  await using server = await startMeasuredServer();
  // The first round warms up what is kept for good: code, pools, buffers.
  await runClients(server.port, 20);
  const before = await measureAtRest(server);

  const stopCrashing = await crashOnABeat(server.port);
  const startedMs = clock.now();
  const counts = await runClients(server.port, CLIENTS);
  const beats = (clock.now() - startedMs) / CRASH_EVERY_MS;
  await stopCrashing();
  const after = await measureAtRest(server);

  assert.equal(counts.answered + counts.failed, CLIENTS * LINES_PER_CLIENT);
  // Some of them find the inbox full.
  assert.ok(after.restarts - before.restarts >= beats / 2, `${after.restarts - before.restarts} restarts in ${beats} beats`);
  assert.deepEqual([after.workers, after.connections, after.sockets], [before.workers, 0, 0]);
  const grownBy = after.memoryBytes - before.memoryBytes;
  assert.ok(grownBy < 3 * MEGABYTE, `grown by ${grownBy} bytes`);

  using client = await TestClient.connect(server.port);
  assert.equal(await client.ask('STATUS'), `OK active=1 total=${20 + 1 + CLIENTS + 1}`);
  server.signal('SIGTERM');
  assert.equal(await server.exitCode, 0);
});

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
  assert.equal(await client.readLine(), undefined);
}

function lineOf(command: Command, seed: number, index: number): string {
  switch (command) {
    case 'echo':
      return `line ${index} of client ${seed}`;
    case 'hash':
      return 'HASH x';
    case 'too long':
      return 'x'.repeat(MAX_LINE_BYTES + 1);
    case 'STATUS':
    case 'HEALTH':
    case 'METRICS':
    case 'TREE':
    case 'CRASH':
      return command;
  }
}

/** Whether it is the answer; false for an error line where there may be one. */
async function checkAnswer(client: TestClient, command: Command, line: string): Promise<boolean> {
  const first = await client.readLine();
  switch (command) {
    case 'echo':
      assert.equal(first, line);
      return true;
    case 'STATUS':
      assert.match(first ?? '', /^OK active=\d+ total=\d+$/);
      return true;
    case 'HEALTH':
      assert.equal(first, 'OK');
      assert.match((await client.readLines(2)).join(' '), /^uptime=\d+ requests=\d+$/);
      return true;
    case 'METRICS':
      assert.match(first ?? '', /^active_connections=\d+$/);
      assert.equal((await client.readBlock()).length, 7);
      return true;
    case 'TREE':
      assert.match(first ?? '', /^vigilant-server/);
      assert.ok((await client.readBlock()).length > 6);
      return true;
    case 'hash':
      if (first === HASHED) return true;
      assert.match(first ?? '', REFUSED);
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

/** Has workers crash on a beat, and makes up for beats that were missed. Returns how to stop it. */
async function crashOnABeat(port: number): Promise<() => Promise<void>> {
  const client = await TestClient.connect(port);
  const startedMs = clock.now();
  let sent = 0;
  let cancel: vigil.Cancel;
  const beat = () => {
    for (; sent < (clock.now() - startedMs) / CRASH_EVERY_MS; sent += 1) client.send('CRASH');
    cancel = clock.after(CRASH_EVERY_MS, beat);
  };
  beat();
  return async () => {
    cancel();
    client.socket.end();
    for (let answer = await client.readLine(); answer !== undefined; answer = await client.readLine()) {
      assert.match(answer, REFUSED_OR_CRASHED);
      sent -= 1;
    }
    assert.equal(sent, 0);
  };
}

/** The figures once all clients are gone. */
async function measureAtRest(server: MeasuredServer): Promise<Figures> {
  let figures = await server.measure();
  while (figures.connections > 0 || figures.sockets > 0) figures = await server.measure();
  return figures;
}
