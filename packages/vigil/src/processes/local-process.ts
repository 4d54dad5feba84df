import {
  type Cancel,
  checkFunction,
  CloseCallbacks,
  crashed,
  describeValue,
  endedDuringCall,
  type ExitReason,
  failFast,
  invalidOption,
  isAbnormal,
  LocalInbox,
  type Outlet,
  type ProcessInbox,
  type Signal,
  type VigilError,
} from '../core/index.js';
import { type Delivery, LocalRef } from './local-ref.js';
import type {
  ExitSignal,
  InboxFigures,
  Monitor,
  Process,
  ProcessHost,
  ProcessKind,
  ProcessRef,
  ProcessSettings,
  Remains,
  Vitals,
} from './runner.js';

const checkHandler = checkFunction<(signal: ExitSignal) => void>();

/**
 * What every process has on the side of its supervisor: identity, inbox, names, links, monitors, and one end.
 *
 * All of it but the end is made when somebody asks for it, since many processes never need it.
 */
export abstract class LocalProcess<TMessage = unknown, TArgs = unknown> implements Process {
  readonly settings: ProcessSettings<TArgs>;
  readonly incarnation: number;
  readonly host: ProcessHost;
  #isEnded = false;
  #takesMessages = true;
  #isHeld = false;
  #remains: Remains | undefined;
  #inbox: ProcessInbox<TMessage> | undefined;
  #ref: LocalRef<TMessage> | undefined;
  /** Who wants to know of the end: names, monitors. */
  #exitCallbacks: CloseCallbacks<ExitReason> | undefined;
  /** What this process gives back at its end: its own monitors. */
  #cleanups: Set<() => unknown> | undefined;
  #names: Set<string> | undefined;
  #links: Set<LocalRef> | undefined;
  #exitHandler: ((signal: ExitSignal) => void) | undefined;
  /** While it hears of an end: takes what follows from it. */
  #onward: Delivery[] | undefined;

  constructor(settings: ProcessSettings<TArgs>, incarnation: number, host: ProcessHost) {
    this.settings = settings;
    this.incarnation = incarnation;
    this.host = host;
  }

  abstract get kind(): ProcessKind;
  abstract start(): void;
  abstract stop(): void;
  abstract suspend(): void;
  abstract resume(): void;
  abstract kill(reason?: ExitReason): void;

  notify(_signal: Signal): void {}

  vitals(): Vitals | undefined {
    return undefined;
  }

  get remains(): Remains | undefined {
    return this.#remains;
  }

  inboxFigures(): InboxFigures | undefined {
    const inbox = this.#inbox;
    return inbox === undefined ? undefined : { stats: inbox.stats(), queues: inbox.queues() };
  }

  get isAlive(): boolean {
    return !this.#isEnded;
  }

  get ref(): LocalRef<TMessage> {
    this.#ref ??= new LocalRef(this);
    return this.#ref;
  }

