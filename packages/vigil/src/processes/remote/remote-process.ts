import {
  type Cancel,
  crashed,
  describeValue,
  type EventOrigin,
  type ExitReason,
  isTelemetryEventType,
  KILLED,
  LocalInbox,
  mailboxAccess,
  type Message,
  NORMAL,
  type Outpost,
  type ProcessInbox,
  refusalReason,
  type ReplyOutcome,
  type ReplyRoute,
  SharedReplyBox,
  SHUTDOWN,
  type Signal,
  type TelemetryEvents,
  wantedBits,
  wantedEventsOf,
} from '../../core/index.js';
import { LocalProcess } from '../local-process.js';
import { type LentInbox, LocalRef } from '../local-ref.js';
import { Pulse } from '../pulse.js';
import type { Down, Monitor, ProcessHost, ProcessSettings, Vitals } from '../runner.js';
import { copied, dehydrate, dehydrateReason, type ReasonData, revive, reviveReason } from './data.js';
import { type PartedArgs, partArgs } from './passed-inboxes.js';
import { Handles, nameOf } from './handles.js';
import { withHolder } from './holder.js';
import { LentNames, type NamesBorrower } from './lent-names.js';
import { LentTopics } from './lent-topics.js';
import { Loans } from './loans.js';
import { dehydrateLetter, dehydrateMessage, dehydrateOutcome, reviveMessage, reviveOutcome } from './message-data.js';
import {
  type Answer,
  type Call,
  type Calls,
  CREDIT_BATCH,
  type EventData,
  type FromCode,
  isForHome,
  type MessageData,
  type ParcelData,
  type Reply,
  SELF,
  type SendWait,
  type StartOrder,
  type ToCode,
} from './protocol.js';
import { canBeShared, SharedMail } from './shared-mail.js';
import type { Boot, Need, Workplace, WorkplaceUser } from './workplace.js';
import type { Workplaces } from './workplaces.js';

/** How long code that has said that it ended may take to leave its thread or process, in milliseconds. */
const LEAVE_MS = 5_000;

/** What makes a kind of process of a module that runs elsewhere. */
export interface RemoteKind {
  readonly kind: 'thread' | 'fork';
  readonly boot: Boot;
  /** Copies a payload as the way there does. */
  readonly clone: (payload: unknown) => unknown;
}

/**
 * A process whose code runs in a thread or a Node process of its own, on the side of its supervisor. `protocol.ts` says who is
 * authoritative for what.
 *
 * Invariant: its end is recorded when the thread or process is gone, never before; the first reason that was known by then counts.
 */
