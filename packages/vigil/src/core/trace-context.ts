import { checkObject, invalidOption } from './validation.js';

/** What ties work to that which has caused it, in whichever process or machine that was. @see W3C Trace Context */
export interface TraceContext {
  /** `00-<trace id>-<span id>-<flags>`, in hexadecimal digits. */
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
}

/** Knows what goes on now. */
export interface TraceSource {
  readonly tracer: { current(): TraceContext | undefined } | undefined;
}

const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}(-[!-~]*)?$/;
const TRACESTATE = /^[ -~]*$/;

/** Options that say what goes on now, unless they say already what the message is a part of. */
export function withTrace<O extends { readonly trace?: TraceContext | undefined }>(options: O, tracing: TraceSource | undefined): O {
  const current = options.trace === undefined ? tracing?.tracer?.current() : undefined;
  return current === undefined ? options : { ...options, trace: current };
}

/** @throws {VigilError} `InvalidMessage`. */
export function checkTrace(value: unknown): TraceContext {
  const { traceparent, tracestate }: Partial<Record<keyof TraceContext, unknown>> = checkObject('trace', value, 'InvalidMessage');
  if (typeof traceparent !== 'string' || !TRACEPARENT.test(traceparent))
    throw invalidOption('trace.traceparent', 'as W3C Trace Context has it', traceparent, 'InvalidMessage');
  if (tracestate !== undefined && (typeof tracestate !== 'string' || !TRACESTATE.test(tracestate)))
    throw invalidOption('trace.tracestate', 'a string of printable characters', tracestate, 'InvalidMessage');
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}
