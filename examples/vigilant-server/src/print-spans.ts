import { SpanStatusCode } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import { NodeTracerProvider, type ReadableSpan, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-node';

/** Prints each span of this thread or process when it has ended, in one line. */
export function printSpans(print: (line: string) => void): void {
  const exporter: SpanExporter = {
    export(spans, done) {
      for (const span of spans) print(describe(span));
      done({ code: ExportResultCode.SUCCESS });
    },
    shutdown: () => Promise.resolve(),
  };
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
}

/** `span 4bf92f35 HASH: 12.3 ms`: the beginning of its trace, its name and how long it took. */
function describe(span: ReadableSpan): string {
  const [seconds, nanoseconds] = span.duration;
  const ms = (seconds * 1000 + nanoseconds / 1e6).toFixed(1);
  const failed = span.status.code === SpanStatusCode.ERROR ? ', failed' : '';
  return `span ${span.spanContext().traceId.slice(0, 8)} ${span.name}: ${ms} ms${failed}`;
}
