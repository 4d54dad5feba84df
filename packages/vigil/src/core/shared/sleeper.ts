import type { Cancel, Clock } from '../clock.js';
import type { SharedRing } from './ring.js';

/** A sleep that was this short was hardly worth it: the next time, the event loop first looks in so many turns. */
const SHORT_SLEEP_MS = 0.1;
const POLL_TURNS = 40;

/** For whom an event loop waits at a bell. */
export interface Watch {
  /** Serves whom it can. Whether anybody still waits here. */
  serve(): boolean;
  /** Wakes the next one elsewhere, if there is something for him. */
  passOn(): void;
}

/**
 * Lets an event loop wait at a bell of a shared inbox: woken without polling, and keeping Node alive as long as somebody waits.
 *
 * To be woken takes some ten microseconds. So where the last sleep was hardly longer than that, it looks from turn to turn for a moment
 * before it sleeps.
 */
export class Sleeper {
  readonly #ring: SharedRing;
  readonly #bell: number;
  readonly #clock: Clock;
  readonly #watch: Watch;
  #isWatching = false;
  #isAboutToRest = false;
  #letNodeEnd: Cancel | undefined;
  #isBusy = false;

  constructor(ring: SharedRing, bell: number, clock: Clock, watch: Watch) {
    this.#ring = ring;
    this.#bell = bell;
    this.#clock = clock;
    this.#watch = watch;
  }

  /** Somebody waits. */
  wait(): void {
    this.#letNodeEnd ??= this.#clock.keepAlive();
    if (this.#isWatching) return;
    this.#isWatching = true;
    void this.#keepWatch();
  }

  /** Somebody waits no more, and perhaps nobody does. To let Node end costs more than a short wait, so it happens in a pause. */
  left(): void {
    if (this.#isAboutToRest || this.#letNodeEnd === undefined) return;
    this.#isAboutToRest = true;
    this.#clock.soon(() => {
      this.#isAboutToRest = false;
      if (this.#watch.serve()) return;
      this.#letNodeEnd?.();
      this.#letNodeEnd = undefined;
    });
  }

  /** Invariant: while it runs, whoever rings is heard; while it does not, nobody waits. */
  async #keepWatch(): Promise<void> {
    let wasWoken = false;
    for (;;) {
      if (this.#isBusy) await this.#poll();
      // Asked again after each wait, in the same turn in which the watch ends: whoever comes to wait meanwhile relies on it.
      if (!this.#watch.serve()) break;
      const number = this.#ring.wish(this.#bell);
      // The last look: from here on whoever sends sees the wish.
      if (!this.#watch.serve()) break;
      const sinceMs = this.#clock.now();
      const { async, value } = Atomics.waitAsync(this.#ring.layout.words, this.#bell, number);
      if (!async) continue;
      await value;
      wasWoken = true;
      this.#isBusy = this.#clock.now() - sinceMs < SHORT_SLEEP_MS;
      // Whoever rang has taken the wish down, which was that of others, too.
      this.#ring.wish(this.#bell);
    }
    this.#isWatching = false;
    this.left();
    if (wasWoken) this.#watch.passOn();
  }

  /** Looks for a moment. */
  async #poll(): Promise<void> {
    for (let turn = 0; turn < POLL_TURNS; turn += 1) {
      if (!this.#watch.serve()) return;
      await new Promise<void>((resolve) => this.#clock.soon(resolve));
    }
    this.#isBusy = false;
  }
}
