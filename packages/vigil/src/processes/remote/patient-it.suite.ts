import { test } from 'node:test';

/** How long one test may take: the machine may have much else to do. */
const TIMEOUT_MS = 110_000;

/** A test with real threads or processes. What it waits for is an event, and its time-out the end of a wait that has failed. */
export function it(name: string, run: () => Promise<void> | void): void {
  void test(name, { timeout: TIMEOUT_MS }, run);
}
