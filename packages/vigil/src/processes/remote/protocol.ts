/**
 * What the two sides of a boundary say to each other. *Here* is the event loop of the supervisor, *there* is the thread or Node process
 * in which the code runs.
 *
 *     here                                     there
 *      │  start ──────────────────────────────▶ │  imports the module, enters its body
 *      │ ◀────────────────────── ready, ignored │
 *      │  deliver(loan) ──────────────────────▶ │  in its buffer, by priority
 *      │ ◀──────────────────────── settled(loan)│  received, or expired in the buffer
 *      │ ◀────────── send, log ── credit ─────▶ │  at most `SEND_WINDOW` of them without credit
 *      │ ◀─────────────── reply ──────────────▶ │  to a call of the other side, or of a third one
 *      │ ◀─────────────────────────────── watch │
 *      │  down, exit_signal ──────────────────▶ │
 *      │  freed(name) ────────────────────────▶ │  whoever was found by that name has it no more
 *      │ ◀────────── request, cancel ── answer ──▶ │  what is awaited there
 *      │  parcel ─────────────────────────────▶ │  beside the others, where it is found without an event loop
 *      │ ◀───────────────── taken(parcel)       │  opened, or gone
 *      │ ◀─────────────── event ── wanted ────▶ │  telemetry, while somebody listens; a thread sees in a shared word what is wanted
 *      │ ◀═══════════ call ═══════════════════▶ │  what blocks there until it is answered
 *      │  ping ── pong ── suspend ── resume ──▶ │
 *      │  stop ───────────────────────────────▶ │  signal and `stopped`; the buffer stays open until
 *      │  drained ────────────────────────────▶ │  nothing more will be delivered
 *      │ ◀──────────────────────── ended(reason)│  then it exits by itself, or is ended a moment later
 *
 * Here is authoritative for identity, names, links, monitors, the inbox and its books; there, for the code: whether it is ready, what it
 * has received, why it ended.
 *
 * To a fork, and for the vast inbox of a thread, messages are lent. What is delivered is out on loan and stays in the books of the inbox
 * until it is settled, so whatever the end of the other side interrupts, a message is either received or a dead letter.
 *
 * A thread has its inbox in memory that both sides share, and no message is said here: `deliver`, `settled` and `drained` are not used. Other
 * threads put their messages there as well, since handles tell them where it is; what they cannot (a parcel, a dead letter, a send to a closed
 * inbox) is the call `send`. What goes another way than messages can be overtaken by them:
 *
 *  - `stop` stands in a shared word, too (`control.ts`), `suspend` and `resume` in the memory of the inbox; both are written first;
 *  - what is `ForHome` is counted there before it is said, and whoever takes a message that was sent later hears it first;
 *  - a parcel is there before its message, or is asked for by `parcel`.
 *
 * The first reply of a thread to another side is said here and passed on, and `reply_box` tells the thread where the next ones can go: into
 * the memory in which that side takes its replies. Whoever is about to tell a caller that there was no reply looks there first.
 *
 * When a thread is gone, its place in each inbox that it knew is buried before its end counts, and what is queued in its own becomes dead letters.
 *
 * Both channels keep their order and lose nothing while both sides live. When the other side is gone, what it had posted is read
 * first, then its end counts. Nothing is doubled.
 */
import type {
  DeadLetter,
  EventOrigin,
  FanOutResult,
  InboxStats,
  Logger,
  MailboxStats,
  Message,
  ReplayOutcome,
  SendOptions,
  SendOutcome,
  SendWaitOptions,
  SharedInboxData,
  Signal,
  TelemetryEventType,
  TraceContext,
  WantedEvents,
} from '../../core/index.js';
import type { ProcessKind, Readiness } from '../runner.js';
import type { Control } from './control.js';
import type { Data, ReasonData } from './data.js';
import type { PassedInbox } from './passed-inboxes.js';

/** Messages of one priority that may be out on loan. */
export const LOAN_WINDOW = 32;

/** Parcels that may be on their way to a thread without having been opened. */
export const PARCEL_WINDOW = 32;

/** Sends and log lines that may be on their way here without having been dealt with. */
export const SEND_WINDOW = 1_000;

/** How many of them are dealt with before credit is given back. */
export const CREDIT_BATCH = 100;

/** The handle of the process itself. */
export const SELF = 0;

/** A sender or process here, as it is known there. */
export interface Handle {
  readonly number: number;
  /** Of a process; a mailbox has none. */
  readonly process: { readonly id: string; readonly incarnation: number; readonly kind: ProcessKind } | undefined;
  /** Where a thread puts its messages for it, without asking anybody. */
  readonly inbox?: SharedInboxData | undefined;
}

