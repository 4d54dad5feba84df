/**
 * The words about a thread that its code looks at whether its event loop turns or not. Only the side of the supervisor writes them.
 */
export type Control = Int32Array<SharedArrayBuffer>;

const ASKED = 0;
const SAID = 1;

export function makeControl(): Control {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** Before the inbox closes: so the code knows why, whichever of the two it notices first. */
export function askToStop(control: Control): void {
  Atomics.store(control, ASKED, 1);
}

/** Whether the code was asked to stop; it may not have heard of it yet. */
export function isAskedToStop(control: Control): boolean {
  return Atomics.load(control, ASKED) === 1;
}

/** Before it is said: something that is no message, which whoever receives a later message has to know. */
export function countSaid(control: Control): void {
  Atomics.add(control, SAID, 1);
}

/** How often that was said so far, modulo 2^32. */
export function saidSoFar(control: Control): number {
  return Atomics.load(control, SAID);
}
