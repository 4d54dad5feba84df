import type { OwnedSender } from '../core/index.js';

/** A member that came into a group or left it. */
export interface GroupEvent<Member> {
  readonly kind: 'join' | 'leave';
  readonly group: string;
  readonly member: Member;
}

export interface GroupMonitorOptions {
  /** Whose end ends the watch: `ctx.self`. Default: only `demonitor` does. */
  readonly owner?: OwnedSender | undefined;
}

/**
 * One watch over a group, or over all groups of a scope: who was there when the watch began, and every join and leave since, in order and
 * without a gap.
 *
 * Events wait, however many there are, until they are read; they can be read once. Reading ends when the watch does.
 *
 * @see Erlang `pg:monitor/2` and `pg:monitor_scope/1`.
 */
export class GroupMonitor<Member, Members = readonly Member[]> implements AsyncIterable<GroupEvent<Member>>, Disposable {
  /** Who was a member when the watch began, in the order of joining; of a scope, by the names of its groups. */
  readonly members: Members;
  readonly #end: () => void;
  #isOver = false;
  #events: GroupEvent<Member>[] = [];
  #wake: (() => void)[] = [];

  /** @param end - called once, when the watch is over and wants nothing more. */
  constructor(members: Members, end: () => void) {
    this.members = members;
    this.#end = end;
  }

  /** Waits for the next event; `undefined` once the watch is over. */
  async next(): Promise<GroupEvent<Member> | undefined> {
    while (!this.#isOver && this.#events.length === 0) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.#events.shift();
  }

  /** Ends the watch. True for the first call, false for every other; events that were not read yet are never given out. */
  demonitor(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#events = [];
    this.#wakeReaders();
    this.#end();
    return true;
  }

  /** @internal */
  tell(event: GroupEvent<Member>): void {
    this.#events.push(event);
    this.#wakeReaders();
  }

  [Symbol.dispose](): void {
    this.demonitor();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<GroupEvent<Member>, void, void> {
    for (let event = await this.next(); event !== undefined; event = await this.next()) yield event;
  }

  #wakeReaders(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
