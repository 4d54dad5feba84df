import type { Clock } from './clock.js';
import type { MailboxEnvironment } from './environment.js';
import type { Logger } from './logger.js';
import type { TelemetryEvents, TelemetryEventType, TelemetrySink } from './telemetry-event.js';

/** One telemetry event, as it was reported. */
export interface RecordedEvent {
  readonly eventType: TelemetryEventType;
  readonly metadata: TelemetryEvents[TelemetryEventType];
}

/** What a runtime lends to a mailbox, for tests: everything that is reported or logged is written down. */
export class RecordingEnvironment implements MailboxEnvironment {
  readonly clock: Clock;
  readonly events: RecordedEvent[] = [];
  readonly errors: { readonly message: string; readonly details: unknown }[] = [];
  readonly telemetry: TelemetrySink;
  readonly log: Logger;
  #lastMessageId = 0;

  /** @param onEvent - a listener that acts while the event is being reported. */
  constructor(clock: Clock, onEvent?: (eventType: TelemetryEventType) => void) {
    this.clock = clock;
    this.telemetry = {
      wants: () => true,
      report: (eventType, metadata) => {
        this.events.push({ eventType, metadata });
        onEvent?.(eventType);
      },
    };
    this.log = {
      debug() {},
      info() {},
      warn() {},
      error: (message, details) => this.errors.push({ message, details }),
    };
  }

  nextMessageId(): number {
    this.#lastMessageId += 1;
    return this.#lastMessageId;
  }

  /** The names of the events since it was last asked. */
  takeEventTypes(): TelemetryEventType[] {
    return this.events.splice(0).map((event) => event.eventType);
  }
}
