import { type Runtime, runtime } from '../../app/index.js';
import { isVigilError, type Logger, type Random, SeededRandom } from '../../core/index.js';
import type { ProcessBody, ProcessContext } from '../../processes/index.js';
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

const never = new Promise<never>(() => {});

/** What a scenario runs in: a runtime whose time, chance and order of events are simulated. */
export class Simulation {
  readonly clock: SimulatedClock = new SimulatedClock();
  /** For the scenario's own decisions; apart from the chance that orders events, so that one does not change the other. */
  readonly random: Random;
  readonly runtime: Runtime;
  /** What happened so far, one line each. Equal seeds give equal traces. */
  readonly trace: string[] = [];
  readonly #scheduler: Scheduler;

  constructor(seed: number) {
    this.random = new SeededRandom(seed + 2 ** 31);
    this.#scheduler = new Scheduler(this.clock, new SeededRandom(seed));
    this.runtime = runtime({ clock: this.clock, random: new SeededRandom(seed + 2 ** 30), log: this.#log() });
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

  /** A body as the simulation runs it: it is entered, learns that it is to stop, takes messages and ends when the scheduler picks that. */
  task<TMessage = unknown, TArgs = unknown>(body: ProcessBody<TMessage, TArgs>, faults: TaskFaults = {}): ProcessBody<TMessage, TArgs> {
    let crashesLeft = faults.crashes ?? 0;
    let deafStopsLeft = faults.deafStops ?? 0;
    return async (context) => {
      const who = `${context.id}#${context.incarnation}`;
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
        this.note(`+${who}`);
        await Promise.race([body(this.#contextOf(context, who, isDeaf)), failed]);
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
  #contextOf<TMessage, TArgs>(context: ProcessContext<TMessage, TArgs>, who: string, isDeaf: boolean): ProcessContext<TMessage, TArgs> {
    const stopped = () => (isDeaf ? never : context.stopped.then(() => this.#scheduler.gate('stop', who)));
    let controller: AbortController | undefined;
    const signal = () => {
      if (controller === undefined) {
        controller = new AbortController();
        const abort = () => controller?.abort(context.signal.reason);
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
    const { inbox } = context;
    const recv = receive(inbox.recv.bind(inbox));
    const gatedInbox = withOverrides(inbox, {
      recv: () => recv,
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
