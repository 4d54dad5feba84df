import {
  type Cancel,
  checkArray,
  checkMethods,
  checkName,
  checkObject,
  checkOr,
  checkPositiveNumber,
  checkSendOptions,
  failFast,
  type FanOutResult,
  type OwnedSender,
  type SendOptions,
  type SendOutcome,
  VigilError,
} from '../core/index.js';
import { isClosedElsewhere } from './closed-elsewhere.js';
import { isKept } from './fan-out.js';
import type { GroupMonitor, GroupMonitorOptions } from './group-monitor.js';
import { GroupWatches } from './group-watches.js';
import { type Candidate, chooseByKey, hashText } from './rendezvous.js';

export interface MemberOptions {
  /** Its share of the keys of `route`, in relation to the others': a number > 0, default 1. */
  readonly weight?: number | undefined;
}

/** One process or inbox in a group. */
export interface GroupMember<T = unknown> {
  readonly id: string;
  readonly sender: OwnedSender<T>;
  readonly weight: number;
}

/** Figures of a group's whole life. */
export interface GroupStats {
  /** Members now. */
  readonly members: number;
  readonly joined: number;
  /** Members that were removed or have ended. */
  readonly left: number;
  /** Messages that members' mailboxes kept: of broadcasts one for each member, of `roundRobin` and `route` one. */
  readonly delivered: number;
  /** Messages that a member refused. */
  readonly failed: number;
}

interface Membership<T> extends Candidate {
  readonly member: GroupMember<T>;
  readonly forget: Cancel;
}

/**
 * Processes and inboxes that do the same work, and ways to share messages among them: to all, by turns, or by a key.
 *
 * A member stays no longer than it lives: when its process ends or its inbox closes, it has left before anybody hears of it. A process that
 * is restarted is a new one, to be added again.
 *
 * @see {@link GroupScope} for groups as Erlang's `pg` has them. Ids, routing by key and weights are Vigil's own.
 */
export class ProcessGroup<T = unknown> {
  readonly name: string;
  readonly #memberships = new Map<string, Membership<T>>();
  readonly #watches = new GroupWatches<GroupMember<T>>();
  /** The memberships in the order of joining, as long as nobody joins or leaves: whoever reads it may go on to do so. */
  #inOrder: readonly Membership<T>[] | undefined;
  /** Goes round the members and survives their coming and going. */
  #turns: MapIterator<Membership<T>>;
  #joined = 0;
  #delivered = 0;
  #failed = 0;

  /** @throws {VigilError} `InvalidConfiguration` when the name is not a non-empty string. */
  constructor(name: string) {
    this.name = checkName('name', name);
    this.#turns = this.#memberships.values();
  }

