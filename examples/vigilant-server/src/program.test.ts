import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestClient } from './test-client.js';
import { startProgram } from './test-server.js';

describe('the program', () => {
  it('prints where it listens and its tree', async () => {
    await using program = await startProgram('--port', '0');
    assert.match(program.output(), /^listening on 127\.0\.0\.1:\d+\nvigilant-server \(one_for_one/);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`answers what it was asked and exits with 0 on ${signal}`, async () => {
      await using program = await startProgram('--port', '0');
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
    });
  }

  it('exits at once on a second signal', async () => {
    await using program = await startProgram('--port', '0');
    using client = await TestClient.connect(program.port);
    client.send(...Array.from({ length: 500 }, () => 'HASH x'));
    await client.readLine();
    program.signal('SIGTERM');
    // Refused connections show that the first one has arrived.
    while (await canConnect(program.port));
    program.signal('SIGTERM');
    assert.equal(await program.exitCode, 128 + 15);
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
