/**
 * Runs histories with real threads and processes from the command line.
 *
 *     node real-run.suite.js --seeds 500 --from 1     that many; those that fail are shrunk and printed
 *     node real-run.suite.js --seed 53                one, printed in full
 *     … --rounds 200                                  all of it so many times
 *     … --no-shrink                                   prints what fails as it is
 */
import { parseArgs } from 'node:util';
import { systemTime } from '../../core/index.js';
import { describeRealHistory, runRealSeed } from './real-history.suite.js';
import { shrinkReal } from './real-shrink.suite.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1' },
    seed: { type: 'string' },
    'no-shrink': { type: 'boolean' },
  },
});

if (values.seed === undefined) await runMany(Number(values.from), Number(values.seeds), Number(values.rounds));
else console.log(describeRealHistory(await runRealSeed(Number(values.seed))));

async function runMany(from: number, count: number, rounds: number): Promise<void> {
  const began = systemTime.now();
  let turns = 0;
  let births = 0;
  let failures = 0;
  for (let round = 1; round <= rounds; round += 1) {
    for (let seed = from; seed < from + count; seed += 1) {
      const outcome = await runRealSeed(seed);
      turns += outcome.history.turns.length;
      births += outcome.births;
      if (outcome.problem === undefined) continue;
      failures += 1;
      console.log(`round ${round}, seed ${seed} fails: ${outcome.problem}`);
      console.log(describeRealHistory(values['no-shrink'] === true ? outcome : await shrinkReal(outcome)));
    }
  }
  const seconds = (systemTime.now() - began) / 1000;
  console.log(`${count * rounds} histories, ${turns} turns, ${births} processes in ${seconds.toFixed(1)} s: ${failures} failed`);
  if (failures > 0) process.exitCode = 1;
}
