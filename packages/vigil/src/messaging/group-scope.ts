import { checkMethods, checkName, type OwnedSender, VigilError } from '../core/index.js';
import type { GroupMonitor, GroupMonitorOptions } from './group-monitor.js';
import { GroupWatches } from './group-watches.js';
import { Owners } from './owners.js';

/** One join that no leave has taken back yet. */
interface Membership<T> {
  readonly group: string;
  readonly member: OwnedSender<T>;
}

/**
 * Groups of processes and inboxes by their names, apart from those of every other scope. A group is there as long as it has members.
 *
 * A member can join a group several times, and is in it until it has left as often. When its process ends or its inbox closes, it has
 * left all groups, as often as it was in them, before anybody hears of it.
 *
 * It finds members and sends them nothing; a {@link ProcessGroup} does, and knows each member by an id.
 *
 * @see Erlang `pg`, whose scopes these are. Monitors tell of one member at a time, also when a list has joined or left.
 */
export class GroupScope<T = unknown> {
  /** Invariant: no group is empty, and what is in a group belongs to its member. */
  readonly #groups = new Map<string, Set<Membership<T>>>();
  readonly #joined = new Owners<Membership<T>>((member) => this.#remove(this.#joined.takeAll(member).map(({ item }) => item)));
  readonly #watches = new GroupWatches<OwnedSender<T>>();

  /**
   * Lets a process, by its ref, or an inbox join a group, or a list of them: all, or none when one cannot. One that is in the list twice
   * joins twice.
   *
   * @throws {VigilError} `InboxClosed` when one of them has ended; `InvalidConfiguration` when the group is not a non-empty string, or a
   *   member is neither a process nor an inbox.
   */
  join(group: string, memberOrMembers: OwnedSender<T> | readonly OwnedSender<T>[]): void {
    checkName('group', group);
    const members = listOf(memberOrMembers);
    for (const member of members) checkMember(group, member);
    for (const member of members) this.#add({ group, member });
  }

  /** Takes one join of a member back, or of each in a list; false when none of them was in the group. */
  leave(group: string, memberOrMembers: OwnedSender<T> | readonly OwnedSender<T>[]): boolean {
    const left = listOf(memberOrMembers).flatMap((member) => this.#joined.takeLast(member, group) ?? []);
    this.#remove(left);
    return left.length > 0;
  }

  /** The members of a group in the order of joining, each as often as it has joined; nobody when there is no such group. */
  getMembers(group: string): OwnedSender<T>[] {
    return this.#membersOf(this.#groups.get(group) ?? []);
  }

  /** The names of the groups that have members. */
  whichGroups(): string[] {
    return [...this.#membersByGroup().keys()];
  }

  /**
   * Begins a watch over one group: the members of now, and every join and leave from now on, one event for each.
   *
   * @throws {VigilError} `InboxClosed` when the owner has ended; `InvalidConfiguration` that names the option.
   */
  monitor(group: string, options?: GroupMonitorOptions): GroupMonitor<OwnedSender<T>> {
    return this.#watches.begin(checkName('group', group), this.getMembers(group), options);
  }

  /** Begins a watch over all groups, those of now and those to come. Throws as `monitor`. */
  monitorScope(options?: GroupMonitorOptions): GroupMonitor<OwnedSender<T>, ReadonlyMap<string, readonly OwnedSender<T>[]>> {
    return this.#watches.begin(undefined, this.#membersByGroup(), options);
  }

  #membersByGroup(): Map<string, OwnedSender<T>[]> {
    const groups = Array.from(this.#groups, ([group, memberships]) => [group, this.#membersOf(memberships)] as const);
    return new Map(groups.filter(([, members]) => members.length > 0));
  }

  #membersOf(memberships: Iterable<Membership<T>>): OwnedSender<T>[] {
    return Array.from(memberships, ({ member }) => member).filter((member) => this.#joined.isThere(member));
  }

  #add(membership: Membership<T>): void {
    const { group, member } = membership;
    const memberships = this.#groups.get(group);
    if (memberships === undefined) this.#groups.set(group, new Set([membership]));
    else memberships.add(membership);
    this.#joined.give(member, group, membership);
    this.#watches.tell({ kind: 'join', group, member });
  }

  #remove(left: readonly Membership<T>[]): void {
    for (const membership of left) {
      const { group, member } = membership;
      const memberships = this.#groups.get(group);
      memberships?.delete(membership);
      if (memberships?.size === 0) this.#groups.delete(group);
      this.#watches.tell({ kind: 'leave', group, member });
    }
  }
}

function listOf<T>(memberOrMembers: OwnedSender<T> | readonly OwnedSender<T>[]): readonly OwnedSender<T>[] {
  return isList(memberOrMembers) ? memberOrMembers : [memberOrMembers];
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function checkMember(group: string, member: OwnedSender): void {
  checkMethods('member', member, ['send', 'isClosed', 'onClose']);
  if (member.isClosed()) throw new VigilError('InboxClosed', `a member that has ended cannot join the group "${group}"`);
}
