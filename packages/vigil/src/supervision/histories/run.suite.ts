/**
 * Runs histories from the command line.
 *
 *     node run.suite.js --seeds 20000 --from 1     that many, until one fails; it is shrunk and printed
 *     node run.suite.js --seed 53                  one, printed in full
 *     … --no-shrink                                only says which seed fails
 */
import { parseArgs } from 'node:util';
import { systemTime } from '../../core/index.js';
import { describeHistory, type Outcome, runSeed } from './history.suite.js';
import { shrink } from './shrink.suite.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    'no-shrink': { type: 'boolean' },
  },
});

if (values.seed === undefined) await runMany(Number(values.from), Number(values.seeds));
else await runOne(Number(values.seed));

async function runOne(seed: number): Promise<void> {
  const outcome = await runSeed(seed);
  console.log(describeHistory(outcome));
  if (outcome.problem !== undefined) await fail(seed, outcome);
}

async function runMany(from: number, count: number): Promise<void> {
  const began = systemTime.now();
  let turns = 0;
  let stimuli = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    const outcome = await runSeed(seed);
    if (outcome.problem !== undefined) await fail(seed, outcome);
    turns += outcome.history.turns.length;
    stimuli += outcome.history.turns.flat().length;
  }
  const seconds = (systemTime.now() - began) / 1000;
  const perSecond = (figure: number) => Math.round(figure / seconds);
  console.log(`${count} histories from seed ${from} pass: ${turns} turns, ${stimuli} stimuli in ${seconds.toFixed(1)} s`);
  console.log(`${perSecond(count)} histories/s, ${perSecond(turns)} turns/s`);
}

async function fail(seed: number, outcome: Outcome): Promise<never> {
  if (values['no-shrink'] !== true)
    console.log(`seed ${seed} fails: ${outcome.problem ?? ''}\n\nshrunk:\n${describeHistory(await shrink(outcome))}`);
  throw new Error(`seed ${seed} fails; replay it with --seed ${seed}: ${outcome.problem ?? ''}`);
}