/** Who has a name, and what was said with it. */
export interface Entry {
  readonly holder: Handle;
  readonly value: unknown;
}

export interface MessageData {
  readonly id: string;
  readonly sender: string | undefined;
  readonly payload: unknown;
  readonly signal: Signal | undefined;
  readonly priority: Message['priority'];
  readonly ttlMs: number | undefined;
  /** By the time of the machine, so that its time to live goes on while nobody looks at it on its way. */
  readonly expiresAtMs: number | undefined;
  readonly correlationId: string | undefined;
  readonly replyTo: string | undefined;
  readonly topic?: string;
  readonly attemptCount: number;
  readonly trace: TraceContext | undefined;
}

/** A reply on its way to the side that `to` names. */
export interface Reply {
  readonly is: 'reply';
  readonly to: string;
  readonly correlationId: string;
  readonly outcome: ReplyData;
}

export type ReplyData = { readonly payload: unknown } | { readonly error: Data };

/** The inbox of a thread on its way there. */
export interface SharedMailData {
  readonly inbox: SharedInboxData;
  readonly control: Control;
  /** Whether it has a size limit that only the other side can measure by. */
  readonly isMeasuredHere: boolean;
}

export interface StartOrder {
  readonly is: 'start';
  readonly id: string;
  readonly incarnation: number;
  readonly kind: ProcessKind;
  readonly args: unknown;
  /** Shared inboxes that belong into the args. */
  readonly inboxes: readonly PassedInbox[];
  readonly readiness: Readiness;
  readonly priorityQueues: boolean;
  /** Of a thread: its own inbox, unless that is lent. */
  readonly mail: SharedMailData | undefined;
  /** Which events are wanted here: words that a thread can look into, or the bits of now. */
  readonly wantedEvents: WantedEvents | number;
  readonly supervisor: string;
  /** The number of that side, of which the runtime gives no other: the beginning of the ids of messages that are made there. */
  readonly messageIds: number | string;
}

/** What is said there. */
export type ToCode =
  | StartOrder
  | Reply
  | { readonly is: 'stop' | 'suspend' | 'resume' | 'drained' }
  | { readonly is: 'deliver'; readonly loan: number; readonly message: MessageData }
  | { readonly is: 'credit'; readonly count: number }
  | { readonly is: 'answer'; readonly call: number; readonly answer: Answer }
  | {
      readonly is: 'down';
      readonly watch: number;
      readonly id: string;
      readonly from: Handle | undefined;
      readonly reason: ReasonData | undefined;
    }
  | { readonly is: 'exit_signal'; readonly from: Handle; readonly reason: ReasonData }
  | { readonly is: 'notify'; readonly signal: Signal }
  /** To a fork: which events are wanted from now on. */
  | { readonly is: 'wanted'; readonly bits: number }
  | { readonly is: 'freed'; readonly name: string }
  /** Where the next replies for an address can go. */
  | { readonly is: 'reply_box'; readonly to: string; readonly box: SharedArrayBuffer }
  /** How is the runtime there? */
  | { readonly is: 'look'; readonly number: number }
  | { readonly is: 'ping'; readonly number: number };

/** What is said to whoever runs there, whether the module is there or not. */
export type ForHome = Extract<ToCode, { is: 'credit' | 'answer' | 'reply' | 'down' | 'freed' | 'reply_box' | 'wanted' | 'look' }>;

const FOR_HOME: Readonly<Record<ForHome['is'], true>> = {
  credit: true,
  answer: true,
  reply: true,
  down: true,
  freed: true,
  reply_box: true,
  wanted: true,
  look: true,
};

export function isForHome(message: ToCode): message is ForHome {
  return Object.hasOwn(FOR_HOME, message.is);
}

/** Something that happened there and is wanted here. */
export interface EventData {
  readonly is: 'event';
  readonly eventType: TelemetryEventType;
  /** All that it tells but the reason of an end. */
  readonly facts: object;
  readonly reason: ReasonData | undefined;
  /** Where it happened, if not in this process itself. */
  readonly origin: EventOrigin | undefined;
}

