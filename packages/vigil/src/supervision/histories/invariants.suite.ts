import type { ExitReason, ProcessFacts, VigilError } from '../../core/index.js';
import type { SimulatedClock } from '../../testing/simulation/index.js';
import type { SupervisorInfo, SupervisorState } from '../supervision-tree.js';
import { reasonText } from './stimulus.suite.js';

/** What the invariants look at in a worker. */
interface Worker {
  readonly path: string;
  readonly name: string;
  readonly incarnation: number;
  readonly host: { readonly path: string };
  readonly isReady: boolean;
  readonly isAsked: boolean;
}

interface Remains {
  readonly alive: readonly Worker[];
  readonly pendingCalls: number;
  readonly namesOf: (path: string) => unknown;
}

interface Inspected {
  readonly state: SupervisorState;
  inspect(): SupervisorInfo;
}

/**
 * What holds in every history, whatever the model says: never two incarnations of a child, no start by a supervisor that stops or
 * before the last stop of its children is done, stops in reverse order and one at a time, a budget that is neither overdrawn nor left unused, an explanation
 * for every end, and nothing left behind.
 */
export class Invariants {
  readonly violations: string[] = [];
  /** Whether the supervisor at a path is dynamic, and stops its children at once. */
  readonly isDynamic: Map<string, boolean> = new Map();
  readonly #clock: SimulatedClock;
  readonly #supervisorAt: (path: string) => Inspected | undefined;
  /** When the supervisor at a path restarted which child, since its start. */
  readonly #restarts = new Map<string, { readonly id: string; readonly atMs: number }[]>();
  /** What workers ended with that had been ready, by path and incarnation; taken out once it is reported. */
  readonly #unexplained = new Map<string, string>();
  readonly #paths = new Set<string>();

  constructor(clock: SimulatedClock, supervisorAt: (path: string) => Inspected | undefined) {
    this.#clock = clock;
    this.#supervisorAt = supervisorAt;
  }

  supervisorStarts(path: string): void {
    this.#restarts.set(path, []);
    this.#mayStart(path);
  }

  starts(worker: Worker, alive: readonly Worker[]): void {
    this.#paths.add(worker.path);
    this.#mayStart(worker.path);
    for (const other of alive) {
      if (other.path === worker.path) this.#violated(`${worker.name} starts while ${other.name} is alive`);
      if (other.host.path === worker.host.path && other.isAsked)
        this.#violated(`${worker.name} starts while ${other.name} is still stopping`);
    }
  }

  isAsked(worker: Worker, alive: readonly Worker[]): void {
    const { path } = worker.host;
    const supervisor = this.#supervisorAt(path);
    if (this.isDynamic.get(path) === true || supervisor === undefined || !worker.isReady) return;
    const siblings = alive.filter((other) => other !== worker && other.host.path === path);
    for (const { name } of siblings.filter(({ isAsked }) => isAsked))
      this.#violated(`${worker.name} is asked to stop while ${name} still stops`);
    if (supervisor.state !== 'stopping') return;
    const order = supervisor.inspect().children.map(({ id }) => `${path}/${id}`);
    const isLater = (other: Worker) => order.indexOf(other.path) > order.indexOf(worker.path);
    for (const { name } of siblings.filter(isLater)) this.#violated(`${worker.name} is asked to stop before ${name}, which started later`);
  }

  ended(worker: Worker, reason: ExitReason): void {
    if (worker.isReady) this.#unexplained.set(`${worker.path}#${worker.incarnation}`, reasonText(reason));
  }

  reported({ supervisor, id, incarnation }: ProcessFacts, reason: ExitReason): void {
    const who = `${supervisor}/${id}#${incarnation}`;
    const ended = this.#unexplained.get(who);
    if (ended === undefined) return;
    this.#unexplained.delete(who);
    if (ended !== reasonText(reason)) this.#violated(`${who} ended with ${ended}, but ${reasonText(reason)} was reported`);
  }

  restarts(path: string, id: string): void {
    this.#restarts.get(path)?.push({ id, atMs: this.#clock.now() });
    const info = this.#supervisorAt(path)?.inspect();
    if (info === undefined) return;
    const counted = this.#countIn(path, info.maxSeconds * 1000);
    if (counted > info.maxRestarts) this.#violated(`${path} restarted ${counted} times where ${info.maxRestarts} are allowed`);
  }

  givesUp(path: string, error: VigilError): void {
    const { id, maxRestarts, maxSeconds } = error.details ?? {};
    // The message quotes that of a supervisor below before it comes to its own.
    const isOwn = error.message.lastIndexOf('and its own budget') > error.message.lastIndexOf('and the budget');
    const counted = this.#countIn(path, Number(maxSeconds) * 1000, isOwn ? String(id) : undefined);
    // A child that was deleted and added again has a new budget of its own.
    if (isOwn ? counted < Number(maxRestarts) : counted !== maxRestarts) {
      this.#violated(`${path} gives up after ${counted} restarts in its window instead of ${String(maxRestarts)}`);
    }
  }

  checkRest({ alive, pendingCalls, namesOf }: Remains): void {
    for (const { name } of alive) this.#violated(`${name} is still alive after the end`);
    if (pendingCalls > 0) this.#violated(`${pendingCalls} calls were never answered`);
    if (this.#clock.deadlines.length > 0) this.#violated(`timers are left: ${this.#clock.deadlines.join(', ')}`);
    if (this.#clock.holds > 0) this.#violated('Node is still kept alive');
    for (const path of this.#paths) if (namesOf(path) !== undefined) this.#violated(`the name ${path} is still taken`);
    for (const [who, reason] of this.#unexplained) this.#violated(`nobody was told that ${who} ended with ${reason}`);
  }

  #mayStart(path: string): void {
    const parentPath = path.slice(0, path.lastIndexOf('/'));
    const state = this.#supervisorAt(parentPath)?.state;
    if (state === 'stopping' || state === 'stopped') this.#violated(`${path} starts while ${parentPath} is ${state}`);
  }

  #countIn(path: string, periodMs: number, id?: string): number {
    const nowMs = this.#clock.now();
    return (this.#restarts.get(path) ?? []).filter((restart) => nowMs - restart.atMs <= periodMs && (id === undefined || restart.id === id))
      .length;
  }

  #violated(text: string): void {
    this.violations.push(text);
  }
}
