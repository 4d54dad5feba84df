import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import type * as lookout from './fixtures/lookout.js';

const LOOKOUT = new URL('./fixtures/lookout.js', import.meta.url);

describe('remoteSnapshots', () => {
  for (const [kind, run] of [
    ['thread', vigil.thread],
    ['fork', vigil.fork],
  ] as const) {
    it(`are of the runtimes in ${kind}s`, { timeout: 60_000 }, async () => {
      const runtime = vigil.runtime();
      const builder = runtime.supervisor().name('app');
      for (const [id, isEmpty] of [
        ['full', false],
        ['empty', true],
      ] as const)
        builder.child(id, run<typeof lookout>(LOOKOUT, { args: { isEmpty } }));
      const supervisor = builder.build();
      assert.deepEqual(await runtime.remoteSnapshots(), []);
      await supervisor.start();
      // Its tree and its circuit are there before it answers anything.
      let [full] = await runtime.remoteSnapshots(30_000);
      while (full?.snapshot?.supervisors.length !== 1) [full] = await runtime.remoteSnapshots(30_000);
      assert.deepEqual(full.origin, { id: 'full', incarnation: 1, supervisor: 'app', kind });
      assert.deepEqual(full.snapshot.circuits, [{ name: 'there', state: 'open', failures: 0, refused: 0 }]);
      assert.deepEqual(
        full.snapshot.mailboxes.map(({ name, stats }) => [name, stats.depth]),
        [['orders', 1]],
      );
      assert.match(full.snapshot.supervisors[0] ?? '', /^below \(one_for_one.*\n└─ a: running/);
      assert.deepEqual(await runtime.request(supervisor.address('full'), 'how?'), ['open', 1]);
      await supervisor.stop();
      assert.deepEqual(await runtime.remoteSnapshots(), []);
    });
  }

  it('are missing of who does not answer in time, and of who ends first', { timeout: 60_000 }, async () => {
    const runtime = vigil.runtime();
    const child = vigil.thread<typeof lookout>(LOOKOUT, { args: { isEmpty: false } });
    const supervisor = runtime.supervisor().name('app').child('busy', child, { shutdownTimeoutMs: 'brutal_kill' }).build();
    await supervisor.start();
    while ((await runtime.remoteSnapshots(30_000))[0]?.snapshot?.supervisors.length !== 1);
    supervisor.address('busy').send('stand still');
    const origin = { id: 'busy', incarnation: 1, supervisor: 'app', kind: 'thread' };
    while ((await runtime.remoteSnapshots(50))[0]?.snapshot !== undefined);
    assert.deepEqual(await runtime.remoteSnapshots(50), [{ origin, snapshot: undefined }]);
    const asked = runtime.remoteSnapshots(30_000);
    await supervisor.stop();
    assert.deepEqual(await asked, []);
  });
});
