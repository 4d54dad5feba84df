import type { Cancel } from './clock.js';
import type { DeadLetterReason } from './dead-letter.js';
import type { ExitReason } from './exit-reason.js';
import type { MessagePriority, Signal } from './message.js';

/** Which process an event is about. */
export interface ProcessFacts {
  readonly id: string;
  /** 1 for the first start of a child, one more for each restart. */
  readonly incarnation: number;
  /** The supervisor's name with its ancestors': `app/pool`. */
  readonly supervisor: string;
}

/** Which message in which mailbox an event is about. */
export interface MessageFacts {
  readonly mailbox: string;
  readonly messageId: string;
  readonly priority: MessagePriority;
  /** Of the inbox of a process: its supervisor's name with its ancestors'. Then `mailbox` is the id of the process. */
  readonly supervisor?: string | undefined;
}

/** A message in a mailbox, as events tell of it. */
export function messageFacts(mailbox: string, messageId: string, priority: MessagePriority, supervisor: string | undefined): MessageFacts {
  return supervisor === undefined ? { mailbox, messageId, priority } : { mailbox, messageId, priority, supervisor };
}

/** What each telemetry event tells, by the event's name. */
export interface TelemetryEvents {
  process_started: ProcessFacts;
  /** The process ended cleanly, or its supervisor stopped it. */
  process_stopped: ProcessFacts & { readonly reason: ExitReason };
  /** The process ended abnormally by itself. */
  process_crashed: ProcessFacts & { readonly reason: ExitReason };
  /** The process handles no more messages until it is resumed. */
  process_suspended: ProcessFacts;
  process_resumed: ProcessFacts;
  /** The process was sent one of Vigil's own signals, such as `memoryWarning`. */
  process_signalled: ProcessFacts & { readonly signal: Signal };
  message_sent: MessageFacts;
  message_received: MessageFacts;
  message_expired: MessageFacts;
  /**
   * A message is gone that was in the mailbox, or that was published and the mailbox refused: nobody received it and no dead letter
   * holds it.
   */
  message_dropped: MessageFacts;
  message_dead_lettered: MessageFacts & { readonly deadLetterId: number; readonly reason: DeadLetterReason };
  message_replayed: MessageFacts & { readonly deadLetterId: number };
  /** One event for one act of discarding, however many dead letters it took. */
  message_discarded: { readonly mailbox: string; readonly count: number };
  poison_message_detected: MessageFacts & { readonly deadLetterId: number; readonly attempts: number };
  supervisor_started: { readonly supervisor: string; readonly children: number };
  supervisor_stopped: { readonly supervisor: string; readonly reason: ExitReason };
  /** A child's end is answered with a restart, of it or of its group. */
  supervisor_restart: { readonly supervisor: string; readonly id: string; readonly reason: ExitReason; readonly restartsLeft: number };
  supervisor_child_added: { readonly supervisor: string; readonly id: string };
  supervisor_child_removed: { readonly supervisor: string; readonly id: string };
  /** From now on calls are refused. */
  circuit_opened: {
    readonly circuit: string;
    /** In a row, up to now. */
    readonly failures: number;
    readonly because: 'failures' | 'failure_rate' | 'probe_failed' | 'forced' | 'restored';
  };
  /** The first call after the reset time-out is tried. */
  circuit_half_open: { readonly circuit: string };
  circuit_closed: { readonly circuit: string };
  /** Its `init` is done. */
  genserver_started: ProcessFacts;
  /** It has terminated; not told of one that was killed. */
  genserver_stopped: ProcessFacts & { readonly reason: ExitReason };
  /** A handler returned a state that is another value. */
  genserver_state_changed: ProcessFacts;
}

export type TelemetryEventType = keyof TelemetryEvents;

const EVERY_TYPE: Record<TelemetryEventType, true> = {
  process_started: true,
  process_stopped: true,
  process_crashed: true,
  process_suspended: true,
  process_resumed: true,
  process_signalled: true,
  message_sent: true,
  message_received: true,
  message_expired: true,
  message_dropped: true,
  message_dead_lettered: true,
  message_replayed: true,
  message_discarded: true,
  poison_message_detected: true,
  supervisor_started: true,
  supervisor_stopped: true,
  supervisor_restart: true,
  supervisor_child_added: true,
  supervisor_child_removed: true,
  circuit_opened: true,
  circuit_half_open: true,
  circuit_closed: true,
  genserver_started: true,
  genserver_stopped: true,
  genserver_state_changed: true,
};

/** Every event there is. */
export const TELEMETRY_EVENT_TYPES: readonly TelemetryEventType[] = Object.keys(EVERY_TYPE).filter(isTelemetryEventType);

export function isTelemetryEventType(value: unknown): value is TelemetryEventType {
  return typeof value === 'string' && Object.hasOwn(EVERY_TYPE, value);
}

/** The process, in a thread or fork, in which something happened. */
export interface EventOrigin extends ProcessFacts {
  readonly kind: 'thread' | 'fork';
}

export interface TelemetryEvent<K extends TelemetryEventType = TelemetryEventType> {
  readonly eventType: K;
  /** Wall-clock time, in milliseconds since 1970. */
  readonly timestampMs: number;
  readonly metadata: TelemetryEvents[K];
  /** Absent when it happened in this event loop. */
  readonly origin?: EventOrigin | undefined;
}

/**
 * Where parts of Vigil report what happens. They ask `wants` first, so that an event nobody listens to costs one look-up
 * and no object.
 */
export interface TelemetrySink {
  wants(eventType: TelemetryEventType): boolean;
  /** Words in which threads see which events are wanted now, a bit for each: wanted is what any of them has. To read them brings them up to date. */
  readonly wantedEvents?: WantedEvents;
  /** Calls back when other events are wanted than before. */
  onWantedChange?(callback: () => void): Cancel;
  report<K extends TelemetryEventType>(eventType: K, metadata: TelemetryEvents[K], origin?: EventOrigin): void;
}

export type WantedEvents = readonly Int32Array<SharedArrayBuffer>[];

/** Where threads see what a sink wants; of a sink that does not say when that changes, it is what it wants now. */
export function wantedEventsOf(sink: TelemetrySink): WantedEvents {
  return sink.wantedEvents ?? [noteWanted(wantedWord(), (eventType) => sink.wants(eventType))];
}

/** A word for the events that are wanted. */
export function wantedWord(bits = 0): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4)).fill(bits);
}

export function noteWanted(
  word: Int32Array<SharedArrayBuffer>,
  isWanted: (eventType: TelemetryEventType) => boolean,
): Int32Array<SharedArrayBuffer> {
  const bits = TELEMETRY_EVENT_TYPES.reduce((sum, eventType) => sum | (isWanted(eventType) ? bitOf(eventType) : 0), 0);
  Atomics.store(word, 0, bits);
  return word;
}

export function wantedBits(words: WantedEvents): number {
  return words.reduce((bits, word) => bits | Atomics.load(word, 0), 0);
}

export function isWantedIn(words: WantedEvents, eventType: TelemetryEventType): boolean {
  return (wantedBits(words) & bitOf(eventType)) !== 0;
}

function bitOf(eventType: TelemetryEventType): number {
  return 1 << TELEMETRY_EVENT_TYPES.indexOf(eventType);
}

/** A sink that wants nothing. */
export const noTelemetry: TelemetrySink = { wants: () => false, report() {} };
