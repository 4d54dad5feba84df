import type { SendOutcome } from '../core/index.js';

/** Whether a message is kept where it was sent to. */
export function isKept(outcome: SendOutcome): boolean {
  return outcome !== 'dropped';
}
