/** The pipe for calls that block, among the file descriptors of a fork; before it are those of every program, and Node's own channel. */
export const CALLS_FD = 4;

/** What is ours on a channel that the code in a fork may use, too. */
export interface Envelope<T> {
  readonly vigil: T;
}

export function isEnvelope<T>(value: unknown): value is Envelope<T> {
  if (typeof value !== 'object' || value === null || !('vigil' in value)) return false;
  return typeof value.vigil === 'object' && value.vigil !== null && 'is' in value.vigil;
}
