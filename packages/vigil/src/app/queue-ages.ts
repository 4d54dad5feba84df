import type { MessagePriority, QueueFigures } from '../core/index.js';

/** Something known of a queue: so many messages had arrived by then. */
interface Mark {
  readonly arrived: number;
  readonly atMs: number;
}

/** How a queue of a mailbox fares. */
export interface QueueSnapshot {
  /** `'all'` of a mailbox without priorities. */
  readonly priority: MessagePriority | 'all';
  readonly depth: number;
  /**
   * For how long its oldest message has waited at least, in milliseconds; `undefined` when none waits. It is counted from the first snapshot
   * that saw it, since no message costs a look at the clock.
   */
  readonly oldestAgeMs: number | undefined;
}

/** A queue on which many snapshots look while nothing leaves it needs no more marks than that. */
const MAX_MARKS = 16;

/** Knows how old messages are without their telling: from what it has seen of their queues before. */
export class QueueAges {
  readonly #marks = new WeakMap<object, Map<QueueFigures['priority'], readonly Mark[]>>();

  /**
   * Looks at the queues of a mailbox.
   *
   * @param mailbox - stands for it.
   */
  look(mailbox: object, queues: readonly QueueFigures[], nowMs: number): QueueSnapshot[] {
    return queues.map(({ priority, arrived, left }) => {
      const depth = arrived - left;
      // Most queues are empty, and there is nothing to be known of them.
      if (depth === 0) return { priority, depth, oldestAgeMs: undefined };
      const marks = this.#marksOf(mailbox);
      const waiting = marksSince(marks.get(priority) ?? [], arrived, left, nowMs);
      marks.set(priority, waiting);
      return { priority, depth, oldestAgeMs: nowMs - (waiting[0]?.atMs ?? nowMs) };
    });
  }

  #marksOf(mailbox: object): Map<QueueFigures['priority'], readonly Mark[]> {
    const known = this.#marks.get(mailbox);
    if (known !== undefined) return known;
    const marks = new Map<QueueFigures['priority'], readonly Mark[]>();
    this.#marks.set(mailbox, marks);
    return marks;
  }
}

/** The marks behind which messages still wait, with one for those that came since the last. */
function marksSince(marks: readonly Mark[], arrived: number, left: number, nowMs: number): readonly Mark[] {
  const waiting = marks.filter((mark) => mark.arrived > left);
  const known = waiting.at(-1)?.arrived ?? left;
  if (arrived > known) waiting.push({ arrived, atMs: nowMs });
  // The first says how old the oldest is; the others matter when its messages are gone.
  return waiting.length > MAX_MARKS ? waiting.filter((_, index) => index % 2 === 0) : waiting;
}
