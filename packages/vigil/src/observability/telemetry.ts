import {
  type Cancel,
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

  #listenersTo(eventType: TelemetryEventType): readonly TelemetryHandler[] {
    return this.#handlers.get(eventType) ?? [];
  }

  #listen(eventType: TelemetryEventType, handlers: readonly TelemetryHandler[]): void {
    if (handlers.length === 0) this.#handlers.delete(eventType);
    else this.#handlers.set(eventType, handlers);
    noteWantedTraffic(this.wantedTraffic, this);
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
  }
}

function checkEventType(value: TelemetryEventType): TelemetryEventType {
  if (!isTelemetryEventType(value)) throw invalidOption('eventType', 'a telemetry event type', value);
  return value;
}
