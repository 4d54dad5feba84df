import {
  type Clock,
  CrashReports,
  DeadLetterQueue,
  type Environment,
  failFast,
  type HostThread,
  type EventOrigin,
  isVigilError,
  isWantedIn,
  type Logger,
  MailboxSettings,
  noTelemetry,
  type OwnedSender,
  type ReplyBox,
  ReplyExchange,
  Roots,
  type ReplyRoute,
  type SendOutcome,
  SharedInbox,
  type SharedInboxData,
  type SharedInboxSide,
  SharedReplyBox,
  SystemClock,
  type TelemetryEvents,
  type TelemetryEventType,
  type Lookout,
  type TelemetrySink,
  Tracing,
  systemRandom,
  VigilError,
  type WantedEvents,
  wantedWord,
} from '../../core/index.js';
import type { Down, ExitSignal, Monitor } from '../runner.js';
import { BorrowedNames } from './borrowed-names.js';
import { BorrowedTopics } from './borrowed-topics.js';
import { saidSoFar } from './control.js';
import { dehydrate, dehydrateReason, revive, reviveReason } from './data.js';
import { dehydrateMessage, dehydrateOutcome, reviveOutcome } from './message-data.js';
import {
  type Answer,
  type Calls,
  type FromCode,
  type Handle,
  type LinkHome,
  type MessageData,
  type Reply,
  SELF,
  SEND_WINDOW,
  type SendWait,
  type SharedMailData,
  type ToCode,
} from './protocol.js';
import { type RefHome, RemoteRef, RemoteSender } from './remote-ref.js';

/** What a thread has that a process has not. */
export interface ThreadHome {
  readonly thread: HostThread;
  /** What no other side of the runtime is called. */
  readonly side: string;
  /** Where replies for it arrive in memory. */
  readonly replyBox: SharedArrayBuffer;
}

interface PendingRequest {
  resolve(outcome: SendOutcome): void;
  reject(error: unknown): void;
}

/**
 * The way home of code that runs elsewhere: everything that it asks of its runtime goes through here.
 *
 * Invariant: at most `SEND_WINDOW` sends and log lines are on their way without credit. A send beyond that is refused; a line beyond that
 * is dropped, and how many were is logged as soon as there is room.
 */
