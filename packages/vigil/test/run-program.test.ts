import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { run } from './fixtures/run.js';

describe('app.run()', { concurrency: 2 }, () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`HOOK-05: ${signal} runs the hooks, the app among them in its place, and ends with 0`, async () => {
      const { lines, stderr, end } = await run('run: orderly', { ready: signal });
      assert.deepEqual(lines, ['ready', 'second hook', 'stopped', 'first hook']);
      assert.deepEqual([stderr, end], ['', 0]);
    });
  }

  for (const [second, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`HOOK-05: a second signal, ${second}, ends it at once with ${exitCode} though a hook hangs`, async () => {
      const { lines, end } = await run('run: a hook that hangs', { ready: 'SIGTERM', hanging: second });
      assert.deepEqual([lines, end], [['ready', 'hanging'], exitCode]);
    });
  }

  it('HOOK-03: ends with 1 and says why when the grace period is over', async () => {
    const { lines, stderr, end } = await run('run: a hook that hangs, with a grace period', { ready: 'SIGTERM' });
    assert.deepEqual([lines, end], [['ready', 'hanging'], 1]);
    assert.match(stderr, /the shutdown was not complete.*unfinished: 1/s);
  });

  it('HOOK-02: ends with 1 and says why when a hook fails, after the other hooks', async () => {
    const { lines, stderr, end } = await run('run: a hook that fails', { ready: 'SIGTERM' });
    assert.deepEqual([lines, end], [['ready', 'the other hook'], 1]);
    assert.match(stderr, /no disk/);
  });

  it('ends with 1 and the TooManyRestarts report when the tree gives up, after the hooks', async () => {
    const { lines, stderr, end } = await run('run: gives up');
    assert.deepEqual([lines, end], [['hook'], 1]);
    assert.match(stderr, /child "flaky" of "app" \(incarnation 1\) crashed: Error: no database/);
    assert.match(stderr, /supervisor "app" gives up: child "flaky" ended \(crashed: Error: no database\).*code: 'TooManyRestarts'/s);
  });

  it('ends with 1 and without a word when the tree gives up and was given no log', async () => {
    assert.deepEqual(await run('run: gives up, without a log'), { lines: [], stderr: '', end: 1 });
  });

  it('ends with 1 and the remedies when a permanent body returns again and again', async () => {
    const { stderr, end } = await run('run: a body that returns');
    assert.equal(end, 1);
    assert.match(stderr, /gives up.*ctx\.stopped.*'transient'/s);
  });

  it('ends with 1 and the cause when the app does not start, after the hooks and with nothing left running', async () => {
    const { lines, stderr, end } = await run('run: does not start');
    assert.deepEqual([lines, end], [['stopped', 'hook'], 1]);
    assert.match(stderr, /the program did not start.*no port/s);
  });

  it('ends with 0 on a signal that comes while it starts', async () => {
    const { lines, stderr, end } = await run('run: starts for ever', { ready: 'SIGINT' });
    assert.deepEqual([lines, stderr, end], [['ready', 'stopped'], '', 0]);
  });

  it('ends with 0 when the app is shut down from inside', async () => {
    const { lines, stderr, end } = await run('run: is shut down from inside');
    assert.deepEqual([lines, stderr, end], [['stopped'], '', 0]);
  });

  for (const stray of ['an exception from a stray timer', 'a stray rejection']) {
    it(`makes ${stray} a crash report, an orderly shutdown, and exit code 1`, async () => {
      const { lines, stderr, end } = await run(`run: ${stray}`);
      assert.deepEqual([lines, end], [['stopped', 'hook'], 1]);
      assert.match(stderr, /an exception came from no process of the tree: shutting down Error: stray/);
    });
  }

  it('refuses a bad option before it touches anything', async () => {
    const { lines, end } = await run('run: a bad option');
    assert.deepEqual(lines, ['VigilError: graceMs must be a finite number of milliseconds >= 0, got -1', '0 0 0']);
    assert.equal(end, 0);
  });
});
