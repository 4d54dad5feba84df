/** One thing that was seen of one supervisor: a child started, was asked to stop, ended; the supervisor restarts, starts, stops. */
export interface SeenEvent {
  readonly supervisor: string;
  readonly text: string;
}

/** What was seen during a turn, and how things stood after it. */
export interface Observation {
  readonly events: readonly SeenEvent[];
  /** `3: ok`, of the calls that were answered. */
  readonly answers: readonly string[];
  /** The tree as `inspect()` shows it. */
  readonly tree: string;
  /** The deadlines that wait. */
  readonly deadlines: readonly number[];
}

/**
 * What differs between what was seen and what was expected; `undefined` when nothing does.
 *
 * When several things happened in one turn, what one supervisor did between the acts of another is nobody's promise: then events
 * are compared supervisor by supervisor. Answers travel by promises of their own, so their order within a turn is none either.
 */
export function difference(seen: Observation, expected: Observation, isRace: boolean): string | undefined {
  const order = isRace ? bySupervisor : inOrder;
  return (
    unequal('events', order(seen.events), order(expected.events)) ??
    unequal('answers', seen.answers.toSorted().join('\n'), expected.answers.toSorted().join('\n')) ??
    unequal('tree', seen.tree, expected.tree) ??
    unequal('deadlines', seen.deadlines.join(' '), expected.deadlines.join(' '))
  );
}

function inOrder(events: readonly SeenEvent[]): string {
  return events.map(({ supervisor, text }) => `${supervisor}: ${text}`).join('\n');
}

function bySupervisor(events: readonly SeenEvent[]): string {
  return inOrder(events.toSorted((a, b) => (a.supervisor < b.supervisor ? -1 : a.supervisor > b.supervisor ? 1 : 0)));
}

function unequal(what: string, seen: string, expected: string): string | undefined {
  if (seen === expected) return undefined;
  return `${what} seen:\n${indented(seen)}\n  ${what} expected:\n${indented(expected)}`;
}

function indented(text: string): string {
  return text === '' ? '    (nothing)' : text.replace(/^/gm, '    ');
}
