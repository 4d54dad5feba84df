import type { ChildState, SupervisorInfo, SupervisorState } from '../supervision-tree.js';
import type { SeenEvent } from './observation.suite.js';
import type { RealStimulus } from './real-stimulus.suite.js';
import type { RealSupervisorSpec, RealWorkerSpec } from './real-tree.suite.js';
import { reasonText } from './stimulus.suite.js';

/** A stimulus that could be given. */
export interface Given {
  /** How many events of its turn had been seen by then. */
  readonly at: number;
  /** The same for stimuli between which nothing ran but what each does at once. */
  readonly instant: number;
  readonly stimulus: RealStimulus;
}

/** What was seen in a turn, and how things stood after it. Beside the events of the simulation there is `=a#1`: it is ready. */
export interface RealObservation {
  readonly given: readonly Given[];
  readonly events: readonly SeenEvent[];
  /** `0: ok`, by the number of the call in its turn. */
  readonly answers: readonly string[];
  readonly tree: TreeShot;
}

/** A supervisor at rest: all that decides what it will do. */
export interface TreeShot {
  readonly spec: RealSupervisorSpec;
  readonly state: SupervisorState;
  readonly totalRestarts: number;
  readonly restartsLeft: number;
  /** Children that it has started as a dynamic supervisor. */
  readonly started: number;
  readonly children: readonly ChildShot[];
}

export interface ChildShot {
  readonly spec: RealWorkerSpec | RealSupervisorSpec;
  readonly state: ChildState;
  readonly incarnation: number;
  /** The latest that was ready. */
  readonly lastReady: number;
  readonly restartCount: number;
  /** Restarts that its own budget counts. */
  readonly ownRestarts: number;
  readonly lastExit: string | undefined;
  readonly below: TreeShot | undefined;
}

/** What `inspect()` does not tell of a child, by its path. */
export interface ChildFacts {
  specOf(path: string): RealWorkerSpec | RealSupervisorSpec | undefined;
  lastReadyOf(path: string): number;
  ownRestartsOf(path: string): number;
  startedBy(path: string): number;
}

export function takeShot(spec: RealSupervisorSpec, info: SupervisorInfo, path: string, facts: ChildFacts): TreeShot {
  const { state, totalRestarts, restartsLeft } = info;
  const children = info.children.map((child): ChildShot => {
    const childPath = `${path}/${child.id}`;
    const childSpec = spec.children.find(({ id }) => id === child.id && child.kind === 'supervisor') ?? facts.specOf(childPath);
    if (childSpec === undefined) throw new Error(`nobody knows what ${childPath} is`);
    return {
      spec: childSpec,
      state: child.state,
      incarnation: child.incarnation,
      lastReady: facts.lastReadyOf(childPath),
      restartCount: child.restartCount,
      ownRestarts: facts.ownRestartsOf(childPath),
      lastExit: child.lastExit && reasonText(child.lastExit.reason),
      below: child.supervisor && childSpec.kind === 'supervisor' ? takeShot(childSpec, child.supervisor, childPath, facts) : undefined,
    };
  });
  return { spec, state, totalRestarts, restartsLeft, started: facts.startedBy(path), children };
}

/** A tree as the model writes it. */
export function shotText({ spec, state, totalRestarts, restartsLeft, children }: TreeShot, indent = ''): string {
  const head = `${indent}${spec.id}: ${state}, ${totalRestarts} restarts, ${restartsLeft} left`;
  const lines = children.map((child) => {
    const last = child.lastExit === undefined ? '' : `, last ${child.lastExit}`;
    const line = `${indent}  ${child.spec.id}#${child.incarnation} ${child.state}, restarted ${child.restartCount}${last}`;
    return child.below === undefined ? line : `${line}\n${shotText(child.below, `${indent}    `)}`;
  });
  return [head, ...lines].join('\n');
}

/** Whether nothing more happens by itself: nobody is on the way up or down. */
export function isAtRest({ state, children }: SupervisorInfo): boolean {
  const isDown = state === 'idle' || state === 'stopped';
  if (!isDown && state !== 'running') return false;
  return children.every(
    (child) =>
      child.state === 'stopped' ||
      (!isDown &&
        (child.state === 'running' || child.state === 'suspended') &&
        (child.supervisor === undefined || isAtRest(child.supervisor))),
  );
}
