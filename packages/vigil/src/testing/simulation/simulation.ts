import { Runtime } from '../../app/index.js';
import { invalidOption, isVigilError, type Logger, type Message, type Random, SeededRandom } from '../../core/index.js';
import type { ProcessBody, ProcessContext } from '../../processes/index.js';
import { Choices } from './choices.js';
import { Scheduler } from './scheduler.js';
import { SimulatedClock } from './simulated-clock.js';

/** What may go wrong with a task, by chance, and how often in the whole simulation. */
export interface TaskFaults {
  /** It crashes, at any moment of its life; default 0. */
  readonly crashes?: number;
  /** It does not listen when it is asked to stop, so that it is killed at the end of its grace period; default 0. */
  readonly deafStops?: number;
}

export interface ChildFaults extends TaskFaults {
  /** It fails before it is ready, where readiness is explicit; default 0. */
  readonly failedStarts?: number;
}

const NO_FAULTS: TaskFaults = {};

const never = new Promise<never>(() => {});

/**
 * What a scenario runs in: a runtime whose time, chance and order of events are simulated.
 *
 * Every task of the runtime takes part, servers among them: it is entered, takes each message, learns that it is to stop and ends when the
 * scheduler picks that. So do the runtime's timers. The scenario itself, and what it reads from inboxes of its own, goes on at once: it has `reach` and
 * `deliver` to let something else come first.
 */
export class Simulation {
  readonly clock: SimulatedClock = new SimulatedClock();
  /** For the scenario's own decisions; apart from the chance that orders events, so that one does not change the other. */
  readonly random: Random;
  readonly runtime: Runtime;
  /** What happened so far, one line each. Equal seeds give equal traces. */
  readonly trace: string[] = [];
  /** @internal How much has happened. */
  points = 0;
  readonly #choices: Choices;
  readonly #scheduler: Scheduler;
  /** Bodies that `task` has made. */
  readonly #held = new WeakSet<(context: never) => unknown>();

