import { settledWithin } from '../../core/index.js';
import type { Boot, Need, Workplace } from './workplace.js';

const GIVE_UP_MS = 1_000;

interface Spare {
  readonly workplace: Workplace;
  readonly need: Need;
}

/**
 * Where processes of one module get their workplaces: booted already, or new.
 *
 * Invariant: there are spares only while somebody holds this, and not more than `spareCount` for one need.
 */
export class Workplaces {
  readonly #boot: Boot;
  readonly #spareCount: number;
  #spares: Spare[] = [];
  #holders = 0;

  constructor(boot: Boot, spareCount: number) {
    this.#boot = boot;
    this.#spareCount = spareCount;
  }

  take(need: Need): Workplace {
    this.#spares = this.#spares.filter(({ workplace }) => workplace.isAlive);
    const index = this.#spares.findIndex((spare) => isSame(spare.need, need));
    const [spare] = index < 0 ? [] : this.#spares.splice(index, 1);
    return spare?.workplace ?? this.#boot(need);
  }

  /** A process is up: its successor can have a workplace at hand. */
  refill(need: Need): void {
    if (this.#holders === 0) return;
    const present = this.#spares.filter((spare) => isSame(spare.need, need)).length;
    try {
      for (let count = present; count < this.#spareCount; count += 1) this.#spares.push({ workplace: this.#boot(need), need });
    } catch (error) {
      // Who runs does not need it.
      need.environment.log.warn(`there is no spare for "${need.settings.id}"`, error);
    }
  }

  hold(): () => Promise<void> {
    this.#holders += 1;
    let isHeld = true;
    return async () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holders -= 1;
      if (this.#holders === 0) await Promise.all(this.#spares.splice(0).map(giveUp));
    };
  }
}

/** Resolves when it is gone, or takes longer than anybody should wait for what was never used. */
async function giveUp({ workplace, need }: Spare): Promise<void> {
  if (!workplace.isAlive) return;
  const gone = new Promise<void>((resolve) => {
    // It has nothing to say: it was never told what to do.
    workplace.use({ who: 'a spare', receive() {}, answer: () => ({ value: undefined }), gone: () => resolve() });
    workplace.keepAlive(true);
    workplace.halt();
  });
  await settledWithin(gone, GIVE_UP_MS, need.environment.clock);
}

/** Whether a workplace that was made for one can serve the other. */
function isSame(one: Need, other: Need): boolean {
  return (
    one.environment === other.environment &&
    one.settings.maxMemoryBytes === other.settings.maxMemoryBytes &&
    one.settings.priority === other.settings.priority
  );
}
