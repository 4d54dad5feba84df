import type { Cancel, Clock } from '../clock.js';
import type { SharedRing } from './ring.js';

/** Turns of the event loop, of about a microsecond each, in which it looks before it sleeps: for as long as two wake-ups take. */
const POLL_TURNS = 100;
/** After a wait that was this short, such a look is worth it the next time: it would have found what was waited for. */
const SHORT_WAIT_MS = 0.15;
/** A look that took longer has saved nothing: nobody came, or others needed the processor, perhaps those who were waited for. */
const GOOD_LOOK_MS = 0.1;
/** What a good look saves, which is a wake-up, and what is earned by a wait without a look, so that it is tried again some time. */
const SAVED_MS = 0.015;
const EARNED_MS = 0.001;
/** What looks can have saved, and cost, at the most. */
const MOST_SAVED_MS = 2;
const MOST_LOST_MS = 10;

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
 * To be woken takes some tens of microseconds. So where the last wait was hardly longer than that, it looks from turn to turn for a moment
 * before it sleeps, unless such looks have cost more time than they saved: where all processors are busy, they only keep others from what
 * they do.
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
  /** What looks have saved, less what they have cost. */
  #balanceMs = 0;

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
    let sinceMs = this.#clock.now();
    for (;;) {
      const wasServed = this.#isWorthALook() && (await this.#poll());
      // Asked again after each wait, in the same turn in which the watch ends: whoever comes to wait meanwhile relies on it.
      if (!this.#watch.serve()) break;
      if (wasServed) {
        sinceMs = this.#clock.now();
        continue;
      }
      const number = this.#ring.wish(this.#bell);
      // The last look: from here on whoever sends sees the wish.
      if (!this.#watch.serve()) break;
      const { async, value } = Atomics.waitAsync(this.#ring.layout.words, this.#bell, number);
      if (!async) continue;
      await value;
      wasWoken = true;
      const nowMs = this.#clock.now();
      this.#isBusy = nowMs - sinceMs < SHORT_WAIT_MS;
      sinceMs = nowMs;
      // Whoever rang has taken the wish down, which was that of others, too.
      this.#ring.wish(this.#bell);
    }
    this.#isWatching = false;
    this.left();
    if (wasWoken) this.#watch.passOn();
  }

  #isWorthALook(): boolean {
    if (!this.#isBusy) return false;
    if (this.#balanceMs >= 0) return true;
    this.#balanceMs += EARNED_MS;
    return false;
  }

  /** Looks for a moment; whether all were served who waited. */
  async #poll(): Promise<boolean> {
    const sinceMs = this.#clock.now();
    let wasServed = false;
    for (let turn = 0; turn < POLL_TURNS; turn += 1) {
      wasServed = !this.#watch.serve();
      if (wasServed) break;
      await new Promise<void>((resolve) => this.#clock.soon(resolve));
    }
    const tookMs = this.#clock.now() - sinceMs;
    const balanceMs = this.#balanceMs + (wasServed && tookMs <= GOOD_LOOK_MS ? SAVED_MS : -tookMs);
    this.#balanceMs = Math.min(Math.max(balanceMs, -MOST_LOST_MS), MOST_SAVED_MS);
    return wasServed;
  }
}
