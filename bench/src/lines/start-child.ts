import { spawn, start, stop } from 'nact';
import { type ProcessContext, supervisor } from 'vigiljs';
import { type Line, timed } from '../line.js';

/** Children are started under a running supervisor, one after the other, and stay. */
export const startChild: Line = {
  name: 'start a task child',
  item: 'start',
  unit: 'ns',
  count: 50_000,
  contestants: [
    { name: 'Vigil: await startChild', measure: vigil },
    { name: 'nact: spawn', measure: nact },
    { name: 'Erlang: supervisor:start_child', erlang: 'start_child' },
  ],
};

async function vigil(count: number) {
  let entered = 0;
  const startFn = async (context: ProcessContext) => {
    entered += 1;
    await context.stopped;
  };
  await using root = supervisor().build();
  await root.start();
  return await timed(async () => {
    for (let index = 0; index < count; index += 1) await root.startChild({ id: `task-${index}`, startFn });
    return entered;
  });
}

async function nact(count: number) {
  const system = start();
  let entered = 0;
  const initialStateFunc = () => {
    entered += 1;
  };
  const measurement = await timed(() => {
    for (let index = 0; index < count; index += 1) spawn(system, () => {}, `task-${index}`, { initialStateFunc });
    return entered;
  });
  stop(system);
  return measurement;
}
