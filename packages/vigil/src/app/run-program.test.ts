import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { isVigilError, silentLogger } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import { Runtime } from './runtime.js';

// Real signals and real ends of Node: packages/vigil/test/run-program.test.ts.
describe('app.run', () => {
  it('HOOK-03: ends Node with 1 exactly when the grace period is over', async (test) => {
    await assertDeadline(test, { graceMs: 250 }, 250);
  });

  it('HOOK-03: has a grace period of 30 s', async (test) => {
    await assertDeadline(test, {}, 30_000);
  });

  it('HOOK-03: runs no hook with a grace period of 0', async (test) => {
    const node = new FakeNode(test);
    const runtime = new Runtime({ clock: new VirtualClock() });
    runtime.onShutdown(() => assert.fail('ran'));
    const running = runtime.app({ log: false }).run({ graceMs: 0 });
    node.emit('SIGTERM');
    await running;
    assert.deepEqual(node.exitCodes, [1]);
  });

  it('ends Node with 1 when the app was shut down before', async (test) => {
    const node = new FakeNode(test);
    const errors: unknown[] = [];
    const log = { ...silentLogger, error: (_: string, error: unknown) => errors.push(error) };
    const app = new Runtime({ clock: new VirtualClock() }).app({ log });
    await app.shutdown();
    await app.run();
    assert.deepEqual(node.exitCodes, [1]);
    assert.ok(isVigilError(errors[0], 'InvalidState'));
  });
});

async function assertDeadline(test: TestContext, options: { graceMs?: number }, deadlineMs: number): Promise<void> {
  const node = new FakeNode(test);
  const clock = new VirtualClock();
  const runtime = new Runtime({ clock });
  runtime.onShutdown(() => new Promise(() => {}));
  const running = runtime.app({ log: false }).run(options);
  node.emit('SIGTERM');
  await clock.advance(deadlineMs - 1);
  assert.deepEqual(node.exitCodes, []);
  await clock.advance(1);
  assert.deepEqual(node.exitCodes, [1]);
  await running;
}

/** Stands between a test and its Node process: gives it signals, and keeps it from ending. */
class FakeNode {
  readonly exitCodes: unknown[] = [];
  readonly #listeners = new Map<string, () => void>();

  constructor(test: TestContext) {
    test.mock.method(process, 'on', (event: string, listener: () => void) => this.#listeners.set(event, listener));
    test.mock.method(process, 'exit', (code: unknown) => this.exitCodes.push(code));
  }

  emit(signal: NodeJS.Signals): void {
    this.#listeners.get(signal)?.();
  }
}
