import type { HostThread } from '../environment.js';
import type { Participant } from './ring.js';

/** A thread, as rings know it; the application's own is none that Vigil runs. */
export function participantOf(thread: HostThread | undefined): Participant {
  return thread === undefined ? { key: keyOf(0) } : { key: keyOf(thread.id), startedBy: keyOf(thread.startedBy) };
}

/** The application's own thread has the id 0, which is no key. */
export function keyOf(threadId: number): number {
  return threadId + 1;
}
