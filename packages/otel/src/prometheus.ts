import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { instrument, type InstrumentOptions } from './instrument.js';

export interface PrometheusOptions extends Omit<InstrumentOptions, 'meterProvider'> {
  /** Where it listens; default 9464. 0 takes a free port. */
  readonly port?: number | undefined;
  /** Default `'127.0.0.1'`: who is to be scraped from elsewhere says so. */
  readonly host?: string | undefined;
}

/** An endpoint that Prometheus can scrape. */
export interface PrometheusEndpoint extends AsyncDisposable {
  /** Such as `http://127.0.0.1:9464/metrics`. */
  readonly url: string;
  /** Resolves when nobody listens any more, and the runtime is not instrumented. May be called again. */
  close(): Promise<void>;
}

/**
 * Instruments a runtime and serves its metrics to Prometheus, by OpenTelemetry's own exporter.
 *
 * @throws whatever listening fails with, such as `EADDRINUSE`; {VigilError} as `instrument`.
 */
export async function servePrometheus(options: PrometheusOptions = {}): Promise<PrometheusEndpoint> {
  const { port = 9464, host = '127.0.0.1', ...instrumentOptions } = options;
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [exporter] });
  const stop = instrument({ ...instrumentOptions, meterProvider });
  const server = createServer((request, response) => {
    if (request.url === PATH) exporter.getMetricsRequestHandler(request, response);
    else response.writeHead(404).end();
  });
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    stop();
    await meterProvider.shutdown();
    throw error;
  }
  // It is looked at as long as there is something to see, and no longer.
  server.unref();
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= shutDown(server, meterProvider, stop);
    return closed;
  };
  return { url: `http://${host}:${portOf(server)}${PATH}`, close, [Symbol.asyncDispose]: close };
}

const PATH = '/metrics';

async function shutDown(server: Server, meterProvider: MeterProvider, stop: () => void): Promise<void> {
  stop();
  const isClosed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await Promise.all([isClosed, meterProvider.shutdown()]);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
