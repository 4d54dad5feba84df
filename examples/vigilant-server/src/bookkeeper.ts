/**
 * A program of its own, which might be in any language: it knows nothing but the lines that it reads, one restart each.
 * Every minute it writes which children were restarted how often since it last wrote, and at the end once more.
 */
import { createInterface } from 'node:readline';
import type { Entry } from './books.js';

const INTERVAL_MS = 60_000;

const restarts = new Map<string, number>();
let lastReason = '';

// It is asked to stop when its input has ended, and will end by that, when it has read everything.
process.on('SIGTERM', () => {});
const interval = setInterval(write, INTERVAL_MS);
console.log('the books are open');
for await (const line of createInterface({ input: process.stdin })) enter(JSON.parse(line));
clearInterval(interval);
write();

function enter({ child, reason }: Entry): void {
  restarts.set(child, (restarts.get(child) ?? 0) + 1);
  lastReason = reason;
}

function write(): void {
  if (restarts.size === 0) return;
  const counts = Array.from(restarts, ([child, count]) => `${child} ${count}`);
  console.log(`restarted: ${counts.join(', ')}; the last one ${lastReason}`);
  restarts.clear();
}
