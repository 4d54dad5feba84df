import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { context, metrics, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import * as vigil from 'vigiljs';
import { instrument } from '@vigiljs/otel';
import { handling } from '@vigiljs/otel/handling';
import { dataOf, type SpanData } from './traced-module.js';
import type * as tracedModule from './traced-module.js';

const MODULE = new URL('./traced-module.js', import.meta.url);
const exporter = new InMemorySpanExporter();

/** The spans since the last look, in the order in which they ended. */
function spans(): SpanData[] {
  const finished = exporter.getFinishedSpans().map(dataOf);
  exporter.reset();
  return finished;
}

describe('instrument', () => {
  let uninstrument: (() => void) | undefined;
  let runtime: vigil.Runtime;

  before(() => {
    // The module that is imported for its types has registered a provider, too.
    for (const api of [trace, context, propagation, metrics]) api.disable();
    new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
  });
  after(() => trace.disable());
  afterEach(() => {
    uninstrument?.();
    exporter.reset();
  });

  function instrumented(options: vigil.RuntimeOptions = {}): vigil.Runtime {
    runtime = vigil.runtime(options);
    uninstrument = instrument({ runtime });
    return runtime;
  }

  it('makes one trace of what goes through an inbox, a thread and a fork', { timeout: 30_000 }, async () => {
    instrumented();
    const orders = runtime.inbox<string>();
    const relay = async () => {
      for await (const message of orders) {
        await handling(
          message,
          async () => vigil.reply(message, await runtime.serverOf<typeof tracedModule>('thread').call.work(message.payload)),
          { name: 'relay' },
        );
      }
    };
    const fork = await runtime.startServer(vigil.fork<typeof tracedModule>(MODULE, { args: undefined }), { id: 'fork', name: 'fork' });
    const thread = await runtime.startServer(vigil.thread<typeof tracedModule>(MODULE, { args: 'fork' }), { id: 'thread', name: 'thread' });
    const supervisor = runtime.supervisor().child('relay', relay).build();
    await supervisor.start();
    spans();

    const client = trace.getTracer('test').startSpan('client');
    const reply = await context.with(trace.setSpan(context.active(), client), () => runtime.request(orders, 'pack'));
    client.end();
    assert.equal(reply, 'pack on done');
    const here = spans();
    const [there, further] = await Promise.all([thread.call.spans(undefined), fork.call.spans(undefined)]);
    await Promise.all([thread.stop(), fork.stop()]);
    orders.close();
    await supervisor.stop();

    const { traceId } = client.spanContext();
    const all = [...here, ...there, ...further].filter((span) => span.traceId === traceId);
    const parentOf = ({ parentId }: SpanData) => all.find(({ spanId }) => spanId === parentId)?.name;
    assert.deepEqual(sorted(all.map((span) => `${SpanKind[span.kind]} ${span.name} < ${parentOf(span)}`)), [
      'CLIENT fork/work < thread/work',
      'CLIENT request inbox < client',
      'CLIENT thread/work < relay',
      'CONSUMER relay < request inbox',
      'INTERNAL client < undefined',
      'SERVER fork/work < fork/work',
      'SERVER thread/work < thread/work',
    ]);
  });

  it('makes a span of a call at both ends, with what went wrong', async () => {
    instrumented();
    const server = vigil.genServer({
      init: () => 0,
      call: {
        fail: () => Promise.reject<{ reply: number; state: number }>(new TypeError('bad')),
        later: async (_: undefined, state) => ({ reply: state, state }),
      },
      cast: { set: (n: number) => n },
      info: (_: unknown, state) => state,
    });
    const handle = await runtime.startServer(server, { id: 'counter' });
    spans();
    handle.cast.set(1);
    handle.info('x');
    await handle.call.later();
    assert.deepEqual(
      sorted(
        spans().map(({ name, kind, status, attributes }) => `${SpanKind[kind]} ${name} ${status} ${String(attributes['rpc.method'])}`),
      ),
      ['CLIENT counter/later 0 later', 'CONSUMER counter info 0 undefined', 'CONSUMER counter/set 0 set', 'SERVER counter/later 0 later'],
    );
    await assert.rejects(handle.call.fail());
    const failed = spans().filter(({ name }) => name === 'counter/fail');
    assert.deepEqual(
      sorted(
        failed.map(({ kind, status, attributes, events }) => `${SpanKind[kind]} ${status} ${String(attributes['error.type'])} ${events}`),
      ),
      ['CLIENT 2 ProcessNotFound 1', 'SERVER 2 TypeError 1'],
    );
  });

  it('makes a span of a start, of a restart and of a start that fails', async () => {
    instrumented();
    const restarted = new Promise((resolve) =>
      runtime.telemetry.on('process_started', ({ metadata }) => metadata.incarnation === 2 && resolve(metadata)),
    );
    const body = async ({ incarnation, stopped }: vigil.ProcessContext) => {
      if (incarnation === 1) throw new Error('boom');
      await stopped;
    };
    const supervisor = runtime.supervisor().name('app').child('a', body).build();
    await supervisor.start();
    await restarted;
    const failing = () => Promise.reject(new Error('no'));
    await assert.rejects(supervisor.startChild({ id: 'b', startFn: failing, readiness: 'explicit' }));
    await supervisor.stop();
    assert.deepEqual(
      spans().map(({ name, attributes, status }) => [name, attributes['vigil.process.id'], attributes['vigil.restart.reason'], status]),
      [
        ['start child', 'a', undefined, SpanStatusCode.UNSET],
        ['restart child', 'a', 'crashed: Error: boom', SpanStatusCode.UNSET],
        ['start child', 'b', undefined, SpanStatusCode.ERROR],
      ],
    );
  });

  it('leaves what a child does out of the trace of its start, and what a timer does in that of who has set it', async () => {
    instrumented();
    const inbox = runtime.inbox<string>();
    const worker = async () => {
      inbox.send('from the worker');
    };
    const supervisor = runtime.supervisor().child('worker', worker, { restartType: 'temporary' }).build();
    const client = trace.getTracer('test').startSpan('client');
    const fired = new Promise<void>((resolve) => {
      context.with(trace.setSpan(context.active(), client), () => {
        void supervisor.start();
        new vigil.Timer(runtime).setTimeout(1, () => resolve(void inbox.send('from the timer')), { keepAlive: true });
      });
    });
    await fired;
    await supervisor.stop();
    const traces = inbox.recvBatch(2).map((message) => message.trace?.traceparent.includes(client.spanContext().traceId) ?? false);
    assert.deepEqual(traces, [false, true]);
  });

  it('takes the trace from the message alone, and gives what the work gives', async () => {
    instrumented();
    const inbox = runtime.inbox<string>();
    const sender = trace.getTracer('test').startSpan('sender');
    context.with(trace.setSpan(context.active(), sender), () => inbox.send('x'));
    inbox.send('y');
    const [first, second] = [await inbox.recv(), await inbox.recv()];
    assert.equal(
      handling(first, () => 7),
      7,
    );
    assert.throws(() => handling(second, () => assert.fail('bad')), /bad/);
    await assert.rejects(
      handling(second, () => Promise.reject(new Error('worse')), { name: 'second' }),
      /worse/,
    );
    assert.throws(() => handling(JSON.parse('{}'), () => {}), TypeError);
    const [one, two, three] = spans();
    assert.deepEqual([one?.traceId, one?.parentId], [sender.spanContext().traceId, sender.spanContext().spanId]);
    assert.deepEqual(
      [two?.parentId, two?.status, three?.name, three?.status],
      [undefined, SpanStatusCode.ERROR, 'second', SpanStatusCode.ERROR],
    );
  });

  it('is done once for a runtime, and can be taken back', () => {
    instrumented();
    assert.throws(
      () => instrument({ runtime }),
      (error) => vigil.isVigilError(error, 'InvalidState'),
    );
    uninstrument?.();
    assert.equal(runtime.tracer, undefined);
    assert.equal(runtime.telemetry.wants('process_started'), false);
    uninstrument = instrument({ runtime, messageMetrics: false });
    assert.equal(runtime.telemetry.wants('process_started'), true);
    assert.equal(runtime.telemetry.wants('message_sent'), false);
  });
});

function sorted(lines: readonly string[]): string[] {
  return lines.toSorted((a, b) => (a < b ? -1 : 1));
}