  get inbox(): ProcessInbox<TMessage> {
    if (this.#inbox === undefined) {
      this.#inbox = this.makeInbox();
      if (this.#isHeld) this.#inbox.hold();
      if (!this.#takesMessages) this.#inbox.seal();
    }
    return this.#inbox;
  }

  /** Calls back when the process ends, before its host hears of it; `undefined` when it has ended. */
  onExit(callback: (reason: ExitReason) => void): Cancel | undefined {
    if (this.#isEnded) return undefined;
    this.#exitCallbacks ??= new CloseCallbacks();
    return this.#exitCallbacks.add(callback);
  }

  register(name: string, value?: unknown): void {
    if (this.#isEnded) throw this.notFound();
    this.host.environment.names.register(name, this.ref, value);
    this.#names ??= new Set();
    this.#names.add(name);
  }

  unregister(name: string): boolean {
    this.#names?.delete(name);
    return this.host.environment.names.release(name, this.ref);
  }

  /** Watches a process or whoever has a name, until this process ends. */
  monitor(target: ProcessRef | string): Monitor {
    const ref = typeof target === 'string' ? this.host.environment.names.whereis(target) : target;
    if (!(ref instanceof LocalRef))
      return {
        down: Promise.resolve({
          id: typeof target === 'string' ? target : describeValue(target),
          ref: undefined,
          reason: { kind: 'noproc' },
        }),
        demonitor: () => false,
      };
    const monitor = ref.monitor();
    const cleanups = (this.#cleanups ??= new Set());
    const demonitor = () => {
      cleanups.delete(demonitor);
      return monitor.demonitor();
    };
    cleanups.add(demonitor);
    void monitor.down.then(() => cleanups.delete(demonitor));
    // Code that was disowned has nobody left who would end its watches.
    if (this.#isEnded) demonitor();
    return { down: monitor.down, demonitor };
  }

  /** Ties two processes: when one ends other than normally, the other ends with the same reason, or hears of it if it traps exits. */
  link(target: ProcessRef): void {
    if (!(target instanceof LocalRef)) throw invalidOption('ref', 'a process ref', target);
    if (this.#isEnded) throw this.notFound();
    if (target === this.#ref) return;
    if (target.addLink(this.ref)) this.addLink(target);
    else queueMicrotask(() => deliver([{ to: this, signal: { ref: target, reason: crashed(noProcess(target)) } }]));
  }

  unlink(target: ProcessRef): boolean {
    return target instanceof LocalRef && target.removeLink(this.ref) && this.removeLink(target);
  }

  trapExits(handler: (signal: ExitSignal) => void): void {
    this.#exitHandler = checkHandler('handler', handler);
  }

  addLink(other: LocalRef): boolean {
    if (this.#isEnded) return false;
    this.#links ??= new Set();
    this.#links.add(other);
    return true;
  }

  removeLink(other: LocalRef): boolean {
    return this.#links?.delete(other) ?? false;
  }

  exitSignal(signal: ExitSignal, onward: Delivery[]): void {
    if (signal.ref instanceof LocalRef) this.removeLink(signal.ref);
    if (this.#isEnded) return;
    this.#onward = onward;
    if (this.#exitHandler === undefined) {
      if (signal.reason.kind !== 'normal') this.kill(signal.reason);
    } else {
      try {
        this.#exitHandler(signal);
      } catch (error) {
        this.kill(crashed(error));
      }
    }
    this.#onward = undefined;
  }

  /** The payload that it has received last, as far as it is known here. */
  protected get lastMessage(): unknown {
    return this.#inbox?.lastReceived?.payload;
  }

  /** Messages that wait for it; `undefined` when it never had an inbox. */
  protected get inboxDepth(): number | undefined {
    return this.#inbox?.stats().depth;
  }

  protected makeInbox(): ProcessInbox<TMessage> {
    return this.makeLocalInbox();
  }

  /** @param outlet - where its messages go when its code is not in this event loop. */
  protected makeLocalInbox(outlet?: Outlet<TMessage>): LocalInbox<TMessage> {
    return new LocalInbox(this.settings.id, this.settings.inbox, this.host.environment, outlet, this.host);
  }

  notFound(): VigilError {
    return noProcess(this.ref);
  }

  /** From now on nothing more comes in. */
  protected refuseMessages(): void {
    this.#takesMessages = false;
    this.#inbox?.seal();
  }

  /** From now on nothing is given out. */
  protected holdMessages(): void {
    this.#isHeld = true;
    this.#inbox?.hold();
  }

  protected releaseMessages(): void {
    this.#isHeld = false;
    this.#inbox?.release();
  }

  /** Records the end; later ones change nothing. `release` runs when inbox and names are gone and nobody has heard of it yet. */
  protected end(reason: ExitReason, release?: () => void): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#takesMessages = false;
    for (const name of this.#names ?? []) this.unregister(name);
    if (isAbnormal(reason)) this.#remains = { lastMessage: this.lastMessage, inboxDepth: this.inboxDepth };
    this.#inbox?.end(this.host.environment.deadLetters, () => endedDuringCall(this.settings.id, reason));
    const { log } = this.host.environment;
    this.#exitCallbacks?.callAll(reason, `process "${this.settings.id}" (incarnation ${this.incarnation})`, log);
    for (const cleanup of this.#cleanups ?? []) cleanup();
    release?.();
    this.host.processExited(this, reason);
    if (this.#links === undefined) return;
    // After the host, so that it hears of linked ends in the order in which they happened.
    const signal: ExitSignal = { ref: this.ref, reason };
    const deliveries = this.#onward ?? [];
    for (const to of this.#links) deliveries.push({ to, signal });
    if (deliveries !== this.#onward) deliver(deliveries);
  }
}

/** Tells of ends one after the other, those that follow from them included: a chain of links can be longer than the stack. */
function deliver(deliveries: Delivery[]): void {
  for (const { to, signal } of deliveries) to.exitSignal(signal, deliveries);
}

function noProcess(ref: ProcessRef): VigilError {
  return failFast('ProcessNotFound', `process "${ref.id}" (incarnation ${ref.incarnation}) has ended`);
}
