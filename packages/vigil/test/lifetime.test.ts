import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import { VirtualClock } from 'vigiljs/testing';
import { type Outcome, run } from './fixtures/run.js';

describe('what keeps Node alive', { concurrency: 2 }, () => {
  for (const what of ['an app', 'a supervisor']) {
    it(`SHUT-14: ${what} that runs does, until a signal ends it`, async () => {
      assert.deepEqual(await run(`start: ${what}`, { ready: 'SIGTERM' }), { lines: ['ready'], stderr: '', end: 'SIGTERM' });
    });

    it(`SHUT-14: ${what} with keepAlive false does not`, () => assertEnds(`start: ${what} that does not keep Node alive`, 'running'));
  }

  it('SHUT-14: an app that was shut down does not', () => assertEnds('start and stop: an app', 'stopped'));
  it('SHUT-14: a supervisor that was stopped, twice, does not', () => assertEnds('start and stop: a supervisor, twice', 'stopped'));
  it('SHUT-14: a supervisor that gave up does not', () => assertEnds('start: gives up', 'stopped'));
  it('SHUT-14: `using` leaves nothing that does', () => assertEnds('using: an app, a supervisor and an inbox', 'stopped stopped true'));
  it('an app that did not start does not', async () => {
    const { lines, end } = await run('start: fails');
    assert.match(String(lines), /^VigilError: child "broken" of "app" did not start/);
    assert.equal(end, 0);
  });
  it('a receive without a limit does not', () => assertEnds('inbox: nobody sends'));
  it('a receive with a limit does, until the time is over', () => assertEnds('inbox: waits with a limit', 'undefined'));
  it('the time-outs, waits and delays of a policy do, until they are over', () =>
    assertEnds('policy: nothing else is left', '2 attempts', 'timeout', 'the second'));
  it('the deadline of a shutdown does, though nothing else is left', () => assertEnds('shutdown: a hook that hangs', '1 left behind'));
});

describe('what can be disposed of with `using`', () => {
  it('an inbox closes', () => {
    const inbox = vigil.inbox();
    inbox[Symbol.dispose]();
    assert.equal(inbox.isClosed(), true);
  });

  it('a supervisor stops, and may have been stopped or never started', async () => {
    const builder = vigil.runtime({ clock: new VirtualClock() }).supervisor().child('a', idle);
    const supervisor = builder.build();
    await supervisor.start();
    await supervisor[Symbol.asyncDispose]();
    await supervisor[Symbol.asyncDispose]();
    assert.equal(supervisor.state, 'stopped');
    await builder.build()[Symbol.asyncDispose]();
  });

  it('an app shuts down, and may have been shut down or never started', async () => {
    const runtime = vigil.runtime({ clock: new VirtualClock() });
    const app = runtime.app().worker('a', idle);
    await app.start();
    await app[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
    assert.equal(app.inspect().state, 'stopped');
    await runtime.app()[Symbol.asyncDispose]();
  });
});

async function assertEnds(program: string, ...lines: readonly string[]): Promise<void> {
  assert.deepEqual<Outcome>(await run(program), { lines, stderr: '', end: 0 });
}

function idle(ctx: vigil.ProcessContext): Promise<void> {
  return ctx.stopped;
}
