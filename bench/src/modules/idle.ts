/** For a fork of Vigil: a body that does nothing. */
import type { ProcessContext } from 'vigiljs';

export default async function idle({ stopped }: ProcessContext): Promise<void> {
  await stopped;
}
