import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import * as vigil from 'vigiljs';
import { instrument } from '@vigiljs/otel';

const NO_INTERVAL_MS = 2 ** 31 - 1;

describe('metrics', () => {
  it('count what happens', async (t) => {
    const { runtime, collect } = scene(t);
    const inbox = runtime.inboxBuilder<string>().capacity(2).deadLetter(true).build();
    inbox.send('a', { priority: 'high' });
    inbox.send('b');
    inbox.send('c');
    await inbox.recv();
    inbox.close({ discard: true });
    const restarted = new Promise((resolve) => runtime.telemetry.on('supervisor_restart', resolve));
    const body = async ({ incarnation, stopped }: vigil.ProcessContext) => {
      if (incarnation === 1) throw new Error('boom');
      await stopped;
    };
    const supervisor = runtime.supervisor().name('app').child('a', body).build();
    await supervisor.start();
    await restarted;
    await supervisor.stop();
    new vigil.CircuitBreaker('api', {}, runtime).forceOpen();
    const values = await collect();
    assert.deepEqual(values['vigil.message.sent'], [
      [1, { 'vigil.message.priority': 'high' }],
      [1, { 'vigil.message.priority': 'normal' }],
    ]);
    assert.deepEqual(values['vigil.message.received'], [[1, { 'vigil.message.priority': 'high' }]]);
    assert.deepEqual(values['vigil.message.dead_lettered'], [
      [1, { 'vigil.dead_letter.reason': 'mailbox_full' }],
      [1, { 'vigil.dead_letter.reason': 'inbox_closed' }],
    ]);
    for (const [name, count] of [
      ['vigil.process.starts', 2],
      ['vigil.process.crashes', 1],
      ['vigil.process.stops', 1],
      ['vigil.supervisor.restarts', 1],
    ] as const) {
      assert.deepEqual(values[name], [[count, { 'vigil.supervisor': 'app' }]], name);
    }
    assert.deepEqual(values['vigil.circuit.openings'], [[1, { 'vigil.circuit': 'api' }]]);
  });

  it('measure for how long messages wait, and how long servers handle them', async (t) => {
    const { runtime, collect } = scene(t);
    const server = vigil.genServer({ init: () => 0, call: { get: async (_: undefined, state) => ({ reply: state, state }) } });
    const handle = await runtime.startServer(server, { id: 'counter' });
    await handle.call.get();
    await handle.stop();
    const values = await collect();
    // The call and the request to stop, which no server handles.
    assert.deepEqual(values['vigil.message.wait.duration'], [[2, { 'vigil.message.priority': 'normal' }]]);
    assert.deepEqual(values['vigil.message.process.duration'], [
      [1, { 'vigil.supervisor': 'servers', 'vigil.message.kind': 'call', 'rpc.method': 'get' }],
    ]);
  });

  it('show how it is now', async (t) => {
    const { runtime, collect } = scene(t);
    const orders = runtime.inboxBuilder<string>().name('orders').build();
    orders.sendBatch(['a', 'b']);
    const reading = async ({ inbox, stopped }: vigil.ProcessContext) => {
      await inbox.recv();
      await stopped;
    };
    const pool = runtime.supervisor().child('one', reading).child('two', reading).build();
    const supervisor = runtime.supervisor().name('app').child('pool', pool).build();
    await supervisor.start();
    for (const id of ['one', 'two']) for (const text of ['a', 'b']) pool.address(id).send(text);
    const circuit = new vigil.CircuitBreaker('api', {}, runtime);
    circuit.forceOpen();
    const bulkhead = new vigil.Bulkhead('database', { maxConcurrent: 1 }, runtime);
    const values = await collect();
    await supervisor.stop();
    assert.deepEqual(values['vigil.process.count'], [
      [1, { 'vigil.process.kind': 'supervisor', 'vigil.process.state': 'running' }],
      [2, { 'vigil.process.kind': 'task', 'vigil.process.state': 'running' }],
    ]);
    assert.deepEqual(values['vigil.mailbox.depth'], [
      [2, { 'vigil.mailbox': 'app/pool' }],
      [2, { 'vigil.mailbox': 'orders' }],
    ]);
    assert.deepEqual(values['vigil.mailbox.oldest_message.age'], [
      [0, { 'vigil.mailbox': 'app/pool' }],
      [0, { 'vigil.mailbox': 'orders' }],
    ]);
    assert.deepEqual(values['vigil.circuit.state'], [[2, { 'vigil.circuit': circuit.name }]]);
    assert.deepEqual(values['vigil.bulkhead.in_flight'], [[0, { 'vigil.bulkhead': bulkhead.name }]]);
    for (const name of ['vigil.timer.pending', 'vigil.request.pending', 'vigil.dead_letter.count'])
      assert.deepEqual(values[name], [[0, {}]], name);
    assert.deepEqual(values['vigil.runtime.ready'], [[1, {}]]);
  });

  it('show 0 for what is gone, and measure a message in each mailbox in which it waits', async (t) => {
    const { runtime, collect } = scene(t);
    const inboxes = ['one', 'two'].map((name) => runtime.inboxBuilder<string>().name(name).build());
    for (const inbox of inboxes) new vigil.Subscriber(inbox, runtime).subscribe(['news']);
    runtime.publish('news', 'x');
    assert.deepEqual((await collect())['vigil.mailbox.depth'], [
      [1, { 'vigil.mailbox': 'one' }],
      [1, { 'vigil.mailbox': 'two' }],
    ]);
    for (const inbox of inboxes) {
      inbox.recvBatch(1);
      inbox.close();
    }
    const values = await collect();
    assert.deepEqual(values['vigil.mailbox.depth'], [
      [0, { 'vigil.mailbox': 'one' }],
      [0, { 'vigil.mailbox': 'two' }],
    ]);
    assert.deepEqual(values['vigil.message.wait.duration'], [[2, { 'vigil.message.priority': 'normal' }]]);
  });

  it('show what a thread takes', { timeout: 30_000 }, async (t) => {
    const { runtime, collect } = scene(t);
    const module = new URL('./idle.js', import.meta.url);
    const supervisor = runtime.supervisor().name('app').child('a', vigil.thread(module), { healthCheckIntervalMs: 5 }).build();
    await supervisor.start();
    while (supervisor.getChildInfo('a')?.vitals?.memoryBytes === undefined)
      await new Promise((resolve) => runtime.clock.after(5, () => resolve(undefined), { keepAlive: true }));
    const values = await collect();
    await supervisor.stop();
    const [[bytes, attributes] = [0, {}]] = values['vigil.process.memory'] ?? [];
    assert.ok(bytes > 1_000_000, `${bytes} bytes`);
    assert.deepEqual(attributes, { 'vigil.process.path': 'app/a' });
  });
});

type Values = Readonly<Record<string, readonly (readonly [value: number, attributes: object])[]>>;

/** A runtime that is instrumented, and what its metrics are: of a histogram, how many values it has. */
function scene(t: { after(clean: () => unknown): void }): { readonly runtime: vigil.Runtime; readonly collect: () => Promise<Values> } {
  const runtime = vigil.runtime();
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const meterProvider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: NO_INTERVAL_MS })],
  });
  t.after(instrument({ runtime, meterProvider }));
  t.after(() => meterProvider.shutdown());
  const collect = async () => {
    await meterProvider.forceFlush();
    const all =
      exporter
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? [];
    return Object.fromEntries(
      all.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(
          ({ value, attributes }) => [typeof value === 'number' ? value : 'count' in value ? value.count : Number.NaN, attributes] as const,
        ),
      ]),
    );
  };
  return { runtime, collect };
}