/** What is said here. */
export type FromCode =
  | Reply
  | { readonly is: 'ready' | 'ignored' }
  /** `lastMessage`: the payload that a thread had received last, when it ended abnormally. */
  | { readonly is: 'ended'; readonly reason: ReasonData; readonly lastMessage?: Data }
  /** A parcel was taken out of an inbox, or is gone. */
  | { readonly is: 'taken'; readonly from: number; readonly parcel: number }
  | EventData
  | { readonly is: 'settled'; readonly loan: number; readonly outcome: 'received' | 'expired' }
  | { readonly is: 'send'; readonly to: number; readonly message: MessageData }
  | { readonly is: 'log'; readonly level: keyof Logger; readonly message: string; readonly details: Data | undefined }
  | { readonly is: 'request'; readonly call: number; readonly question: SendWait }
  | { readonly is: 'cancel'; readonly call: number }
  /** The answer to `look`. */
  | { readonly is: 'seen'; readonly number: number; readonly seen: unknown }
  | { readonly is: 'close'; readonly discard: boolean }
  | { readonly is: 'watch'; readonly watch: number; readonly target: number | string }
  | { readonly is: 'unwatch'; readonly watch: number }
  | { readonly is: 'forget'; readonly handle: number; readonly heard: number }
  | { readonly is: 'pong'; readonly number: number; readonly memoryBytes: number };

export interface SendWait {
  readonly to: number;
  readonly payload: unknown;
  readonly options: Omit<SendWaitOptions, 'signal'>;
}

/** What there asks here and waits for. */
export interface Calls {
  /** Whoever was found is known from then on, until it is said that the name is `freed`. */
  whereis(name: string): Handle | undefined;
  lookup(name: string): Entry[];
  register(name: string, holder: number, value: unknown): void;
  update(name: string, holder: number, value: unknown): void;
  release(name: string, holder: number): boolean;
  unregister(name: string): boolean;
  namesOf(holder: number): string[];
  nameCount(): number;
  snapshot(): Map<string, MailboxStats>;
  publish(topic: string, payload: unknown, options: SendOptions | undefined): FanOutResult;
  publishBatch(topic: string, payloads: readonly unknown[], options: SendOptions | undefined): FanOutResult;
  /** The code numbers the places that it takes in the broker. */
  addPatterns(place: number, holder: number, patterns: readonly string[]): void;
  removePatterns(place: number, patterns: readonly string[]): void;
  closePlace(place: number): void;
  isAlive(handle: number): boolean;
  stats(handle: number): MailboxStats;
  /** These two are asked, though nothing comes back: between processes, a question can overtake what was said before. */
  link(handle: number): void;
  trapExits(): void;
  unlink(handle: number): boolean;
  /** What a shared inbox cannot take from there. */
  send(handle: number, message: MessageData): SendOutcome;
  /** What the code was sent as a parcel that has not come over yet. */
  parcel(parcel: number, isTaken: boolean): unknown;
  /** Closes the inbox of the code and gives up what is queued. */
  discardQueued(): void;
  /** Answered when all is heard that was said before. */
  catchUp(): void;
  inboxStats(): InboxStats;
  peek(limit: number | undefined): MessageData[];
  deadLetter(message: MessageData): LetterData;
  /** Keeps a reply that nobody there waits for any more. */
  keepLate(message: MessageData): void;
  deadLetters(): { readonly letters: LetterData[]; readonly capacity: number; readonly evicted: number };
  replay(id: number, to: number | undefined): ReplayOutcome;
  discard(id: number): boolean;
  discardAll(): number;
}

export type LetterData = Omit<DeadLetter, 'message'> & { readonly message: MessageData };

export type Call = { [K in keyof Calls]: { readonly call: K; readonly args: Parameters<Calls[K]> } }[keyof Calls];

/** A payload that does not lie in the memory of an inbox, or the news that it is needed no more. */
export interface ParcelData {
  readonly parcel: number;
  readonly payload: unknown;
  readonly isGone?: boolean;
}

/** Where the parcels for the code come to. */
export interface ParcelBox {
  /** A copy of one; `undefined` when it has not come over. */
  look(parcel: number): unknown;
  take(parcel: number): unknown;
}

/** What came of a call or a request. */
export type Answer<T = unknown> = { readonly value: T } | { readonly error: Data };

/** The half of a boundary that the code's side has. */
export interface LinkHome {
  /** @throws {VigilError} `InvalidMessage` when it holds what cannot be cloned. */
  post(message: FromCode): void;
  /** Of a thread: hears at once what was said and is for the home, though its event loop may not turn. */
  catchUp?(): void;
  /** Of a thread. */
  readonly parcels?: ParcelBox;
  /** Blocks until it is answered. */
  call<K extends keyof Calls>(call: K, ...args: Parameters<Calls[K]>): ReturnType<Calls[K]>;
}
