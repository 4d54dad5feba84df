import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findChild } from './find-child.js';
import { TestClient } from './test-client.js';
import { untilGone } from './test-process.js';
import { startServer, type TestServer } from './test-server.js';

describe('the bookkeeper', () => {
  it('writes which children were restarted, how often and what for, when it has been told everything', async () => {
    await using server = await startServer({ pool: 'task', chaos: true });
    using client = await TestClient.connect(server.port);
    client.send(...Array.from({ length: 5 }, () => 'CRASH'));
    await client.readLines(5);
    const pid = pidOf(server);
    await server.app.shutdown();
    await untilGone([pid]);
    const [written = ''] = server.messages.filter((message) => message.includes('restarted: '));
    assert.match(
      written,
      /^command "bookkeeper" \(incarnation 1\): restarted: (hasher_\d \d,? ?)+; the last one crashed: Error: a client asked for it$/,
    );
    const counts = Array.from(written.matchAll(/hasher_\d (\d)/g), ([, count]) => Number(count));
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      5,
    );
  });

  it('is restarted when it is killed, and what it has missed meanwhile is in the log', async () => {
    await using server = await startServer({ pool: 'task' });
    using client = await TestClient.connect(server.port);
    const pid = pidOf(server);
    process.kill(pid, 'SIGKILL');
    // Asked until it is so, since nothing tells a client that it is up again.
    let line: string | undefined;
    do {
      client.send('TREE');
      line = (await client.readBlock()).find((text) => text.includes('─ bookkeeper'));
    } while (!/: running for .* 1 restart, last end crashed: VigilError: /.test(line ?? ''));
    assert.notEqual(pidOf(server), pid);
    assert.ok(server.messages.some((message) => /^the books lack \{"child":"bookkeeper","reason":".*SIGKILL/.test(message)));
  });
});

function pidOf({ app }: TestServer): number {
  const pid = findChild(app.inspect(), 'bookkeeper')?.vitals?.pid;
  assert.ok(pid !== undefined);
  return pid;
}
