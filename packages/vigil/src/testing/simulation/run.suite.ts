/**
 * Explores the scenarios from the command line, until one fails; its shortest history is printed.
 *
 *     node run.suite.js --seeds 10000 --from 1 --only crashing --shrinks 500
 */
import { parseArgs } from 'node:util';
import { systemTime } from '../../core/index.js';
import { explore } from './explore.js';
import { SCENARIOS } from './scenarios.suite.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    shrinks: { type: 'string', default: '500' },
  },
});

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  if (!name.includes(values.only)) continue;
  const began = systemTime.now();
  const { seeds, steps } = await explore(scenario, {
    seeds: Number(values.seeds),
    fromSeed: Number(values.from),
    maxShrinks: Number(values.shrinks),
  });
  const seconds = (systemTime.now() - began) / 1000;
  console.log(`${name}: ${seeds} seeds pass, ${steps} steps in ${seconds.toFixed(1)} s, ${Math.round(steps / seconds)} steps/s`);
}
