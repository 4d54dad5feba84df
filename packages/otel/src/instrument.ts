import { type MeterProvider, metrics, trace, type TracerProvider } from '@opentelemetry/api';
import { defaultRuntime, type Runtime, VigilError } from 'vigiljs';
import { Metrics } from './metrics.js';
import { SCOPE } from './scope.js';
import { SpanTracer } from './span-tracer.js';

export interface InstrumentOptions {
  /** What is looked at; default: the default runtime, which in a thread or fork is the one that its module uses. */
  readonly runtime?: Runtime | undefined;
  /** Default: the one that is registered with OpenTelemetry's API. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Default: the one that is registered with OpenTelemetry's API. */
  readonly meterProvider?: MeterProvider | undefined;
  /** Whether messages are counted and their waiting is measured, which takes each about a microsecond; default true. */
  readonly messageMetrics?: boolean | undefined;
}

/**
 * Makes spans and metrics of what a runtime does, until the returned function is called.
 *
 * @throws {VigilError} `InvalidState` when the runtime has a tracer already, `InvalidConfiguration` when it is no runtime.
 */
export function instrument(options: InstrumentOptions = {}): () => void {
  const { runtime = defaultRuntime(), tracerProvider = trace, meterProvider = metrics, messageMetrics = true } = options;
  if (runtime.tracer !== undefined) throw new VigilError('InvalidState', 'the runtime has a tracer already');
  const measures = new Metrics(runtime, meterProvider.getMeter(SCOPE), messageMetrics);
  runtime.tracer = new SpanTracer(tracerProvider.getTracer(SCOPE), (seconds, facts) => measures.worked(seconds, facts));
  return () => {
    runtime.tracer = undefined;
    measures.stop();
  };
}
