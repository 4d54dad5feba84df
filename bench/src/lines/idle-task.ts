import { type ProcessContext, supervisor } from 'vigiljs';
import { type Line, type Measurement, retained } from '../line.js';

/** What a million tasks hold while they wait: heap after a full collection, per task. */
export const idleTask: Line = {
  name: 'a million idle tasks',
  item: 'task',
  unit: 'bytes',
  count: 1_000_000,
  freshProcesses: true,
  contestants: [
    { name: 'Vigil: awaits ctx.stopped', measure: (count) => vigil(count, awaitStop) },
    { name: 'Vigil: awaits its inbox', isVariant: true, measure: (count) => vigil(count, awaitInbox) },
    { name: 'Vigil: for await over its inbox', isVariant: true, measure: (count) => vigil(count, readInbox) },
    { name: 'bare object with a pending promise', measure: bareObjects },
    { name: 'Erlang: supervised process, all of it', erlang: 'idle_supervised' },
    { name: 'Erlang: its process_info(memory) alone', erlang: 'idle_process' },
  ],
};

async function awaitStop(context: ProcessContext): Promise<void> {
  await context.stopped;
}

async function awaitInbox({ inbox }: ProcessContext): Promise<void> {
  await inbox.recv();
}

async function readInbox({ inbox }: ProcessContext): Promise<void> {
  for await (const message of inbox) throw new Error(`an idle task got a message: ${message.id}`);
}

async function vigil(count: number, startFn: (context: ProcessContext) => Promise<void>): Promise<Measurement> {
  return retained(async () => {
    const root = supervisor().build();
    await root.start();
    for (let index = 0; index < count; index += 1) await root.startChild({ id: `task-${index}`, startFn });
    return { root, size: root.inspect().activeChildren };
  });
}

/** The least that somebody would write by hand: found by name, runs, can be asked to stop. */
interface BareTask {
  readonly id: string;
  readonly running: Promise<void>;
  readonly stop: (() => void) | undefined;
}

async function bareObjects(count: number): Promise<Measurement> {
  return retained(async () => {
    const tasks = new Map<string, BareTask>();
    for (let index = 0; index < count; index += 1) {
      let stop: (() => void) | undefined;
      const stopped = new Promise<void>((resolve) => {
        stop = resolve;
      });
      const body = async () => {
        await stopped;
      };
      const id = `task-${index}`;
      tasks.set(id, { id, running: body(), stop });
    }
    return tasks;
  });
}
