import { context, ROOT_CONTEXT, type Span, SpanKind, trace, type Tracer as Spans } from '@opentelemetry/api';
import { describeExit, type Message, type TraceContext, type TracedRequest, type TracedStart, type TracedWork, type Tracer } from 'vigiljs';
import { carried, contextOf } from './carried-context.js';
import { endFailed, endWith, known } from './spans.js';

/** Hears how long the work on a message took, in seconds. */
export type WorkListener = (seconds: number, facts: Pick<TracedWork, 'kind' | 'name' | 'supervisor'>) => void;

/** Makes spans of what a runtime does. */
export class SpanTracer implements Tracer {
  readonly #spans: Spans;
  readonly #worked: WorkListener;

  constructor(spans: Spans, worked: WorkListener) {
    this.#spans = spans;
    this.#worked = worked;
  }

  current(): TraceContext | undefined {
    return carried();
  }

  beginRequest({ to, name }: TracedRequest): { readonly trace: TraceContext | undefined; end(error?: unknown): void } {
    const attributes = known({ 'rpc.system': 'vigil', 'rpc.service': to, 'rpc.method': name });
    const span = this.#spans.startSpan(name === undefined ? `request ${to}` : `${to}/${name}`, { kind: SpanKind.CLIENT, attributes });
    return { trace: carried(trace.setSpan(context.active(), span)), end: (error) => endRequest(span, error) };
  }

  handle<T>(facts: TracedWork, message: Message, work: () => T): T {
    const { id, incarnation, supervisor, kind, name } = facts;
    const attributes = known({
      'rpc.system': 'vigil',
      'rpc.service': id,
      'rpc.method': name,
      'vigil.process.id': id,
      'vigil.process.incarnation': incarnation,
      'vigil.supervisor': supervisor,
    });
    const parent = contextOf(message.trace);
    const options = { kind: kind === 'call' ? SpanKind.SERVER : SpanKind.CONSUMER, attributes };
    const span = this.#spans.startSpan(name === undefined ? `${id} ${kind}` : `${id}/${name}`, options, parent);
    const began = performance.now();
    const worked = () => this.#worked((performance.now() - began) / 1000, facts);
    return endWith(span, () => context.with(trace.setSpan(parent, span), work), worked);
  }

  beginStart({ id, incarnation, supervisor, kind, after }: TracedStart): (error?: unknown) => void {
    const attributes = known({
      'vigil.process.id': id,
      'vigil.process.incarnation': incarnation,
      'vigil.process.kind': kind,
      'vigil.supervisor': supervisor,
      'vigil.restart.reason': after && describeExit(after),
    });
    const span = this.#spans.startSpan(after === undefined ? 'start child' : 'restart child', { attributes });
    return (error) => (error === undefined ? span.end() : endFailed(span, error));
  }

  apart<T>(work: () => T): T {
    return context.with(ROOT_CONTEXT, work);
  }

  bind(callback: () => void): () => void {
    return context.bind(context.active(), callback);
  }
}

function endRequest(span: Span, error: unknown): void {
  if (error === undefined) span.end();
  else endFailed(span, error);
}
