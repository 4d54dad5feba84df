/**
 * OpenTelemetry for Vigil, by its public API alone.
 *
 *     span-tracer.ts   a `Tracer` of a runtime: requests, what servers handle, starts of children become spans
 *     handling.ts      the sub-path `@vigiljs/otel/handling`, the same for the work of a plain task on a message: all that the module of a worker
 *                      needs, so that it need not load the rest
 *     metrics.ts       counters and histograms out of telemetry events, gauges out of snapshots
 *     prometheus.ts    the sub-path `@vigiljs/otel/prometheus`: the metrics on an endpoint
 *
 * A context travels as W3C Trace Context in the messages themselves (`message.trace`), written and read by the propagator that is registered with
 * OpenTelemetry's API. Each thread and fork has an API of its own, in which its module registers a provider and calls `instrument()`; where it does
 * not, it makes no spans, and may still pass on the `trace` of a message.
 */
export { instrument, type InstrumentOptions } from './instrument.js';
