/** How a runtime is looked at. */
export { EventTimeline, type EventTimelineOptions, type TimelineEntry } from './event-timeline.js';
export { TelemetryEmitter, type TelemetryHandler } from './telemetry.js';
