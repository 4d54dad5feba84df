/** A member that came into a group or left it. */
export interface GroupEvent<Member> {
  readonly kind: 'join' | 'leave';
  readonly member: Member;
}

/**
 * One watch over a group: who was in it when the watch began, and every join and leave since, in order and without a gap.
 *
 * Events wait, however many there are, until they are read; they can be read once. Reading ends when the watch does.
 *
 * @see Erlang `pg:monitor/1`.
 */
export class GroupMonitor<Member> implements AsyncIterable<GroupEvent<Member>>, Disposable {
  /** Who was a member when the watch began, in the order of joining. */
  readonly members: readonly Member[];
  readonly #end: () => boolean;
  #isOver = false;
  #events: GroupEvent<Member>[] = [];
  #wake: (() => void)[] = [];

  /** @param end - tells the group to send nothing more; false when it did not send anyway. */
  constructor(members: readonly Member[], end: () => boolean) {
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
    return this.#end();
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
