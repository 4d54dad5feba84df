import type { ExitReason, ProcessFacts } from '../../core/index.js';
import type { ProcessRef } from '../../processes/index.js';
import type { SupervisorInfo, SupervisorState } from '../supervision-tree.js';
import type { WatchedProcess } from './real-process.suite.js';
import { reasonText } from './stimulus.suite.js';

interface Inspected {
  readonly state: SupervisorState;
  inspect(): SupervisorInfo;
}

/** What holds whatever the model says, however threads and processes race: `Invariants` of the simulation, as far as time is no part of it. */
export class RealInvariants {
  readonly violations: string[] = [];
  readonly alive: Set<WatchedProcess> = new Set();
  readonly #supervisorAt: (path: string) => Inspected | undefined;
  readonly #isDynamic: (path: string) => boolean;
  readonly #dead: ProcessRef[] = [];
  /** What workers ended with that had been ready, by path and incarnation; taken out once it is reported. */
  readonly #unexplained = new Map<string, string>();

  constructor(supervisorAt: (path: string) => Inspected | undefined, isDynamic: (path: string) => boolean) {
    this.#supervisorAt = supervisorAt;
    this.#isDynamic = isDynamic;
  }

  starts(worker: WatchedProcess): void {
    const state = this.#supervisorAt(worker.path)?.state;
    if (state === 'stopping' || state === 'stopped') this.violated(`${worker.name} starts while ${worker.path} is ${state}`);
    for (const other of this.#siblingsOf(worker)) {
      if (other.ownPath === worker.ownPath) this.violated(`${worker.name} starts while ${other.name} is alive`);
      if (other.isAsked) this.violated(`${worker.name} starts while ${other.name} is still stopping`);
    }
    this.alive.add(worker);
  }

  isAsked(worker: WatchedProcess): void {
    const { path } = worker;
    const supervisor = this.#supervisorAt(path);
    if (this.#isDynamic(path) || supervisor === undefined || !worker.isReady) return;
    const siblings = this.#siblingsOf(worker);
    for (const { name, isAsked } of siblings) if (isAsked) this.violated(`${worker.name} is asked to stop while ${name} still stops`);
    if (supervisor.state !== 'stopping') return;
    const order = supervisor.inspect().children.map(({ id }) => `${path}/${id}`);
    for (const { name, ownPath } of siblings) {
      if (order.indexOf(ownPath) > order.indexOf(worker.ownPath))
        this.violated(`${worker.name} is asked to stop before ${name}, which started later`);
    }
  }

  ended(worker: WatchedProcess, reason: ExitReason): void {
    const { ref } = worker;
    if (!this.alive.delete(worker)) this.violated(`${worker.name} ends without being alive`);
    if (ref.isAlive()) this.violated(`${worker.name} has ended and says that it is alive`);
    if (worker.isReady) this.#unexplained.set(`${worker.ownPath}#${worker.incarnation}`, reasonText(reason));
    this.#dead.push(ref);
  }

  reported({ supervisor, id, incarnation }: ProcessFacts, reason: ExitReason): void {
    const who = `${supervisor}/${id}#${incarnation}`;
    const ended = this.#unexplained.get(who);
    if (ended === undefined) return;
    this.#unexplained.delete(who);
    if (ended !== reasonText(reason)) this.violated(`${who} ended with ${ended}, but ${reasonText(reason)} was reported`);
  }

  /** When nothing more happens. */
  checkRest(): void {
    for (const { id, incarnation } of this.#dead.filter((ref) => ref.isAlive()))
      this.violated(`the dead ${id}#${incarnation} is alive again`);
    for (const worker of this.alive) {
      if (!worker.ref.isAlive()) this.violated(`${worker.name} has not ended, and is not alive`);
      const row = this.#supervisorAt(worker.path)
        ?.inspect()
        .children.find(({ id }) => id === worker.spec.id);
      if (row?.ref !== worker.ref) this.violated(`${worker.name} is alive and not in the tree`);
    }
    for (const [who, reason] of this.#unexplained) this.violated(`nobody was told that ${who} ended with ${reason}`);
  }

  violated(text: string): void {
    this.violations.push(text);
  }

  #siblingsOf(worker: WatchedProcess): WatchedProcess[] {
    return [...this.alive].filter((other) => other !== worker && other.path === worker.path);
  }
}
