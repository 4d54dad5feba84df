/** The program of a contestant's process: `node contestant.js LINE CONTESTANT`. @see ContestantProcess */
import { createInterface } from 'node:readline';
import { lines } from './lines/index.js';

const [lineName, contestantName] = process.argv.slice(2);
const contestant = lines.find(({ name }) => name === lineName)?.contestants.find(({ name }) => name === contestantName);
if (contestant === undefined || !('measure' in contestant)) throw new Error(`no contestant ${contestantName} in "${lineName}"`);

// No collection is forced between rounds: V8 then throws away the code of classes that happen to have no instance.
for await (const request of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await contestant.measure(Number(request)))}\n`);
}
