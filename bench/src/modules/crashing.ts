/** For a thread of Vigil: a body that crashes when it is told to. */
import type { ProcessContext } from 'vigiljs';

export default async function crashing({ inbox }: ProcessContext): Promise<void> {
  await inbox.recv();
  throw new Error('crash');
}
