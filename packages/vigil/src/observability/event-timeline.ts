import {
  type Cancel,
  checkMethods,
  checkObject,
  checkOr,
  checkPositiveCount,
  invalidOption,
  isTelemetryEventType,
  RingQueue,
  TELEMETRY_EVENT_TYPES,
  type TelemetryEvent,
  type TelemetryEventType,
} from '../core/index.js';
import type { TelemetryEmitter } from './telemetry.js';

export interface EventTimelineOptions {
  /** Events that are kept, the latest; default 1,000. */
  readonly capacity?: number | undefined;
  /** Which; default: all but those of messages that were sent and received. */
  readonly eventTypes?: readonly TelemetryEventType[] | undefined;
}

/** An event, and which one it was. */
export interface TimelineEntry {
  /** 1 for the first event that the timeline has seen, one more for each that followed. */
  readonly sequence: number;
  readonly event: TelemetryEvent;
}

/** So many that they would push out all else. */
const TRAFFIC: readonly TelemetryEventType[] = ['message_sent', 'message_received'];

/**
 * Keeps the latest events, to be looked at when somebody asks what has happened. What it listens to is no longer free.
 *
 * @example
 * const timeline = new vigil.telemetry.EventTimeline(runtime.telemetry, { capacity: 100 });
 */
export class EventTimeline implements Disposable {
  readonly capacity: number;
  readonly #entries = new RingQueue<TimelineEntry>();
  readonly #cancels: readonly Cancel[];
  #total = 0;

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(emitter: Pick<TelemetryEmitter, 'on'>, options: EventTimelineOptions = {}) {
    checkMethods('emitter', emitter, ['on']);
    checkObject('timeline options', options);
    this.capacity = checkOr(checkPositiveCount, 'capacity', options.capacity, 1_000);
    const { eventTypes = TELEMETRY_EVENT_TYPES.filter((eventType) => !TRAFFIC.includes(eventType)) } = options;
    if (!Array.isArray(eventTypes) || !eventTypes.every(isTelemetryEventType))
      throw invalidOption('eventTypes', 'an array of telemetry event types', eventTypes);
    this.#cancels = eventTypes.map((eventType) => emitter.on(eventType, (event) => this.#keep(event)));
  }

  /** Events that it has seen, those among them that it keeps no more. */
  get total(): number {
    return this.#total;
  }

  /** Those that it keeps, the oldest first. */
  entries(): TimelineEntry[] {
    return [...this.#entries];
  }

  /** Listens no more; what it has it keeps. */
  stop(): void {
    for (const cancel of this.#cancels) cancel();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #keep(event: TelemetryEvent): void {
    this.#total += 1;
    if (this.#entries.size === this.capacity) this.#entries.shift();
    this.#entries.push({ sequence: this.#total, event });
  }
}
