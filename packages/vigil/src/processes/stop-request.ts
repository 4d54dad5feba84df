import { ProcessExit } from '../core/index.js';

/**
 * Why a process's signal aborts: it was asked to stop. Thrown out of its own body it is the answer to that; in the body of
 * another process it is an error like any other.
 */
export class StopRequest extends ProcessExit {
  constructor() {
    super('shutdown');
  }
}
