import type { EventOrigin } from './telemetry-event.js';

/** The code of a process in a thread or Node process of its own, which can be asked how its runtime there is. */
export interface Outpost {
  readonly origin: EventOrigin;
  /** @returns what the runtime there shows of itself; `undefined` when the code uses none, or ends first. It may never come where the code is busy. */
  look(): Promise<unknown>;
}

/** In a thread or fork: where its runtime leaves how it is looked at. */
export interface Lookout {
  /** @returns plain data. */
  look?: () => unknown;
}
