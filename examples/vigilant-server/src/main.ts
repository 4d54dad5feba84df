import { InvalidArgumentError, Option, program } from 'commander';
import * as vigil from 'vigiljs';
import { instrument } from '@vigiljs/otel';
import { POOLS, type ServerOptions, vigilantServer } from './server.js';

program
  .name('vigilant-server')
  .description('A line-oriented TCP server in which everything is a child of one supervision tree.')
  .option('--host <address>', 'where to listen', '127.0.0.1')
  .addOption(new Option('--port <number>', 'where to listen; 0 takes a free port').env('PORT').default(9090).argParser(parsePort))
  .addOption(new Option('--pool <kind>', 'what the workers of HASH are').choices(POOLS).default('thread'))
  .option('--rate <number>', 'requests a second of all clients, above which they are refused', parseRate, 50_000)
  .option('--client-rate <number>', 'requests a second of one client, above which it has to wait', parseRate, 1_000)
  .option('--chaos', 'let clients kill workers with CRASH', false)
  .option('--metrics-port <number>', 'where Prometheus finds metrics; 0 takes a free port, by default there are none', parsePort)
  .option('--trace', 'print spans', false)
  .parse();

const options = program.opts<ServerOptions & { readonly metricsPort?: number }>();
const runtime = vigil.runtime({ log: console });
if (options.trace) {
  const { printSpans } = await import('./print-spans.js');
  printSpans(console.log);
}
if (options.metricsPort !== undefined) {
  const { servePrometheus } = await import('@vigiljs/otel/prometheus');
  const metrics = await servePrometheus({ runtime, host: options.host, port: options.metricsPort });
  runtime.onShutdown(() => metrics.close());
  console.log(`metrics on ${metrics.url}`);
} else if (options.trace) instrument({ runtime, messageMetrics: false });

const app = vigilantServer(runtime, options);
await app.run({ onStarted: () => console.log(vigil.formatTree(app.inspect())) });

function parseRate(text: string): number {
  const rate = Number(text);
  if (/^\d+$/.test(text) && rate > 0) return rate;
  throw new InvalidArgumentError('It must be a whole number of 1 or more.');
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a number from 0 to 65535.');
}
