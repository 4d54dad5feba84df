import { Choices } from './choices.suite.js';
import { ANY, ORDERLY, OtpModel, Unseen } from './otp-model.suite.js';
import { type ModelChild, ModelSupervisor, type Timer } from './otp-supervisor.suite.js';
import type { SeenEvent } from './observation.suite.js';
import { type ChildShot, type Given, type RealObservation, shotText, type TreeShot } from './real-observation.suite.js';
import { type Deed, DEED_TEXTS, failureText, type RealWorkerSpec } from './real-tree.suite.js';

/** Ways to choose that are tried for one turn. */
const MOST_TRIES = 3000;

/** Timers that fire in a history; the others are there for what never happens. */
const SOON_MS = 1000;

/** Something that can happen next, and how many events had been seen when it really did. */
interface Possibility {
  readonly at: number;
  readonly happen: (choices: Choices) => void;
}

/** What the model does instead of what was seen; `undefined` when some choices of it explain everything. */
export function explainTurn(before: TreeShot, seen: RealObservation): string | undefined {
  const misfit = search(before, seen);
  return misfit !== undefined && hasSlowKill(seen) ? undefined : misfit;
}

function search(before: TreeShot, seen: RealObservation): string | undefined {
  let closest: Misfit | undefined;
  for (const precedences of [ORDERLY, ANY]) {
    let given: number[] | undefined = [];
    for (let tries = 0; given !== undefined && tries < MOST_TRIES; tries += 1) {
      const choices: Choices = new Choices(given);
      const misfit = new RealModel(before, seen, precedences).follow(choices);
      if (misfit === undefined) return undefined;
      if (closest === undefined || misfit.matched > closest.matched) closest = misfit;
      given = choices.next();
    }
  }
  return closest?.text;
}

/**
 * Whether something came between the killing of a worker and its end, or the worker was quicker than that. The model knows no such
 * time: what is true then is left to the invariants.
 */
function hasSlowKill({ events, given }: RealObservation): boolean {
  return events.some(({ supervisor, text }, killedAt) => {
    if (!text.startsWith('!')) return false;
    const name = text.slice(1);
    const isOf = (event: SeenEvent, start: string) => event.supervisor === supervisor && event.text.startsWith(start);
    // After a restart of its supervisor there can be another one of this name.
    const endedAt = events.findIndex((event, index) => index > killedAt && isOf(event, `-${name}(`));
    const between = events.slice(killedAt + 1, endedAt);
    const isKilled = /\((killed|crashed\(OperationTimeout\))\)$/.test(events[endedAt]?.text ?? '');
    const isInterrupted = given.some(({ at }) => at > killedAt && at <= endedAt) || between.some((event) => !isPartOfKilling(event));
    return isInterrupted || !isKilled;
  });
}

function isPartOfKilling({ text }: SeenEvent): boolean {
  return text.startsWith('!') || text.endsWith('(killed)');
}

/** How far the model came with some choices, and what kept it from going on. */
interface Misfit {
  readonly matched: number;
  readonly text: string;
}

/** The model of OTP, set out from how a tree was seen at rest, held against one turn of it. */
class RealModel extends OtpModel {
  readonly #seen: RealObservation;
  readonly #given: Given[];
  /** Indexes of the events that the model has not done yet: what supervisors do, in order; how workers end and get ready, in any. */
  readonly #acts = new Map<string, number[]>();
  readonly #news = new Map<string, number[]>();
  readonly #answersLeft: string[];
  /** What workers may end with because of what they were made to do, by path and incarnation. */
  readonly #dooms = new Map<string, string[]>();
  readonly #wereReady = new Set<string>();
  #calls = 0;
  #matched = 0;
  #misfit = '';

  constructor(before: TreeShot, seen: RealObservation, precedences: typeof ORDERLY) {
    super(before.spec, precedences);
    this.#seen = seen;
    this.#given = [...seen.given];
    this.#answersLeft = seen.answers.map(withoutPhase);
    seen.events.forEach(({ supervisor, text }, index) => {
      const isNews = /^[-=!]/.test(text);
      const key = isNews ? `${supervisor} ${text}` : supervisor;
      const list = isNews ? this.#news : this.#acts;
      list.set(key, [...(list.get(key) ?? []), index]);
    });
    const root = this.supervisors.get('root');
    if (root !== undefined) this.#adopt(root, before);
  }

