import type { Choices } from './choices.suite.js';
import type { Observation, SeenEvent } from './observation.suite.js';
import { type ModelChild, ModelSupervisor, type ModelWorld, NOTHING, type Steps, type Timer, type Wait } from './otp-supervisor.suite.js';
import { END_TEXTS, type Health, type Stimulus, type Turn } from './stimulus.suite.js';
import type { SupervisorSpec } from './tree.suite.js';

/** Which supervisors go first when several could. */
type Precedence = 'those above' | 'those below' | 'each in its turn' | 'any';

/** Most often one of a few orderly ways explains what was seen; any order is a wide field to search. */
export const ORDERLY: readonly Precedence[] = ['those above', 'those below', 'each in its turn'];
export const ANY: readonly Precedence[] = ['any'];

/** The model does what was not seen: these choices are wrong. */
export class Unseen extends Error {}

const UNSEEN = new Unseen();

/** A tree of model supervisors: all of them run until each waits for something that only the outside can bring. */
export class OtpModel implements ModelWorld {
  nowMs = 0;
  /** The latest supervisor at each path. */
  readonly supervisors: Map<string, ModelSupervisor> = new Map();
  /** Workers that are alive. */
  readonly workers: Map<string, ModelChild> = new Map();
  readonly sabotage: Map<string, number> = new Map();
  readonly health: Map<string, Health> = new Map();
  readonly timers: Set<Timer> = new Set();
  readonly #root: ModelSupervisor;
  readonly #precedences: readonly Precedence[];
  readonly #agents: { readonly steps: Steps; wait: Wait }[] = [];
  /** Who goes first in this turn when several supervisors could; chosen when that happens. */
  #precedence: Precedence | undefined;
  #turns = 0;
  #calls = 0;
  #events: SeenEvent[] = [];
  #answers: string[] = [];
  /** What the present turn has still to show, by supervisor, and to answer. */
  #toSee: Map<string, SeenEvent[]> | undefined;
  #toAnswer: readonly string[] | undefined;

  /** @param precedences - from which it chooses who goes first. */
  constructor(tree: SupervisorSpec, precedences: readonly Precedence[] = ORDERLY) {
    this.#precedences = precedences;
    this.#root = new ModelSupervisor(tree, 'root', this);
  }

  /**
   * What happens in one turn. Its stimuli are messages to processes that run at the same time, so the next one may arrive after any
   * number of steps: that is a choice. So is who goes first when several supervisors have something to do: those above, those below,
   * each in its turn, or any order; and which of two timers with one deadline fires first.
   *
   * @param seen - what was seen: choices that lead elsewhere are given up at once.
   * @throws {Unseen}
   */
  apply(turn: Turn, choices: Choices, seen?: Observation): void {
    this.#precedence = undefined;
    this.#toSee = seen && bySupervisor(seen.events);
    this.#toAnswer = seen?.answers;
    turn.forEach((stimulus, index) => {
      if (index > 0) while (this.#canStep() && choices.choose(2) === 1) this.#step(choices);
      this.#happen(stimulus, choices);
    });
    while (this.#canStep()) this.#step(choices);
  }

  /** Whether in the last turn two supervisors had something to do at the same time. */
  get wasConcurrent(): boolean {
    return this.#precedence !== undefined;
  }

  observe(): Observation {
    const deadlines = Array.from(this.timers, ({ dueMs }) => dueMs).toSorted((a, b) => a - b);
    const observation = { events: this.#events, answers: this.#answers, tree: this.#root.text(), deadlines };
    this.#events = [];
    this.#answers = [];
    return observation;
  }

  run(steps: Steps): void {
    this.#agents.push({ steps, wait: NOTHING });
  }

  see(supervisor: string, text: string): void {
    this.#events.push({ supervisor, text });
    if (this.#toSee !== undefined && this.#toSee.get(supervisor)?.shift()?.text !== text) throw UNSEEN;
  }

  answer(call: number, text: string): void {
    const answer = `${call}: ${text}`;
    this.#answers.push(answer);
    if (this.#toAnswer?.includes(answer) === false) throw UNSEEN;
  }

  after(ms: number, fire: () => void): Timer {
    const timer = { dueMs: this.nowMs + ms, fire };
    this.timers.add(timer);
    return timer;
  }

  #canStep(): boolean {
    return this.#agents.some(({ wait }) => wait());
  }

  #step(choices: Choices): void {
    const ready = this.#agents.filter(({ wait }) => wait());
    this.#turns += 1;
    const agent = ready[this.#nextOf(ready.length, choices)];
    if (agent === undefined) return;
    const { value, done } = agent.steps.next();
    agent.wait = done === true ? () => false : value;
  }

  #nextOf(count: number, choices: Choices): number {
    if (count === 1) return 0;
    this.#precedence ??= this.#precedences[choices.choose(this.#precedences.length)] ?? 'any';
    switch (this.#precedence) {
      case 'those above':
        return 0;
      case 'those below':
        return count - 1;
      case 'each in its turn':
        return this.#turns % count;
      case 'any':
        return choices.choose(count);
    }
  }

  #happen(stimulus: Stimulus, choices: Choices): void {
    switch (stimulus.do) {
      case 'ready':
        return this.#withWorker(stimulus.path, (child) => child.owner.childReady(child));
      case 'decline':
        return this.#withWorker(stimulus.path, (child) => child.owner.childDeclined(child));
      case 'end':
        return this.#withWorker(stimulus.path, (child) => child.owner.workerEnds(child, END_TEXTS[stimulus.as]));
      case 'call': {
        const number = this.#calls;
        this.#calls += 1;
        this.supervisors.get(stimulus.path)?.call(stimulus.call, number);
        return;
      }
      case 'sabotage':
        this.sabotage.set(stimulus.path, stimulus.starts);
        return;
      case 'health':
        this.health.set(stimulus.path, stimulus.is);
        return;
      case 'timer': {
        const dueMs = Math.min(...Array.from(this.timers, (timer) => timer.dueMs));
        const due = [...this.timers].filter((timer) => timer.dueMs === dueMs);
        const timer = due[choices.choose(due.length)];
        if (timer === undefined) return;
        this.timers.delete(timer);
        this.nowMs = Math.max(this.nowMs, dueMs);
        timer.fire();
        return;
      }
      case 'pass':
        this.nowMs += stimulus.ms;
    }
  }

  #withWorker(path: string, act: (child: ModelChild) => void): void {
    const child = this.workers.get(path);
    if (child !== undefined) act(child);
  }
}
function bySupervisor(events: readonly SeenEvent[]): Map<string, SeenEvent[]> {
  const groups = new Map<string, SeenEvent[]>();
  for (const event of events) groups.set(event.supervisor, [...(groups.get(event.supervisor) ?? []), event]);
  return groups;
}