  /**
   * Adds a process, by its ref, or an inbox. One sender can be a member several times, with several ids.
   *
   * @throws {VigilError} `AlreadyMember` when the id is in the group, with its sender in `details.sender`; `InboxClosed` when the sender has
   *   ended; `InvalidConfiguration` that names the option.
   */
  add(id: string, sender: OwnedSender<T>, options: MemberOptions = {}): void {
    checkName('id', id);
    checkMethods('sender', sender, ['send', 'isClosed', 'onClose']);
    checkObject('member options', options);
    const member = { id, sender, weight: checkOr(checkPositiveNumber, 'weight', options.weight, 1) };
    const holder = this.#find(id)?.member.sender;
    if (holder !== undefined)
      throw new VigilError('AlreadyMember', `"${id}" is in the group "${this.name}" already`, {
        details: { group: this.name, id, sender: holder },
      });
    if (sender.isClosed()) throw new VigilError('InboxClosed', `"${id}" has ended and cannot join the group "${this.name}"`);
    const membership = { member, hash: hashText(id), weight: member.weight, forget: sender.onClose(() => this.#leave(membership)) };
    this.#memberships.set(id, membership);
    this.#inOrder = undefined;
    this.#joined += 1;
    this.#watches.tell({ kind: 'join', group: this.name, member });
  }

  /** Takes a member out; false when there is none with this id. What it was sent stays with it. */
  remove(id: string): boolean {
    const membership = this.#find(id);
    if (membership === undefined) return false;
    this.#leave(membership);
    return true;
  }

  /** How many members it has. */
  count(): number {
    return this.#ordered().length;
  }

  /** The same as `count`: the reference has both. */
  memberCount(): number {
    return this.count();
  }

  /** Its members in the order of joining. */
  members(): GroupMember<T>[] {
    return this.#ordered().map(({ member }) => member);
  }

  /**
   * Sends a payload to all that are members now. A member that refuses it keeps it from nobody else.
   *
   * @throws {VigilError} `InvalidMessage` when the options are not what they should be; nobody was sent anything then.
   */
  broadcast(payload: T, options?: SendOptions): FanOutResult {
    return this.broadcastBatch([payload], options);
  }

  /** Sends payloads, in their order, to all that are members now. Throws as `broadcast`. */
  broadcastBatch(payloads: readonly T[], options?: SendOptions): FanOutResult {
    checkArray('payloads', payloads);
    checkSendOptions(options);
    const receivers = this.#ordered();
    let delivered = 0;
    for (const payload of payloads) for (const { member } of receivers) if (this.#tries(member, payload, options)) delivered += 1;
    return { delivered, failed: payloads.length * receivers.length - delivered };
  }

  /**
   * Sends a payload to the member whose turn it is; turns go in the order of joining, and weights do not count.
   *
   * @throws {VigilError} `NoMembers` when the group is empty; what the member's `send` throws, and then it has had its turn.
   */
  roundRobin(payload: T, options?: SendOptions): SendOutcome {
    return this.#send(this.#nextInTurn() ?? this.#nobody(), payload, options);
  }

  /**
   * Sends a payload to the member that the key belongs to. When a member leaves, only its keys go elsewhere; one that joins takes over its
   * share, and no other key moves. It depends on nothing but the ids and weights of the members, so groups in two programs agree.
   *
   * @throws {VigilError} `NoMembers` when the group is empty; what the member's `send` throws; `InvalidConfiguration` when the key is not a
   *   non-empty string.
   */
  route(payload: T, key: string, options?: SendOptions): SendOutcome {
    return this.#send(this.memberFor(key) ?? this.#nobody(), payload, options);
  }

  /** The member to which `route` sends what has this key; `undefined` while the group is empty. Throws as `route` for a bad key. */
  memberFor(key: string): GroupMember<T> | undefined {
    return chooseByKey(this.#ordered(), hashText(checkName('key', key)))?.member;
  }

  stats(): GroupStats {
    const members = this.count();
    return { members, joined: this.#joined, left: this.#joined - members, delivered: this.#delivered, failed: this.#failed };
  }

  /**
   * Begins a watch: the members of now, and every join and leave from now on.
   *
   * @throws {VigilError} `InboxClosed` when the owner has ended; `InvalidConfiguration` that names the option.
   */
  monitor(options?: GroupMonitorOptions): GroupMonitor<GroupMember<T>> {
    return this.#watches.begin(this.name, this.members(), options);
  }

  #leave(membership: Membership<T>): void {
    const { member } = membership;
    if (this.#memberships.get(member.id) !== membership) return;
    this.#memberships.delete(member.id);
    this.#inOrder = undefined;
    membership.forget();
    this.#watches.tell({ kind: 'leave', group: this.name, member });
  }

  /** Whether a member has not ended. One of whose end nobody was told yet leaves by that. */
  #isThere(membership: Membership<T>): boolean {
    if (!isClosedElsewhere(membership.member.sender)) return true;
    this.#leave(membership);
    return false;
  }

  #find(id: string): Membership<T> | undefined {
    const membership = this.#memberships.get(id);
    return membership !== undefined && this.#isThere(membership) ? membership : undefined;
  }

  #ordered(): readonly Membership<T>[] {
    const known = (this.#inOrder ??= [...this.#memberships.values()]);
    if (known.some(({ member }) => isClosedElsewhere(member.sender)))
      this.#inOrder = known.filter((membership) => this.#isThere(membership));
    return this.#inOrder;
  }

  #nextInTurn(): GroupMember<T> | undefined {
    for (;;) {
      let turn = this.#turns.next();
      if (turn.done === true) {
        this.#turns = this.#memberships.values();
        turn = this.#turns.next();
        if (turn.done === true) return undefined;
      }
      if (this.#isThere(turn.value)) return turn.value.member;
    }
  }

  #send({ sender }: GroupMember<T>, payload: T, options: SendOptions | undefined): SendOutcome {
    let isDelivered = false;
    try {
      const outcome = sender.send(payload, options);
      isDelivered = isKept(outcome);
      return outcome;
    } finally {
      if (isDelivered) this.#delivered += 1;
      else this.#failed += 1;
    }
  }

  #tries(member: GroupMember<T>, payload: T, options: SendOptions | undefined): boolean {
    try {
      return isKept(this.#send(member, payload, options));
    } catch {
      // Why is the member's own affair; how often is in the result and in the stats.
      return false;
    }
  }

  #nobody(): never {
    throw failFast('NoMembers', `the group "${this.name}" has no members`, { details: { group: this.name } });
  }
}
