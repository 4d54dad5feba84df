/**
 * Tortures shared inboxes from the command line: kills of threads in the midst of their work, a stream of four threads to four others, and a
 * soak under a supervisor.
 *
 *     node run.suite.js --kills 5000 --messages 20000000 --soak 30
 */
import { parseArgs } from 'node:util';
import { systemTime } from '../../core/index.js';
import { soak } from './soak.suite.js';
import { stream } from './stream.suite.js';
import { torture } from './torture.suite.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '5000' },
    messages: { type: 'string', default: '20000000' },
    soak: { type: 'string', default: '30' },
  },
});

if (Number(values.kills) > 0) {
  const seconds = await timed(() => torture(Number(values.kills)));
  const { kills, sent, abandoned } = seconds.result;
  console.log(`${kills} kills, ${sent} messages, ${abandoned} abandoned: books balanced, in ${seconds.took} s`);
}
if (Number(values.messages) > 0) {
  const { took } = await timed(() => stream(Number(values.messages)));
  console.log(`${values.messages} messages from 4 threads to 4: none lost or doubled, in order, in ${took} s`);
}
if (Number(values.soak) > 0) {
  const { result, took } = await timed(() => soak(Number(values.soak) * 1000));
  console.log(`${result.kills} kills and restarts, ${result.sent} messages, ${result.inboxes} inboxes: books balanced, in ${took} s`);
}

async function timed<R>(work: () => Promise<R>): Promise<{ readonly result: R; readonly took: string }> {
  const began = systemTime.now();
  const result = await work();
  return { result, took: ((systemTime.now() - began) / 1000).toFixed(1) };
}
