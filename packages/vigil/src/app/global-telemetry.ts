import type { TelemetryEvent, TelemetryEventType } from '../core/index.js';
import type { TelemetryEmitter } from '../observability/index.js';
import { defaultRuntime } from './default-runtime.js';

export {
  EventTimeline,
  type EventTimelineOptions,
  TelemetryEmitter,
  type TelemetryHandler,
  type TimelineEntry,
} from '../observability/index.js';
export type { EventOrigin, TelemetryEvent, TelemetryEvents, TelemetryEventType } from '../core/index.js';

/** Makes sure that the default runtime exists and gives its emitter. Calling it is never needed: kept for the reference. */
export function initGlobal(): TelemetryEmitter {
  return getGlobal();
}

/** The emitter of the default runtime. */
export function getGlobal(): TelemetryEmitter {
  return defaultRuntime().telemetry;
}

/** Emits an event on the default runtime. */
export function emit<K extends TelemetryEventType>(event: TelemetryEvent<K>): void {
  getGlobal().emit(event);
}
