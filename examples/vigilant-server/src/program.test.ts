import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestClient } from './test-client.js';
import { pidsIn, untilGone } from './test-process.js';
import { startProgram } from './test-server.js';

describe('the program', () => {
  it('prints where it listens and its tree', async () => {
    await using program = await startProgram('--port', '0');
    assert.match(program.output(), /^listening on 127\.0\.0\.1:\d+\nvigilant-server \(one_for_one/m);
    assert.match(program.output(), /^├─ bookkeeper \(command, pid \d+\): running for \d+ s/m);
    assert.match(program.output(), /^│ {5}└─ hasher_3 \(thread \d+\): running for \d+ s/m);
  });

  for (const [signal, pool] of [
    ['SIGTERM', 'task'],
    ['SIGTERM', 'thread'],
    ['SIGTERM', 'fork'],
    ['SIGINT', 'thread'],
  ] as const) {
    it(`answers what it was asked and exits with 0 on ${signal}, with ${pool}s as workers, and leaves nothing behind`, async () => {
      await using program = await startProgram('--port', '0', '--pool', pool);
      const pids = pidsIn(program.output().split('\n'));
      assert.equal(pids.length, pool === 'fork' ? 5 : 1);
      using client = await TestClient.connect(program.port);
      using idle = await TestClient.connect(program.port);
      client.send(...Array.from({ length: 24 }, () => 'HASH x'));
      assert.match((await client.readLine()) ?? '', /^OK /);
      program.signal(signal);

      const answers = await client.readLines(24);
      assert.ok(answers.slice(0, 23).every((answer) => answer?.startsWith('OK ')));
      assert.equal(answers[23], undefined);
      assert.equal(await idle.readLine(), undefined);
      assert.equal(await program.exitCode, 0);
      await untilGone(pids);
    });
  }

  for (const pool of ['thread', 'fork', 'task'] as const) {
    it(`serves metrics and prints the spans of one trace, with ${pool}s as workers`, async () => {
      await using program = await startProgram('--port', '0', '--metrics-port', '0', '--trace', '--pool', pool);
      const url = /metrics on (\S+)/.exec(program.output())?.[1] ?? '';
      using client = await TestClient.connect(program.port);
      assert.match((await client.ask('HASH x')) ?? '', /^OK /);
      assert.match(
        await (await fetch(url)).text(),
        /^vigil_process_count\{.*vigil_process_kind="command",vigil_process_state="running".*\} 1$/m,
      );
      const traceOf = (name: string) => new RegExp(`^span (\\w{8}) ${name}: `, 'm').exec(program.output())?.[1];
      // What a worker prints may come later than its answer.
      while (traceOf('hash') === undefined) await client.ask('STATUS');
      assert.ok(traceOf('HASH') !== undefined);
      assert.deepEqual([traceOf('hash'), traceOf('request jobs')], [traceOf('HASH'), traceOf('HASH')]);
      program.signal('SIGTERM');
      assert.equal(await program.exitCode, 0);
    });
  }

  it('leaves nothing behind when it is killed', async () => {
    await using program = await startProgram('--port', '0', '--pool', 'fork');
    const pids = pidsIn(program.output().split('\n'));
    assert.equal(pids.length, 5);
    program.signal('SIGKILL');
    assert.equal(await program.exitCode, null);
    await untilGone(pids);
  });

  it('exits at once on a second signal', async () => {
    await using program = await startProgram('--port', '0');
    const pids = pidsIn(program.output().split('\n'));
    using client = await TestClient.connect(program.port);
    client.send(...Array.from({ length: 500 }, () => 'HASH x'));
    await client.readLine();
    program.signal('SIGTERM');
    // Refused connections show that the first one has arrived.
    while (await canConnect(program.port));
    program.signal('SIGTERM');
    assert.equal(await program.exitCode, 128 + 15);
    await untilGone(pids);
  });

  it('exits with 1 and says why when the port is taken', async () => {
    await using program = await startProgram('--port', '0');
    await using second = await startProgram('--port', String(program.port));
    assert.equal(await second.exitCode, 1);
    assert.match(second.output(), /EADDRINUSE: address already in use 127\.0\.0\.1/);
  });

  it('exits with 1 and says why when an option is wrong', async () => {
    await using program = await startProgram('--port', 'http');
    assert.equal(await program.exitCode, 1);
    assert.match(program.output(), /must be a number from 0 to 65535/);
    await using other = await startProgram('--pool', 'fibre');
    assert.equal(await other.exitCode, 1);
    assert.match(other.output(), /Allowed choices are task, thread, fork/);
    await using third = await startProgram('--rate', '0');
    assert.equal(await third.exitCode, 1);
    assert.match(third.output(), /must be a whole number of 1 or more/);
  });
});

async function canConnect(port: number): Promise<boolean> {
  try {
    const client = await TestClient.connect(port);
    client.socket.destroy();
    return true;
  } catch {
    return false;
  }
}
