import {
  checkBoolean,
  checkFunction,
  checkMethods,
  checkObject,
  type Clock,
  guardedLogger,
  invalidOption,
  isTelemetryEventType,
  type Logger,
  noteWantedTraffic,
  silentLogger,
  systemTime,
  type TelemetryEvent,
  type TelemetryEvents,
  type TelemetryEventType,
  type TelemetrySink,
} from '../core/index.js';

export type TelemetryHandler<K extends TelemetryEventType = TelemetryEventType> = HandlerMethod<K>['handle'];

// Declared as a method, so that a handler of one event type can be kept in a list of handlers of any.
interface HandlerMethod<K extends TelemetryEventType> {
  handle(event: TelemetryEvent<K>): void;
}

const checkHandler = checkFunction<TelemetryHandler>();

/**
 * Calls handlers with the events they asked for: synchronously, in the order of their registration. A handler that throws
 * is reported to the log and harms nobody.
 */
export class TelemetryEmitter implements TelemetrySink {
  readonly #clock: Pick<Clock, 'wallTime'>;
  readonly #log: Logger;
  /** Lists are replaced, never changed: an event goes to those who listened when it was emitted. */
  readonly #handlers = new Map<TelemetryEventType, readonly TelemetryHandler[]>();
  readonly wantedTraffic: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(4));
  #isEnabled = true;

  /** @param log - hears of handlers that throw; default: nobody does. */
  constructor(clock: Pick<Clock, 'wallTime'> = systemTime, log: Logger = silentLogger) {
    this.#clock = checkMethods('clock', clock, ['wallTime']);
    this.#log = guardedLogger(log);
  }

  /** @throws {VigilError} `InvalidConfiguration` for an unknown event type or a handler that is no function. */
  on<K extends TelemetryEventType>(eventType: K, handler: TelemetryHandler<K>): void {
    checkEventType(eventType);
    checkHandler('handler', handler);
    this.#handlers.set(eventType, [...(this.#handlers.get(eventType) ?? []), handler]);
    noteWantedTraffic(this.wantedTraffic, this);
  }

  removeHandlers(eventType: TelemetryEventType): void {
    this.#handlers.delete(checkEventType(eventType));
    noteWantedTraffic(this.wantedTraffic, this);
  }

  /** Disabled, it drops every event. */
  setEnabled(isEnabled: boolean): void {
    this.#isEnabled = checkBoolean('isEnabled', isEnabled);
    noteWantedTraffic(this.wantedTraffic, this);
  }

  /** @throws {VigilError} `InvalidConfiguration` for an unknown event type. */
  emit<K extends TelemetryEventType>(event: TelemetryEvent<K>): void {
    checkObject('event', event);
    checkEventType(event.eventType);
    this.#deliver(event);
  }

  wants(eventType: TelemetryEventType): boolean {
    return this.#handlers.size > 0 && this.#isEnabled && this.#handlers.has(eventType);
  }

  report<K extends TelemetryEventType>(eventType: K, metadata: TelemetryEvents[K]): void {
    this.#deliver({ eventType, timestampMs: this.#clock.wallTime(), metadata });
  }

  #deliver<K extends TelemetryEventType>(event: TelemetryEvent<K>): void {
    if (!this.#isEnabled) return;
    for (const handler of this.#handlers.get(event.eventType) ?? []) {
      try {
        handler(event);
      } catch (error) {
        this.#log.error(`a telemetry handler of ${event.eventType} failed`, error);
      }
    }
  }
}

function checkEventType(value: TelemetryEventType): TelemetryEventType {
  if (!isTelemetryEventType(value)) throw invalidOption('eventType', 'a telemetry event type', value);
  return value;
}
