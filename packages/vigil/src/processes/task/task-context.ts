import { type Clock, type Environment, type Inbox, invalidOption, type Logger, type Sender, type Signal } from '../../core/index.js';
import type { ProcessContext } from '../process-context.js';
import type { ProcessTimer } from '../process-timer.js';
import type { ExitSignal, Monitor, ProcessHost, ProcessRef, ProcessSettings } from '../runner.js';

/** What a context needs of its task. */
export interface ContextSource<TMessage, TArgs> {
  readonly settings: ProcessSettings<TArgs>;
  readonly incarnation: number;
  readonly host: ProcessHost;
  readonly self: ProcessRef<TMessage>;
  readonly inbox: Inbox<TMessage>;
  readonly signal: AbortSignal;
  readonly stopped: Promise<void>;
  readonly timer: ProcessTimer;
  ready(): void;
  ignore(): void;
  resumed(): Promise<void>;
  monitor(target: ProcessRef | string): Monitor;
  link(target: ProcessRef): void;
  unlink(target: ProcessRef): boolean;
  trapExits(handler: (signal: ExitSignal) => void): void;
  onSignal(signal: Signal, handler: () => void): void;
  register(name: string, value?: unknown): void;
  unregister(name: string): boolean;
}

/** The half of a task that its own body gets. */
export class TaskContext<TMessage, TArgs> implements ProcessContext<TMessage, TArgs> {
  readonly #process: ContextSource<TMessage, TArgs>;

  constructor(process: ContextSource<TMessage, TArgs>) {
    this.#process = process;
  }

  /** @internal What its runtime lends. */
  get environment(): Environment {
    return this.#process.host.environment;
  }

  /** @internal */
  get supervisor(): string {
    return this.#process.host.path;
  }

  get id(): string {
    return this.#process.settings.id;
  }

  get incarnation(): number {
    return this.#process.incarnation;
  }

  get args(): TArgs {
    return this.#process.settings.args;
  }

  get self(): ProcessRef<TMessage> {
    return this.#process.self;
  }

  get inbox(): Inbox<TMessage> {
    return this.#process.inbox;
  }

  get signal(): AbortSignal {
    return this.#process.signal;
  }

  get stopped(): Promise<void> {
    return this.#process.stopped;
  }

  get log(): Logger {
    return this.#process.host.environment.log;
  }

  get clock(): Clock {
    return this.#process.host.environment.clock;
  }

  get timer(): ProcessTimer {
    return this.#process.timer;
  }

  ready(): void {
    this.#process.ready();
  }

  ignore(): void {
    this.#process.ignore();
  }

  resumed(): Promise<void> {
    return this.#process.resumed();
  }

  monitor(target: ProcessRef | string): Monitor {
    return this.#process.monitor(target);
  }

  link(target: ProcessRef): void {
    this.#process.link(target);
  }

  unlink(target: ProcessRef): boolean {
    return this.#process.unlink(target);
  }

  onExit(handler: (signal: ExitSignal) => void): void {
    this.#process.trapExits(handler);
  }

  onSignal(signal: Signal, handler: () => void): void {
    this.#process.onSignal(signal, handler);
  }

  whereis(name: string): Sender | undefined {
    return this.#process.host.environment.names.whereis(name);
  }

  register(name: string, value?: unknown): void {
    this.#process.register(name, value);
  }

  unregister(name: string): boolean {
    return this.#process.unregister(name);
  }
}

/** What its runtime lends to the process that a context belongs to. */
export function environmentOf(context: object): Environment {
  return taskContext(context).environment;
}

/** The supervisor's name with its ancestors'. */
export function supervisorOf(context: object): string {
  return taskContext(context).supervisor;
}

function taskContext(context: object): Pick<TaskContext<unknown, unknown>, 'environment' | 'supervisor'> {
  if (context instanceof TaskContext) return context;
  throw invalidOption('context', 'the context that a process body gets', context);
}