  /** @internal */
  constructor(seed: number, choices?: readonly number[]) {
    this.random = new SeededRandom(seed + 2 ** 31);
    this.#choices = new Choices(seed, choices);
    this.#scheduler = new Scheduler(this.clock, this.#choices);
    const options = { clock: this.clock, random: new SeededRandom(seed + 2 ** 30), log: this.#log() };
    this.runtime = new Runtime(options, undefined, {
      wrap: (body) => (this.#held.has(body) ? async (context) => void (await body(context)) : this.#hold(body, NO_FAULTS)),
    });
  }

  /** @internal What the scheduler has decided so far. */
  get choices(): readonly number[] {
    return this.#choices.taken;
  }

  /** Adds a line to the trace. */
  note(text: string): void {
    this.trace.push(`${this.clock.now()} ${text}`);
  }

  /** A point of the scenario's own: resolves when the scheduler picks it. */
  reach(label: string): Promise<void> {
    return this.#scheduler.gate('delivery', label);
  }

  /** Sends when the scheduler picks it; two sends to one target can overtake each other, as those of two senders do. */
  async deliver(label: string, send: () => void): Promise<void> {
    await this.#scheduler.gate('delivery', label);
    send();
  }

  /** Something that may go wrong, once, at any time, or never. */
  fault(label: string, strike: () => void): () => boolean {
    return this.#scheduler.offer('fault', label, strike);
  }

  /** A body that goes wrong by chance. All its processes share the faults. */
  task<TMessage = unknown, TArgs = unknown>(
    body: ProcessBody<TMessage, TArgs>,
    faults: TaskFaults = NO_FAULTS,
  ): ProcessBody<TMessage, TArgs> {
    const held = this.#hold(body, faults);
    this.#held.add(held);
    return held;
  }

  #hold<C extends object>(body: (context: C) => unknown, faults: TaskFaults): (context: C) => Promise<void> {
    let crashesLeft = faults.crashes ?? 0;
    let deafStopsLeft = faults.deafStops ?? 0;
    return async (context) => {
      const process = checkContext(context);
      const who = `${process.id}#${process.incarnation}`;
      let cancelFault: (() => boolean) | undefined;
      const failed = new Promise<never>((_, reject) => {
        if (crashesLeft === 0) return;
        cancelFault = this.fault(`${who} crashes`, () => {
          crashesLeft -= 1;
          reject(new Error('injected fault'));
        });
      });
      const isDeaf = deafStopsLeft > 0 && this.random.next() < 0.5;
      if (isDeaf) deafStopsLeft -= 1;
      try {
        await Promise.race([this.#scheduler.gate('spawn', who), failed]);
        // Killed while it was held: the code of a task that was entered at once would have run, and could not have been killed.
        if (!process.self.isAlive()) return;
        this.note(`+${who}`);
        await Promise.race([body(this.#contextOf(context, process, who, isDeaf)), failed]);
        await Promise.race([this.#scheduler.gate('stop', `${who} ends`), failed]);
      } finally {
        cancelFault?.();
        this.note(`-${who}`);
      }
    };
  }

  /** @internal One step; false when nothing can happen any more. */
  async step(): Promise<boolean> {
    const points = await this.#scheduler.step();
    this.points += points.length;
    if (points.length > 0) this.note(points.map(({ kind, label }) => `${kind} ${label}`).join(' & '));
    return points.length > 0;
  }

  /** A child that does nothing: when it is ready, and when and how it ends, is up to the scheduler. */
  child(faults: ChildFaults = {}): ProcessBody {
    let failedStartsLeft = faults.failedStarts ?? 0;
    return this.task(async (context) => {
      await this.#scheduler.gate('spawn', `${context.id}#${context.incarnation} is ready`);
      if (failedStartsLeft > 0 && this.random.next() < 0.5) {
        failedStartsLeft -= 1;
        throw new Error('injected failure to start');
      }
      context.ready();
      await context.stopped;
    }, faults);
  }

  /** The context of a task, with a gate before everything that reaches it from outside. */
  #contextOf<C extends object>(context: C, process: ProcessContext, who: string, isDeaf: boolean): C {
    const stopped = () => (isDeaf ? never : process.stopped.then(() => this.#scheduler.gate('stop', who)));
    let controller: AbortController | undefined;
    const signal = () => {
      if (controller === undefined) {
        controller = new AbortController();
        const abort = () => controller?.abort(process.signal.reason);
        void stopped().then(abort);
      }
      return controller.signal;
    };
    const receive = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
      return async (...args: A): Promise<R> => {
        await this.#scheduler.gate('receive', who);
        try {
          return await call(...args);
        } catch (error) {
          if (isDeaf && isVigilError(error, 'InboxClosed')) return never;
          throw error;
        }
      };
    };
    const { inbox } = process;
    const recv = receive(inbox.recv.bind(inbox));
    const door = new Door(() => this.#scheduler.gate('receive', who));
    const gatedInbox = withOverrides(inbox, {
      recv: () => recv,
      tryRecv: () => () => door.pass(inbox.isClosed(), () => inbox.tryRecv()),
      recvTimeout: () => receive(inbox.recvTimeout.bind(inbox)),
      [Symbol.asyncIterator]: () => () => messagesOf(recv),
    });
    return withOverrides(context, { stopped, signal, inbox: () => gatedInbox });
  }

  #log(): Logger {
    const line = (level: string) => (message: string) => this.note(`${level}: ${message}`);
    return { debug() {}, info: line('info'), warn: line('warn'), error: line('error') };
  }
}

/** Lets one look through each time that the scheduler says so; until then there is nothing to be seen. */
class Door {
  readonly #gate: () => Promise<void>;
  #state: 'shut' | 'knocked' | 'open' = 'shut';

  constructor(gate: () => Promise<void>) {
    this.#gate = gate;
  }

  /** @param isOver - nothing more will come: that can be learned at once. */
  pass(isOver: boolean, look: () => Message | undefined): Message | undefined {
    if (this.#state === 'open' || isOver) {
      this.#state = 'shut';
      return look();
    }
    if (this.#state === 'shut') void this.#knock();
    return undefined;
  }

  async #knock(): Promise<void> {
    this.#state = 'knocked';
    await this.#gate();
    this.#state = 'open';
  }
}

function checkContext(context: object): ProcessContext {
  if (isContext(context)) return context;
  throw invalidOption('context', 'the context that a process body gets', context);
}

function isContext(context: object): context is ProcessContext {
  return 'inbox' in context && 'stopped' in context;
}

async function* messagesOf<M>(recv: () => Promise<M>): AsyncGenerator<M> {
  try {
    for (;;) yield await recv();
  } catch (error) {
    if (!isVigilError(error, 'InboxClosed')) throw error;
  }
}

/** `target` with some of its properties replaced; its methods still run on itself, private fields and all. */
function withOverrides<T extends object>(target: T, overrides: Partial<Record<PropertyKey, () => unknown>>): T {
  return new Proxy(target, {
    get(_, property) {
      const override = overrides[property];
      if (override !== undefined) return override();
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
