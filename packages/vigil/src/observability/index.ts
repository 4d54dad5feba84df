/** How a runtime is looked at. */
export { TelemetryEmitter, type TelemetryHandler } from './telemetry.js';
