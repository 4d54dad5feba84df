import { type Context, context, propagation, ROOT_CONTEXT } from '@opentelemetry/api';
import type { TraceContext } from 'vigiljs';

/** A context as a message carries it; `undefined` when nothing is traced in it, or no propagator for W3C Trace Context is registered. */
export function carried(of: Context = context.active()): TraceContext | undefined {
  const carrier: { traceparent?: string; tracestate?: string } = {};
  propagation.inject(of, carrier);
  const { traceparent, tracestate } = carrier;
  if (traceparent === undefined) return undefined;
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}

/** The context that a message was sent in. */
export function contextOf(trace: TraceContext | undefined): Context {
  return trace === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, trace);
}