  follow(choices: Choices): Misfit | undefined {
    try {
      for (let next = this.#possibilities(); next.length > 0; next = this.#possibilities()) {
        next[choices.choose(next.length)]?.happen(choices);
        // Supervisors need not have got to their next step when the next thing happens.
        for (let soon = this.#beforeNextAct(); soon !== undefined && choices.choose(2) === 0; soon = this.#beforeNextAct())
          soon.happen(choices);
        this.apply([], choices);
      }
    } catch (error) {
      if (!(error instanceof Unseen)) throw error;
      return { matched: this.#matched, text: this.#misfit };
    }
    const left = this.#whatIsLeft();
    return left === undefined ? undefined : { matched: this.#matched, text: left };
  }

  override see(supervisor: string, text: string): void {
    const isNews = /^[-!]/.test(text);
    const list = isNews ? this.#news.get(`${supervisor} ${text}`) : this.#acts.get(supervisor);
    const index = list?.[0];
    const seen = index === undefined ? undefined : this.#seen.events[index];
    // A worker that was ending by itself may have been quicker than the request to stop.
    if (seen?.text !== text && text.startsWith('?') && this.#endsByItself(supervisor, text.slice(1))) return;
    if (seen?.text !== text) this.#fail(`the model does "${supervisor}: ${text}", seen was "${seen?.text ?? 'nothing more'}"`);
    list?.shift();
    this.#matched += 1;
  }

  /** Whether it is still to be seen that a worker does what it was told to end with. */
  #endsByItself(supervisor: string, name: string): boolean {
    const dooms = this.#dooms.get(`${supervisor}/${name}`) ?? [];
    return dooms.some((end) => this.#news.get(`${supervisor} -${name}(${end})`)?.[0] !== undefined);
  }

  override answer(call: number, text: string): void {
    const answer = withoutPhase(`${call}: ${text}`);
    const index = this.#answersLeft.indexOf(answer);
    if (index < 0) this.#fail(`the model answers "${answer}", seen were ${this.#answersLeft.join('; ') || 'no more'}`);
    this.#answersLeft.splice(index, 1);
    this.#matched += 1;
  }

  #fail(text: string): never {
    this.#misfit = text;
    throw new Unseen();
  }

  #whatIsLeft(): string | undefined {
    // A process that was ending by itself may have been killed for nothing.
    const isHarmless = (index: number) => /^[=!]/.test(this.#seen.events[index]?.text ?? '');
    const left = [...this.#acts.values(), ...this.#news.values()].flat().filter((index) => !isHarmless(index));
    if (left.length > 0) return `the model does not do ${left.map((index) => this.#eventText(index)).join('; ')}`;
    if (this.#answersLeft.length > 0) return `the model does not answer ${this.#answersLeft.join('; ')}`;
    const { tree } = this.observe();
    const seen = shotText(this.#seen.tree);
    return tree === seen ? undefined : `tree seen:\n${seen}\ntree expected:\n${tree}`;
  }

  #eventText(index: number): string {
    const { supervisor, text } = this.#seen.events[index] ?? { supervisor: '', text: '' };
    return `"${supervisor}: ${text}"`;
  }

  // ── What can happen next ────────────────────────────────────────────────────────────────────────────────────────────

  /** What really happened first comes first, so that the first choice of all is nearly always right. */
  #possibilities(): Possibility[] {
    const workers = [...this.workers.values()].flatMap((child) => this.#possibilitiesOf(child));
    const timers = [...this.timers].filter(({ dueMs }) => dueMs - this.nowMs < SOON_MS).map((timer) => this.#firing(timer));
    return [...this.#nextGiven(), ...workers, ...timers].toSorted((a, b) => a.at - b.at);
  }

  /** What was seen before any supervisor did the next thing that the model has not done yet. */
  #beforeNextAct(): Possibility | undefined {
    const [next] = this.#possibilities();
    const act = Math.min(...Array.from(this.#acts.values(), ([index = Number.POSITIVE_INFINITY]) => index));
    return next !== undefined && next.at < act ? next : undefined;
  }

  #nextGiven(): Possibility[] {
    const [next] = this.#given;
    if (next === undefined) return [];
    const together = this.#given.filter(({ instant }) => instant === next.instant);
    return [{ at: next.at, happen: (choices) => this.#give(together, choices) }];
  }

  #give(together: readonly Given[], choices: Choices): void {
    const stimuli = together.map(({ stimulus }) => stimulus);
    this.#given.splice(0, together.length);
    for (const stimulus of stimuli) if (stimulus.do === 'deed') this.#doom(stimulus.path, stimulus.deed);
    const calls = stimuli.filter((stimulus) => stimulus.do === 'call');
    for (const { path, call } of calls) {
      const number = this.#calls;
      this.#calls += 1;
      // One that is no more, and was not set out with.
      if (!this.supervisors.has(path)) this.answer(number, isEnd(call.name) ? 'ok' : 'InvalidState(stopped)');
    }
    this.apply(calls, choices);
  }

  #doom(path: string, deed: Deed): void {
    const child = this.workers.get(path);
    if (child === undefined) return;
    const name = this.#nameOf(child);
    this.#dooms.set(name, [...(this.#dooms.get(name) ?? []), DEED_TEXTS[deed]]);
  }

  #possibilitiesOf(child: ModelChild): Possibility[] {
    const { owner, spec, incarnation } = child;
    const name = `${spec.id}#${incarnation}`;
    const when = (text: string, happen: () => void): Possibility[] => {
      const at = this.#news.get(`${owner.path} ${text}`)?.[0];
      return at === undefined ? [] : [{ at, happen }];
    };
    const ends = this.#endsOf(child).flatMap((text) => when(`-${name}(${text})`, () => owner.workerEnds(child, text)));
    if (child.state !== 'starting') return ends;
    return [
      ...ends,
      ...when(`=${name}`, () => {
        this.#news.get(`${owner.path} =${name}`)?.shift();
        this.#wereReady.add(this.#nameOf(child));
        owner.childReady(child);
      }),
      ...(this.#declines(child) ? when(`-${name}(normal)`, () => owner.childDeclined(child)) : []),
    ];
  }

  /** The reasons with which a worker can end of its own accord as things are. */
  #endsOf(child: ModelChild): string[] {
    const spec = this.#specOf(child);
    const { failsAt, isExplicit, onStop } = spec.manners;
    const wasReady = !spec.isExplicit || this.#wereReady.has(this.#nameOf(child));
    const failure = failsAt.includes(child.incarnation) && (isExplicit ? !wasReady : true) ? [failureText(spec)] : [];
    const ends = [...(this.#dooms.get(this.#nameOf(child)) ?? []), ...failure];
    if (child.state !== 'stopping') return ends;
    // Until a program has said how it takes its stop signal, it takes it as programs do.
    const hears = onStop === 'returns' || !wasReady || spec.runsAs === 'command';
    if (hears) ends.push('shutdown');
    if (onStop === 'throws') ends.push(failureText(spec));
    if (this.#declines(child)) ends.push('normal');
    return [...new Set(ends)];
  }

  #declines(child: ModelChild): boolean {
    return this.#specOf(child).manners.declinesAt.includes(child.incarnation);
  }

  #firing(timer: Timer): Possibility {
    const happen = () => {
      this.timers.delete(timer);
      this.nowMs = Math.max(this.nowMs, timer.dueMs);
      timer.fire();
    };
    return { at: Number.POSITIVE_INFINITY, happen };
  }

  #nameOf({ owner, spec, incarnation }: ModelChild): string {
    return `${owner.path}/${spec.id}#${incarnation}`;
  }

  /** What really runs as a worker of the model, which keeps the spec that it was given, or makes a copy of it under another id. */
  #specOf({ spec, owner }: ModelChild): RealWorkerSpec {
    if (isReal(spec)) return spec;
    throw new Error(`${owner.path}/${spec.id} is no worker of a real tree`);
  }

  // ── Where it starts ─────────────────────────────────────────────────────────────────────────────────────────────────

  #adopt(supervisor: ModelSupervisor, shot: TreeShot): void {
    supervisor.state = shot.state;
    supervisor.totalRestarts = shot.totalRestarts;
    supervisor.restartsAtMs = zeros(shot.spec.maxRestarts - shot.restartsLeft);
    supervisor.started = shot.started;
    supervisor.children = shot.children.map((child) => this.#adoptChild(supervisor, child));
  }

  #adoptChild(owner: ModelSupervisor, shot: ChildShot): ModelChild {
    const { spec, state, incarnation, restartCount, lastExit, lastReady, ownRestarts, below } = shot;
    const path = `${owner.path}/${spec.id}`;
    const child: ModelChild = {
      spec,
      healthPath: path,
      owner,
      state: state === 'running' || state === 'suspended' ? state : 'stopped',
      incarnation,
      restartCount,
      lastExit,
      outcome: 'up',
      below: undefined,
      timer: undefined,
      restartsAtMs: zeros(ownRestarts),
      restartsInARow: 0,
      lastUp: lastReady,
      waiting: undefined,
      sinceMs: 0,
      epoch: 0,
    };
    if (below !== undefined) {
      child.below = new ModelSupervisor(below.spec, path, this, child);
      this.#adopt(child.below, below);
    } else if (child.state !== 'stopped' && spec.kind === 'worker') {
      this.workers.set(path, child);
      this.#wereReady.add(this.#nameOf(child));
    }
    return child;
  }
}

function isReal(spec: object): spec is RealWorkerSpec {
  return 'manners' in spec;
}

function isEnd(name: string): boolean {
  return name === 'stop' || name === 'kill';
}

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}

/** A supervisor that kills takes time for it, and the model none: how far its end has come is not compared. */
function withoutPhase(answer: string): string {
  return answer.replace(/InvalidState\((stopping|stopped)\)$/, 'InvalidState(down)');
}
