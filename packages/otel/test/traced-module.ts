import { InMemorySpanExporter, NodeTracerProvider, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { genServer, serverOf } from 'vigiljs';
import { instrument } from '@vigiljs/otel';

/** A span as it travels. */
export interface SpanData {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 2 for an error. */
  readonly status: number;
  readonly events: number;
}

const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
instrument();

/** What the next one can be asked. */
interface Working {
  readonly handlers: { readonly call: { readonly work: (text: string) => { readonly reply: string; readonly state: unknown } } };
}

/** A server in a thread or fork that asks the next one, and tells of its spans. */
export default genServer({
  init: (next: string | undefined) => next,
  call: {
    async work(text: string, next) {
      if (next === undefined) return { reply: `${text} done`, state: next };
      const reply = await serverOf<Working>(next).call.work(`${text} on`);
      return { reply, state: next };
    },
    spans: (_: undefined, next) => ({ reply: exporter.getFinishedSpans().map(dataOf), state: next }),
  },
});

export function dataOf(span: ReadableSpan): SpanData {
  const { name, kind, parentSpanContext, attributes, status, events } = span;
  const { traceId, spanId } = span.spanContext();
  return {
    name,
    kind,
    traceId,
    spanId,
    parentId: parentSpanContext?.spanId,
    attributes: { ...attributes },
    status: status.code,
    events: events.length,
  };
}
