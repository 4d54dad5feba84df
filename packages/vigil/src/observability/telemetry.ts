import { type Channel, channel } from 'node:diagnostics_channel';
import {
  type Cancel,
  checkBoolean,
  checkFunction,
  checkMethods,
  checkObject,
  type Clock,
  type EventOrigin,
  guardedLogger,
  invalidOption,
  isTelemetryEventType,
  type Logger,
  noteWanted,
  silentLogger,
  systemTime,
  type TelemetryEvent,
  type TelemetryEvents,
  type TelemetryEventType,
  type TelemetrySink,
  TELEMETRY_EVENT_TYPES,
  type WantedEvents,
  wantedWord,
} from '../core/index.js';

export type TelemetryHandler<K extends TelemetryEventType = TelemetryEventType> = HandlerMethod<K>['handle'];

// Declared as a method, so that a handler of one event type can be kept in a list of handlers of any.
interface HandlerMethod<K extends TelemetryEventType> {
  handle(event: TelemetryEvent<K>): void;
}

const checkHandler = checkFunction<TelemetryHandler>();

/** Those of Node, common to all runtimes of the process. */
const channels: ReadonlyMap<TelemetryEventType, Channel> = new Map(
  TELEMETRY_EVENT_TYPES.map((eventType) => [eventType, channel(`vigil:${eventType}`)]),
);
const sent = channel('vigil:message_sent');
const received = channel('vigil:message_received');

/** Those that are asked for with every message are found without a look-up, which takes three times as long as all the rest. */
function channelOf(eventType: TelemetryEventType): Channel | undefined {
  if (eventType === 'message_sent') return sent;
  return eventType === 'message_received' ? received : channels.get(eventType);
}

/**
 * Calls handlers with the events they asked for: synchronously, in the order of their registration. A handler that throws
 * is reported to the log and harms nobody. Then each event is published on the channel `vigil:<event type>` of Node's `diagnostics_channel`.
 *
 * What happens in threads and forks is heard of, too, with its `origin`. Where nobody but subscribers of a channel want it, it is told from the
 * next health check on.
 */
export class TelemetryEmitter implements TelemetrySink {
  readonly #clock: Pick<Clock, 'wallTime'>;
  readonly #log: Logger;
  /** Lists are replaced, never changed: an event goes to those who listened when it was emitted. */
  readonly #handlers = new Map<TelemetryEventType, readonly TelemetryHandler[]>();
  readonly #upstream: TelemetrySink | undefined;
  readonly #wanted = wantedWord();
  readonly #wantedCallbacks = new Set<() => void>();
  #isEnabled = true;

  /**
   * @param log - hears of handlers that throw; default: nobody does.
   * @param upstream - of a runtime that stands for another one: hears everything that it wants.
   */
  constructor(clock: Pick<Clock, 'wallTime'> = systemTime, log: Logger = silentLogger, upstream?: TelemetrySink) {
    this.#clock = checkMethods('clock', clock, ['wallTime']);
    this.#log = guardedLogger(log);
    this.#upstream = upstream;
  }

  get wantedEvents(): WantedEvents {
    return [noteWanted(this.#wanted, (eventType) => this.#isWantedHere(eventType)), ...(this.#upstream?.wantedEvents ?? [])];
  }

  onWantedChange(callback: () => void): Cancel {
    // Of its own, so that one callback can be added twice.
    const entry = () => callback();
    this.#wantedCallbacks.add(entry);
    return () => this.#wantedCallbacks.delete(entry);
  }

  /**
   * @returns takes this registration back, whatever else the handler was registered for. An event that is being emitted still reaches it.
   * @throws {VigilError} `InvalidConfiguration` for an unknown event type or a handler that is no function.
   */
  on<K extends TelemetryEventType>(eventType: K, handler: TelemetryHandler<K>): Cancel {
    checkEventType(eventType);
    checkHandler('handler', handler);
    // Of its own, so that one handler can be registered twice.
    const entry: TelemetryHandler<K> = (event) => handler(event);
    this.#listen(eventType, [...this.#listenersTo(eventType), entry]);
    return () => {
      const listeners = this.#listenersTo(eventType);
      const others = listeners.filter((other) => other !== entry);
      if (others.length === listeners.length) return false;
      this.#listen(eventType, others);
      return true;
    };
  }

  removeHandlers(eventType: TelemetryEventType): void {
    this.#listen(checkEventType(eventType), []);
  }

  /** Disabled, it drops every event. */
  setEnabled(isEnabled: boolean): void {
    this.#isEnabled = checkBoolean('isEnabled', isEnabled);
    this.#wantedChanged();
  }

  /** @throws {VigilError} `InvalidConfiguration` for an unknown event type. */
  emit<K extends TelemetryEventType>(event: TelemetryEvent<K>): void {
    checkObject('event', event);
    checkEventType(event.eventType);
    this.#deliver(event);
  }

  wants(eventType: TelemetryEventType): boolean {
    return this.#isWantedHere(eventType) || this.#upstream?.wants(eventType) === true;
  }

  report<K extends TelemetryEventType>(eventType: K, metadata: TelemetryEvents[K], origin?: EventOrigin): void {
    const timestampMs = this.#clock.wallTime();
    this.#deliver(origin === undefined ? { eventType, timestampMs, metadata } : { eventType, timestampMs, metadata, origin });
    if (this.#upstream?.wants(eventType) === true) this.#upstream.report(eventType, metadata, origin);
  }

  #isWantedHere(eventType: TelemetryEventType): boolean {
    const isHandled = this.#handlers.size > 0 && this.#handlers.has(eventType);
    return (isHandled || channelOf(eventType)?.hasSubscribers === true) && this.#isEnabled;
  }

  #listenersTo(eventType: TelemetryEventType): readonly TelemetryHandler[] {
    return this.#handlers.get(eventType) ?? [];
  }

  #listen(eventType: TelemetryEventType, handlers: readonly TelemetryHandler[]): void {
    if (handlers.length === 0) this.#handlers.delete(eventType);
    else this.#handlers.set(eventType, handlers);
    this.#wantedChanged();
  }

  #wantedChanged(): void {
    void this.wantedEvents;
    for (const callback of this.#wantedCallbacks) callback();
  }

  #deliver<K extends TelemetryEventType>(event: TelemetryEvent<K>): void {
    if (!this.#isEnabled) return;
    for (const handler of this.#listenersTo(event.eventType)) {
      try {
        handler(event);
      } catch (error) {
        this.#log.error(`a telemetry handler of ${event.eventType} failed`, error);
      }
    }
    const published = channelOf(event.eventType);
    if (published?.hasSubscribers === true) published.publish(event);
  }
}

function checkEventType(value: TelemetryEventType): TelemetryEventType {
  if (!isTelemetryEventType(value)) throw invalidOption('eventType', 'a telemetry event type', value);
  return value;
}