export class Home implements RefHome, TelemetrySink {
  readonly clock: Clock = new SystemClock();
  readonly tracing: Tracing = new Tracing();
  readonly lookout: Lookout = {};
  readonly log: Logger;
  readonly environment: Environment;
  readonly names: BorrowedNames = new BorrowedNames(this);
  readonly topics: BorrowedTopics = new BorrowedTopics(this);
  readonly replies: ReplyExchange;
  /** The inbox of the code itself, as soon as there is a process. */
  inbox: OwnedSender | undefined;
  /**
   * The beginning of the ids of messages that are made here: a number of which the runtime gives no other, or, until it has given one,
   * a part of chance.
   */
  messageIds: number | string = systemRandom.next().toString(36).slice(2);
  /** How much was said here that was not for the process. */
  heard = 0;
  /** Which events are wanted over there. */
  wantedEvents: WantedEvents = [];
  readonly #link: LinkHome;
  readonly #homeward: ReplyRoute = {
    deliver: (to, correlationId, outcome) => {
      if ('payload' in outcome && this.#boxes.get(to)?.post(correlationId, outcome.payload) === true) return;
      this.post({ is: 'reply', to, correlationId, outcome: dehydrateOutcome(outcome) });
    },
    boxOf: (to) => this.#boxes.get(to),
    bury: (threadId) => {
      for (const box of this.#boxes.values()) box.bury(threadId);
    },
  };
  /** Where this thread can put replies for others, by address. */
  readonly #boxes = new Map<string, ReplyBox>();
  /** So that the same process is the same ref, as long as somebody holds it. */
  readonly #refs = new Map<number, { readonly sender: WeakRef<RemoteSender>; heard: number }>();
  readonly #dropped = new FinalizationRegistry<number>((number) => this.#forget(number));
  /** Those that this thread has sent to, and its own. */
  readonly #inboxes = new Map<string, SharedInbox>();
  readonly #requests = new Map<number, PendingRequest>();
  readonly #watches = new Map<number, (down: Down) => void>();
  #credit = SEND_WINDOW;
  #droppedLines = 0;
  #reports = 0;
  #lastNumber = 0;
  #lastMessageId = 0;

  constructor(link: LinkHome, threadHome?: ThreadHome) {
    this.#link = link;
    const level = (name: keyof Logger) => (message: string, details?: unknown) => this.#logLine(name, message, details);
    this.log = { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') };
    const { clock, log } = this;
    // By chance, since a module may ask something before the runtime has given this side a number.
    this.replies = new ReplyExchange(clock, threadHome?.side ?? this.messageIds, this.#homeward);
    this.environment = {
      replies: this.replies,
      clock,
      log,
      random: systemRandom,
      telemetry: this,
      names: this.names,
      topics: this.topics,
      tracing: this.tracing,
      lookout: this.lookout,
      // What is left in the buffer at the end is still in the books of the other side, which buries it.
      deadLetters: new DeadLetterQueue(1, clock, noTelemetry),
      guard: { watch: () => () => false },
      roots: new Roots(),
      crashes: new CrashReports({}, clock, log),
      ...(threadHome !== undefined && { thread: threadHome.thread }),
      nextMessageId: () => this.nextMessageId(),
    };
    if (threadHome !== undefined) this.replies.useBox(() => new SharedReplyBox(this.environment, threadHome.replyBox));
  }

  nextMessageId(): string {
    this.#lastMessageId += 1;
    return `m-${this.messageIds}.${this.#lastMessageId}`;
  }

  post(message: FromCode): void {
    this.#link.post(message);
  }

  /** Which events are wanted over there from now on: words to look into, or bits. */
  wanted(events: WantedEvents | number): void {
    this.wantedEvents = typeof events === 'number' ? [wantedWord(events)] : events;
  }

  wants(eventType: TelemetryEventType): boolean {
    return isWantedIn(this.wantedEvents, eventType);
  }

  report<K extends TelemetryEventType>(eventType: K, metadata: TelemetryEvents[K], origin?: EventOrigin): void {
    const { reason, ...facts } = { reason: undefined, ...metadata };
    const hasEnded = typeof reason === 'object';
    this.post({
      is: 'event',
      eventType,
      facts: hasEnded ? facts : metadata,
      reason: hasEnded ? dehydrateReason(reason) : undefined,
      origin,
    });
    this.#reports += 1;
    // Nobody may be faster for long than who hears of it.
    if (this.#reports % SEND_WINDOW === 0) this.call('catchUp');
  }

  /** Attaches this thread to the inbox of a process, with what it needs to send there what only the other side can. */
  inboxOf(handle: number, data: SharedInboxData): SharedInbox {
    const known = this.#inboxes.get(data.label);
    if (known !== undefined) return known;
    const inbox = new SharedInbox(data.name, new MailboxSettings(data.settings), this.environment, {}, data, this.#sideOf(handle));
    this.keepInbox(inbox);
    return inbox;
  }

  /** So that this thread is attached to it once, however often it comes to know of it. */
  keepInbox(inbox: SharedInbox): void {
    for (const [label, known] of this.#inboxes) if (known.isClosed()) this.#inboxes.delete(label);
    this.#inboxes.set(inbox.data().label, inbox);
  }

  /** This side of the inbox of the code itself. */
  ownSide({ control, isMeasuredHere }: SharedMailData): SharedInboxSide {
    // What was said before a message was sent is heard before it is received: who has a name no more, who has ended.
    const catchUp = () => {
      if (saidSoFar(control) !== (this.heard | 0)) this.#link.catchUp?.();
    };
    return { ...this.#sideOf(SELF), isMeasuredElsewhere: isMeasuredHere, catchUp };
  }

  /** This side of the inbox of a process. Parcels are opened only by the code that they are for; others take them out when they have expired. */
  #sideOf(handle: number): SharedInboxSide {
    const box = handle === SELF ? this.#link.parcels : undefined;
    return {
      parcels: {
        copy: (payload) => payload,
        look: (parcel) => box?.look(parcel) ?? (box && this.call('parcel', parcel, false)),
        take: (parcel) => {
          const payload = box?.take(parcel) ?? (box && this.call('parcel', parcel, true));
          this.post({ is: 'taken', from: handle, parcel });
          return payload;
        },
      },
      owner: {
        sendMessage: (message) => this.call('send', handle, dehydrateMessage(message, this.clock)),
        sendWait: (payload, { signal, ...options }) => this.request({ to: handle, payload, options }, signal),
      },
    };
  }

  call<K extends keyof Calls>(call: K, ...args: Parameters<Calls[K]>): ReturnType<Calls[K]> {
    return this.#link.call(call, ...args);
  }

  isAlive(handle: number): boolean {
    const isAlive = this.call('isAlive', handle);
    if (!isAlive) this.names.ended(handle);
    return isAlive;
  }

  postMessage(to: number, message: MessageData): void {
    if (this.#credit === 0) throw failFast('MailboxFull', `${SEND_WINDOW} messages are on their way out of this process already`);
    this.post({ is: 'send', to, message });
    this.#credit -= 1;
  }

  async request(question: SendWait, signal: AbortSignal | undefined): Promise<SendOutcome> {
    this.#lastNumber += 1;
    const call = this.#lastNumber;
    this.post({ is: 'request', call, question });
    const answered = new Promise<SendOutcome>((resolve, reject) => this.#requests.set(call, { resolve, reject }));
    // Whether it comes in time is decided over there, where the message is.
    const cancel = () => this.post({ is: 'cancel', call });
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await answered;
    } catch (error) {
      throw isAbortOf(signal, error) ? signal?.reason : error;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  watch(target: number | string): Monitor {
    this.#lastNumber += 1;
    const watch = this.#lastNumber;
    const down = new Promise<Down>((resolve) => this.#watches.set(watch, resolve));
    this.post({ is: 'watch', watch, target });
    const demonitor = () => {
      if (!this.#watches.delete(watch)) return false;
      this.post({ is: 'unwatch', watch });
      return true;
    };
    return { down, demonitor };
  }

  /** The sender behind a handle: always the same one, so that refs can be compared. */
  senderOf({ number, process, inbox }: Handle): OwnedSender {
    const entry = this.#refs.get(number);
    const heard = (entry?.heard ?? 0) + 1;
    const known = entry?.sender.deref();
    if (entry !== undefined && known !== undefined) {
      entry.heard = heard;
      return known;
    }
    const sender = process === undefined ? new RemoteSender(number, this) : new RemoteRef(number, process, this, inbox);
    this.#refs.set(number, { sender: new WeakRef(sender), heard });
    this.#dropped.register(sender, number);
    return sender;
  }

  refOf(handle: Handle): RemoteRef {
    const sender = this.senderOf(handle);
    if (!(sender instanceof RemoteRef)) throw new Error(`handle ${handle.number} is that of no process`);
    return sender;
  }

  exitSignalOf({ from, reason }: Extract<ToCode, { is: 'exit_signal' }>): ExitSignal {
    return { ref: this.refOf(from), reason: reviveReason(reason) };
  }

  credit(count: number): void {
    this.#credit += count;
    if (this.#droppedLines === 0) return;
    const dropped = this.#droppedLines;
    this.#droppedLines = 0;
    this.log.warn(`${dropped} lines of the log were dropped, because they came faster than they could be written`);
  }

  answer(call: number, answer: Answer): void {
    const request = this.#requests.get(call);
    this.#requests.delete(call);
    if (request === undefined) return;
    if ('error' in answer) request.reject(revive(answer.error));
    else request.resolve(isOutcome(answer.value) ? answer.value : 'queued');
  }

  /** A reply has come over. */
  replied({ to, correlationId, outcome }: Reply): void {
    this.replies.deliver(to, correlationId, reviveOutcome(outcome), this.#homeward);
  }

  /** Replies for an address can go through memory from now on, unless too many threads use that. */
  keepBox({ to, box }: Extract<ToCode, { is: 'reply_box' }>): void {
    for (const [address, known] of this.#boxes) if (known.isClosed) this.#boxes.delete(address);
    try {
      this.#boxes.set(to, new SharedReplyBox(this.environment, box));
    } catch (error) {
      if (!isVigilError(error, 'InvalidConfiguration')) throw error;
    }
  }

  down({ watch, id, from, reason }: Extract<ToCode, { is: 'down' }>): void {
    const resolve = this.#watches.get(watch);
    this.#watches.delete(watch);
    const ref = from === undefined ? undefined : this.refOf(from);
    resolve?.({ id, ref, reason: reason === undefined ? { kind: 'noproc' } : reviveReason(reason) });
  }

  /** Nobody here holds it any more, unless it has come again meanwhile. */
  #forget(handle: number): void {
    const entry = this.#refs.get(handle);
    if (entry === undefined || entry.sender.deref() !== undefined) return;
    this.#refs.delete(handle);
    this.post({ is: 'forget', handle, heard: entry.heard });
  }

  #logLine(level: keyof Logger, message: string, details: unknown): void {
    if (this.#credit === 0) {
      this.#droppedLines += 1;
      return;
    }
    this.#credit -= 1;
    this.post({ is: 'log', level, message, details: details === undefined ? undefined : dehydrate(details) });
  }
}

/** What a wait over there rejects with when it was cancelled from here. */
function isAbortOf(signal: AbortSignal | undefined, error: unknown): boolean {
  return signal?.aborted === true && error instanceof Error && error.name === 'AbortError';
}

function isOutcome(value: unknown): value is SendOutcome {
  return value === 'queued' || value === 'dead_lettered' || value === 'dropped';
}

/** A payload that cannot be cloned is refused by the channel itself; its sender is told in Vigil's words. */
export function refusedBy(cause: unknown): unknown {
  if (isVigilError(cause)) return cause;
  return new VigilError('InvalidMessage', 'it cannot be sent out of this process: it holds what cannot be cloned', { cause });
}