export class RemoteProcess<TArgs = unknown>
  extends LocalProcess<unknown, TArgs>
  implements NamesBorrower, ReplyRoute, WorkplaceUser, Outpost
{
  readonly #remote: RemoteKind;
  readonly #workplaces: Workplaces;
  readonly #handles: Handles;
  readonly #names: LentNames;
  readonly #topics: LentTopics;
  readonly #loans: Loans;
  /** Instead of loans, where the code is a thread. */
  #sharedMail: SharedMail | undefined;
  /** Sends that wait for room on behalf of the code. */
  readonly #requests = new Map<number, AbortController>();
  readonly #watches = new Map<number, Monitor>();
  /** Boxes that the code knows of. */
  readonly #boxesTold = new WeakSet<SharedReplyBox>();
  readonly #pulse: Pulse;
  /** Shared inboxes that were passed to it. */
  #passed: PartedArgs['found'] = [];
  #workplace: Workplace | undefined;
  #hasStarted = false;
  #isReady = false;
  #isAsked = false;
  #isIgnored = false;
  #reason: ExitReason | undefined;
  #cancelLeaving: Cancel | undefined;
  #dealtWith = 0;
  /** Which events are wanted, as it was told. */
  #toldWanted = 0;
  #cancelTelling: Cancel | undefined;
  readonly #looks = new Map<number, (seen: unknown) => void>();
  #lastLook = 0;
  /** As its code has told at its end. */
  #lastMessage: unknown;

  constructor(remote: RemoteKind, workplaces: Workplaces, settings: ProcessSettings<TArgs>, incarnation: number, host: ProcessHost) {
    super(settings, incarnation, host);
    this.#remote = remote;
    this.#workplaces = workplaces;
    this.#handles = new Handles(this.ref, remote.kind === 'thread');
    this.#loans = new Loans(this, host.environment.clock);
    this.#names = new LentNames(host.environment.names, this.#handles, this);
    this.#topics = new LentTopics(host.environment.topics, this.#handles);
    this.#pulse = new Pulse(settings, host.environment.clock, {
      ping: (number) => {
        this.#tellWanted();
        this.post({ is: 'ping', number });
      },
      isAsleep: () => this.#workplace?.isAsleep ?? false,
      measure: () => this.#workplace?.measure() ?? {},
      fail: (error) => this.kill(crashed(error)),
      warn: (signal) => this.#warn(signal),
    });
  }

  get kind(): RemoteKind['kind'] {
    return this.#remote.kind;
  }

  get who(): string {
    return `${this.kind} ${describeValue(this.settings.id)} (incarnation ${this.incarnation})`;
  }

  start(): void {
    if (!this.isAlive) return;
    this.#hasStarted = true;
    try {
      const order = this.#startOrder();
      this.#workplace = this.#workplaces.take(this.#need);
      this.#workplace.use(this);
      this.#workplace.keepAlive(true);
      this.#workplace.post(order);
      if (this.kind === 'fork') this.#cancelTelling = this.host.environment.telemetry.onWantedChange?.(() => this.#tellWanted());
    } catch (error) {
      this.#failToStart(error);
      return;
    }
    this.host.environment.outposts?.add(this);
    const { replyTo } = this.#workplace;
    if (replyTo !== undefined) this.#expectReplies(replyTo);
    if (this.#isAsked) this.#tellStop();
    this.#sharedMail?.open();
    if (this.inbox instanceof LocalInbox) this.#loans.open(this.inbox);
  }

  stop(): void {
    if (this.#isAsked || !this.isAlive) return;
    this.#isAsked = true;
    this.#pulse.stop();
    if (!this.#hasStarted) {
      this.refuseMessages();
      return;
    }
    this.resume();
    this.#tellStop();
  }

  suspend(): void {
    if (this.#isAsked) return;
    this.holdMessages();
    this.#pulse.stop();
    this.#workplace?.suspend();
  }

  resume(): void {
    this.#workplace?.resume();
    this.releaseMessages();
    if (this.#isReady && !this.#isAsked) this.#pulse.start();
  }

  kill(reason: ExitReason = KILLED): void {
    if (!this.isAlive) return;
    this.#reason ??= reason;
    this.#pulse.stop();
    if (!this.#hasStarted) return this.#finish(reason);
    this.refuseMessages();
    this.#halt();
  }

  override notify(signal: Signal): void {
    this.post({ is: 'notify', signal });
  }

  override vitals(): Vitals | undefined {
    return this.#workplace === undefined || !this.isAlive ? undefined : this.#pulse.vitals();
  }

  get origin(): EventOrigin {
    return { id: this.settings.id, incarnation: this.incarnation, supervisor: this.host.path, kind: this.kind };
  }

  look(): Promise<unknown> {
    return new Promise((resolve) => {
      this.#lastLook += 1;
      this.#looks.set(this.#lastLook, resolve);
      this.post({ is: 'look', number: this.#lastLook });
    });
  }

  tellFreed(name: string): void {
    this.post({ is: 'freed', name });
  }

  convert(payload: unknown): unknown {
    return copied(payload, `process "${this.settings.id}" cannot be sent ${describeValue(payload)}`, 'InvalidMessage', this.#remote.clone);
  }

  /** A reply for a call of the code. */
  deliver(to: string, correlationId: string, outcome: ReplyOutcome): void {
    if ('payload' in outcome && this.boxOf(to)?.post(correlationId, outcome.payload) === true) return;
    const data = dehydrateOutcome(outcome);
    if ('payload' in data) copied(data.payload, `process "${this.settings.id}" cannot be replied to`, 'InvalidMessage', this.#remote.clone);
    this.post({ is: 'reply', to, correlationId, outcome: data });
  }

  boxOf(to: string): SharedReplyBox | undefined {
    return to === this.#workplace?.replyTo ? this.#workplace.replyBox : undefined;
  }

  bury(threadId: number): void {
    this.#workplace?.replyBox?.bury(threadId);
  }

  get lentInbox(): LentInbox | undefined {
    return this.#sharedMail;
  }

  postParcel(parcel: ParcelData): void {
    this.#workplace?.postParcel?.(parcel);
  }

  protected override get lastMessage(): unknown {
    return this.#lastMessage ?? super.lastMessage;
  }

  protected override makeInbox(): ProcessInbox {
    const { id, inbox } = this.settings;
    if (this.kind === 'fork' || !canBeShared(inbox)) return this.makeLocalInbox(this.#loans);
    this.#sharedMail = new SharedMail(id, inbox, this.host.environment, this, this.host.path);
    return this.#sharedMail.inbox;
  }

  /** Takes what the code's side has said. What cannot be understood is an error of that side, not of this application. */
  receive(message: FromCode): void {
    if (!this.isAlive) return;
    try {
      this.#take(message);
    } catch (error) {
      this.kill(crashed(error));
    }
  }

  /** Answers what the code's side waits for, blocked. */
  answer(call: Call): Answer {
    try {
      return { value: this.#perform(call) };
    } catch (error) {
      return { error: dehydrate(error) };
    }
  }

  gone(failure: Error | undefined): void {
    const threadId = this.#workplace?.threadId;
    if (threadId !== undefined) {
      for (const inbox of this.#inboxesThere()) inbox.bury(threadId);
      this.host.environment.replies.bury(threadId);
    }
    const itself = this.#isAsked ? SHUTDOWN : NORMAL;
    this.#finish(this.#reason ?? (failure === undefined ? itself : crashed(failure)));
  }

  /** Replies come to the code and from it, in memory if it can. */
  #expectReplies(replyTo: string): void {
    const { environment } = this.host;
    environment.replies.learnRoute({ replyTo }, this);
    environment.replies.useBox(() => new SharedReplyBox(environment));
  }

  /** From the code. From now on it knows where the next one can go without being passed on. */
  #passOnReply({ to, correlationId, outcome }: Reply): void {
    const { replies } = this.host.environment;
    replies.deliver(to, correlationId, reviveOutcome(outcome), this);
    const box = this.kind === 'thread' ? replies.boxOf(to) : undefined;
    if (!(box instanceof SharedReplyBox) || this.#boxesTold.has(box)) return;
    this.#boxesTold.add(box);
    this.post({ is: 'reply_box', to, box: box.memory });
  }

  /** The inboxes in shared memory that its code may have used. */
  #inboxesThere(): { bury(threadId: number): void }[] {
    const own = this.#sharedMail === undefined ? [] : [this.#sharedMail];
    return [...own, ...this.#passed.map(({ inbox }) => inbox), ...this.#handles.lentInboxes];
  }

  get #need(): Need {
    return { settings: this.settings, incarnation: this.incarnation, environment: this.host.environment };
  }

  #take(message: FromCode): void {
    switch (message.is) {
      case 'ready':
        return this.#becomeReady();
      case 'ignored':
        this.#isIgnored = true;
        return;
      case 'ended':
        if (message.lastMessage !== undefined) this.#lastMessage = revive(message.lastMessage);
        return this.#leave(this.#reviveReason(message.reason));
      case 'settled':
        return this.#loans.settle(message.loan, message.outcome);
      case 'taken':
        if (message.from === SELF) return this.#sharedMail?.heardOf(message.parcel);
        return this.#handles.parcelTaken(message.from, message.parcel);
      case 'event':
        return this.#report(message);
      case 'reply':
        return this.#passOnReply(message);
      case 'send':
        this.#deliver(message);
        return this.#giveCredit();
      case 'log':
        this.#log(message);
        return this.#giveCredit();
      case 'request':
        return void this.#request(message.call, message.question);
      case 'cancel':
        this.#requests.get(message.call)?.abort();
        return;
      case 'close':
        return this.inbox.close({ discard: message.discard });
      case 'seen':
        return this.#seen(message.number, message.seen);
      case 'watch':
        return this.#watch(message.watch, message.target);
      case 'unwatch':
        this.#watches.get(message.watch)?.demonitor();
        this.#watches.delete(message.watch);
        return;
      case 'forget':
        return this.#handles.forget(message.handle, message.heard);
      case 'pong':
        return this.#pulse.answered(message.number, message.memoryBytes);
    }
  }

  /** Says something there; nothing while there is nobody to hear it. */
  post(message: ToCode): void {
    if (isForHome(message)) this.#sharedMail?.aboutToSay();
    this.#workplace?.post(message);
  }

  #seen(number: number, seen: unknown): void {
    this.#looks.get(number)?.(seen);
    this.#looks.delete(number);
  }

  #halt(): void {
    this.#workplace?.keepAlive(true);
    this.#workplace?.halt();
  }

  #finish(reason: ExitReason): void {
    this.#pulse.stop();
    this.#cancelLeaving?.();
    this.#cancelTelling?.();
    this.host.environment.outposts?.delete(this);
    for (const number of this.#looks.keys()) this.#seen(number, undefined);
    this.host.environment.replies.forgetRoute(this);
    for (const monitor of this.#watches.values()) monitor.demonitor();
    this.#watches.clear();
    this.#names.close();
    this.#topics.close();
    this.#loans.close();
    // What nobody waits for any more is not sent in the name of the dead.
    for (const request of this.#requests.values()) request.abort();
    if (this.#isIgnored && reason.kind === 'normal' && this.isAlive) this.host.processIgnored(this);
    this.end(reason);
    this.#sharedMail?.close();
  }

  /** @throws {VigilError} `InvalidConfiguration` when its args cannot go there. */
  #startOrder(): StartOrder {
    const { priorityQueues } = this.settings.inbox;
    // Before it is asked for what the code needs of it.
    void this.inbox;
    const { id, readiness } = this.settings;
    const parted: PartedArgs = this.kind === 'thread' ? partArgs(this.settings.args) : { args: this.settings.args, found: [] };
    const args = copied(parted.args, `process "${id}" cannot be started with its args`, 'InvalidConfiguration', this.#remote.clone);
    this.#passed = parted.found;
    const inboxes = parted.found.map((place) => ({ path: place.path, inbox: place.inbox.data() }));
    const { kind, incarnation, host } = this;
    const messageIds = host.environment.nextMessageId();
    const wantedEvents = wantedEventsOf(host.environment.telemetry);
    this.#toldWanted = wantedBits(wantedEvents);
    return {
      is: 'start',
      id,
      incarnation,
      kind,
      args,
      inboxes,
      readiness,
      priorityQueues,
      mail: this.#sharedMail?.order,
      wantedEvents: kind === 'thread' ? wantedEvents : this.#toldWanted,
      supervisor: host.path,
      messageIds,
    };
  }

  #failToStart(cause: unknown): void {
    this.#reason ??= crashed(cause);
    const reason = this.#reason;
    // Its host hears of no end while it starts.
    if (this.#workplace === undefined) queueMicrotask(() => this.#finish(reason));
    else this.#halt();
  }

  #becomeReady(): void {
    if (this.#isReady || this.#reason !== undefined) return;
    this.#isReady = true;
    if (!this.#isAsked) this.#workplace?.keepAlive(false);
    this.host.processReady(this);
    if (this.#isAsked || !this.isAlive) return;
    this.#pulse.start();
    // To boot a spare takes a while, for which whoever waits for this process should not have to wait.
    this.host.environment.clock.soon(() => {
      if (this.isAlive) this.#workplaces.refill(this.#need);
    });
  }

  #tellStop(): void {
    this.#workplace?.keepAlive(true);
    this.#sharedMail?.askToStop();
    this.post({ is: 'stop' });
    this.refuseMessages();
  }

  /** The code has ended and leaves by itself; if it does not, it is made to. */
  #leave(reason: ExitReason): void {
    this.#reason ??= reason;
    this.#pulse.stop();
    this.#workplace?.keepAlive(true);
    this.#cancelLeaving = this.host.environment.clock.after(LEAVE_MS, () => this.#halt(), { keepAlive: true });
  }

  /** A send that is refused has nobody left whom it could be thrown at. */
  #deliver({ to, message: data }: Extract<FromCode, { is: 'send' }>): void {
    const { deadLetters } = this.host.environment;
    const message = this.#reviveMessage(data);
    const sender = this.#handles.get(to);
    try {
      sender.sendMessage(message);
    } catch (error) {
      deadLetters.add(message, refusalReason(error), nameOf(sender));
      mailboxAccess.portOf(message)?.fail(error);
    }
  }

  #reviveReason(data: ReasonData): ExitReason {
    const reason = reviveReason(data);
    return reason.kind === 'crashed' ? crashed(withHolder(reason.error, this.host.environment.names)) : reason;
  }

  #reviveMessage(data: MessageData): Message {
    const { clock, replies } = this.host.environment;
    replies.learnRoute(data, this);
    return reviveMessage(data, clock, replies);
  }

  /** Something happened there that somebody may want to hear of. */
  #report({ eventType, facts, reason, origin = this.origin }: EventData): void {
    const { telemetry } = this.host.environment;
    if (!isTelemetryEventType(eventType) || !telemetry.wants(eventType)) return;
    const metadata = reason === undefined ? facts : { ...facts, reason: this.#reviveReason(reason) };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the other side has made it of an event of this type
    telemetry.report(eventType, metadata as TelemetryEvents[typeof eventType], origin);
  }

  /** A thread sees it by itself, once the words are up to date. */
  #tellWanted(): void {
    const bits = wantedBits(wantedEventsOf(this.host.environment.telemetry));
    if (this.kind === 'thread' || bits === this.#toldWanted || !this.isAlive) return;
    this.#toldWanted = bits;
    this.post({ is: 'wanted', bits });
  }

  #giveCredit(): void {
    this.#dealtWith += 1;
    if (this.#dealtWith < CREDIT_BATCH) return;
    this.post({ is: 'credit', count: this.#dealtWith });
    this.#dealtWith = 0;
  }

  #log({ level, message, details }: Extract<FromCode, { is: 'log' }>): void {
    const { log } = this.host.environment;
    if (details === undefined) log[level](message);
    else log[level](message, revive(details));
  }

  async #request(call: number, question: SendWait): Promise<void> {
    const request = new AbortController();
    this.#requests.set(call, request);
    let answer: Answer;
    try {
      const { to, payload, options } = question;
      answer = { value: await this.#handles.get(to).sendWait(payload, { ...options, signal: request.signal }) };
    } catch (error) {
      answer = { error: dehydrate(error) };
    }
    this.#requests.delete(call);
    if (this.isAlive) this.post({ is: 'answer', call, answer });
  }

  #watch(watch: number, target: number | string): void {
    const monitor = typeof target === 'string' ? this.monitor(target) : this.#watchHandle(target);
    this.#watches.set(watch, monitor);
    void this.#tellDown(watch, monitor);
  }

  async #tellDown(watch: number, monitor: Monitor): Promise<void> {
    const { id, ref, reason } = await monitor.down;
    if (!this.#watches.delete(watch) || !this.isAlive) return;
    const from = this.#handles.handleOf(ref);
    this.post({ is: 'down', watch, id, from, reason: reason.kind === 'noproc' ? undefined : dehydrateReason(reason) });
  }

  #watchHandle(handle: number): Monitor {
    const sender = this.#handles.get(handle);
    if (sender instanceof LocalRef) return this.monitor(sender);
    let demonitor: Cancel | undefined;
    const down = new Promise<Down>((resolve) => {
      const tell = (reason: Down['reason']) => resolve({ id: nameOf(sender), ref: undefined, reason });
      if (sender.isClosed()) tell({ kind: 'noproc' });
      else demonitor = sender.onClose(() => tell(NORMAL));
    });
    return { down, demonitor: () => demonitor?.() ?? false };
  }

  #trapExits(): void {
    this.trapExits(({ ref, reason }) => {
      const from = this.#handles.handleOf(ref);
      if (from !== undefined) this.post({ is: 'exit_signal', from, reason: dehydrateReason(reason) });
    });
  }

  #linkTo(handle: number): void {
    const sender = this.#handles.get(handle);
    if (sender instanceof LocalRef) this.link(sender);
  }

  #warn(signal: Signal): void {
    this.notify(signal);
    this.host.processNotified(this, signal);
  }

  #perform(call: Call): ReturnType<Calls[keyof Calls]> {
    const { clock, topics } = this.host.environment;
    switch (call.call) {
      case 'whereis':
        return this.#names.whereis(...call.args);
      case 'lookup':
        return this.#names.lookup(...call.args);
      case 'register':
        return this.#names.register(...call.args);
      case 'update':
        return this.#names.update(...call.args);
      case 'release':
        return this.#names.release(...call.args);
      case 'unregister':
        return this.#names.unregister(...call.args);
      case 'namesOf':
        return this.#names.namesOf(...call.args);
      case 'nameCount':
        return this.#names.count();
      case 'snapshot':
        return this.#names.snapshot();
      case 'publish':
        return topics.publish(...call.args);
      case 'publishBatch':
        return topics.publishBatch(...call.args);
      case 'addPatterns':
        return this.#topics.add(...call.args);
      case 'removePatterns':
        return this.#topics.remove(...call.args);
      case 'closePlace':
        return this.#topics.leave(...call.args);
      case 'isAlive':
        return !this.#handles.get(call.args[0]).isClosed();
      case 'stats':
        return this.#handles.get(call.args[0]).stats();
      case 'link':
        return this.#linkTo(...call.args);
      case 'trapExits':
        return this.#trapExits();
      case 'unlink': {
        const sender = this.#handles.get(call.args[0]);
        return sender instanceof LocalRef && this.unlink(sender);
      }
      case 'send': {
        const [to, message] = call.args;
        return this.#handles.get(to).sendMessage(this.#reviveMessage(message));
      }
      case 'parcel':
        return this.#sharedMail?.fetch(...call.args);
      case 'discardQueued':
        return this.inbox.close({ discard: true });
      case 'catchUp':
        return;
      case 'inboxStats':
        return this.inbox.stats();
      case 'peek':
        return this.inbox.peek(...call.args).map((message) => dehydrateMessage(message, clock));
      case 'deadLetter':
        return dehydrateLetter(this.inbox.deadLetter(this.#reviveMessage(call.args[0])), clock);
      case 'keepLate':
        this.inbox.deadLetters.add(this.#reviveMessage(call.args[0]), 'late_reply', this.settings.id);
        return;
      case 'deadLetters': {
        const { deadLetters } = this.inbox;
        const letters = deadLetters.list().map((letter) => dehydrateLetter(letter, clock));
        return { letters, capacity: deadLetters.capacity, evicted: deadLetters.evicted };
      }
      case 'replay': {
        const [id, to] = call.args;
        return this.inbox.deadLetters.replay(id, to === undefined ? undefined : this.#handles.get(to));
      }
      case 'discard':
        return this.inbox.deadLetters.discard(...call.args);
      case 'discardAll':
        return this.inbox.deadLetters.discardAll();
    }
  }
}
