import type { ProcessBody } from '../process-context.js';
import type { Process, ProcessHost, ProcessSettings, Runner } from '../runner.js';
import { TaskProcess } from './task-process.js';

/** Runs a body as a task: an async function in this event loop. */
export class TaskRunner<TMessage = unknown, TArgs = unknown> implements Runner<TArgs> {
  readonly kind = 'task';
  readonly #body: ProcessBody<TMessage, TArgs>;

  constructor(body: ProcessBody<TMessage, TArgs>) {
    this.#body = body;
  }

  create(settings: ProcessSettings<TArgs>, incarnation: number, host: ProcessHost): Process {
    const { tasks } = host.environment;
    const body = tasks === undefined ? this.#body : tasks.wrap(this.#body);
    return new TaskProcess(body, settings, incarnation, host);
  }
}
