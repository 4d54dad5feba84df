/** By which name OpenTelemetry knows what makes these spans and metrics. */
export const SCOPE = '@vigiljs/otel';
