import type { ExitReason } from './exit-reason.js';

/** A supervisor that nobody supervises. */
export interface Root {
  /** Its name. */
  readonly path: string;
}

/** So many that gave up are remembered. */
const MAX_REMEMBERED = 100;

/** The trees of a runtime: those that run, and those that have given up and were not started again. */
export class Roots {
  /** While the runtime drains: who has ended cleanly has done its work, and is not started again. */
  isDraining = false;
  readonly #running = new Set<Root>();
  readonly #givenUp = new Map<string, ExitReason>();

  get running(): Iterable<Root> {
    return this.#running;
  }

  /** Why the trees that gave up did so, by name. */
  get givenUp(): ReadonlyMap<string, ExitReason> {
    return this.#givenUp;
  }

  /** A root starts. @returns what is called, with the reason, when it has ended. */
  enter(root: Root): (reason: ExitReason) => void {
    this.#running.add(root);
    this.#givenUp.delete(root.path);
    return (reason) => {
      this.#running.delete(root);
      if (isFailure(reason)) this.#remember(root.path, reason);
    };
  }

  #remember(path: string, reason: ExitReason): void {
    this.#givenUp.set(path, reason);
    for (const oldest of this.#givenUp.keys()) {
      if (this.#givenUp.size <= MAX_REMEMBERED) return;
      this.#givenUp.delete(oldest);
    }
  }
}

/** A supervisor that gives up ends with `shutdown` and an error; one that was asked to stop has nothing to add. */
function isFailure(reason: ExitReason): boolean {
  return reason.kind === 'crashed' || (reason.kind === 'shutdown' && reason.info !== undefined);
}
