import { checkMethods, checkObject, VigilError } from '../core/index.js';
import { type GroupEvent, GroupMonitor, type GroupMonitorOptions } from './group-monitor.js';

/** The watches over groups that last. Of a group that nobody watches nothing is kept. */
export class GroupWatches<Member> {
  /** By the group; those over all groups have none. */
  readonly #monitors = new Map<string | undefined, Set<GroupMonitor<Member, unknown>>>();

  /**
   * @param group - the only one that the watch is over; `undefined` for all.
   * @param members - who is there now.
   */
  begin<Members>(group: string | undefined, members: Members, options: GroupMonitorOptions = {}): GroupMonitor<Member, Members> {
    checkObject('monitor options', options);
    const { owner } = options;
    if (owner !== undefined) checkMethods('owner', owner, ['isClosed', 'onClose']);
    if (owner?.isClosed() === true) throw new VigilError('InboxClosed', 'the owner of a monitor has ended before it began');
    const monitor: GroupMonitor<Member, Members> = new GroupMonitor(members, () => {
      forget?.();
      this.#remove(group, monitor);
    });
    const forget = owner?.onClose(() => monitor.demonitor());
    this.#add(group, monitor);
    return monitor;
  }

  tell(event: GroupEvent<Member>): void {
    for (const monitor of this.#monitors.get(event.group) ?? []) monitor.tell(event);
    for (const monitor of this.#monitors.get(undefined) ?? []) monitor.tell(event);
  }

  #add(group: string | undefined, monitor: GroupMonitor<Member, unknown>): void {
    const monitors = this.#monitors.get(group);
    if (monitors === undefined) this.#monitors.set(group, new Set([monitor]));
    else monitors.add(monitor);
  }

  #remove(group: string | undefined, monitor: GroupMonitor<Member, unknown>): void {
    const monitors = this.#monitors.get(group);
    monitors?.delete(monitor);
    if (monitors?.size === 0) this.#monitors.delete(group);
  }
}
