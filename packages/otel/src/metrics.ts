import type { Attributes, BatchObservableCallback, BatchObservableResult, Histogram, Meter, Observable } from '@opentelemetry/api';
import type { ChildInfo, Runtime, RuntimeSnapshot, SupervisorInfo, telemetry } from 'vigiljs';
import type { WorkListener } from './span-tracer.js';

type EventType = telemetry.TelemetryEventType;
type MessageEvent = 'message_expired' | 'message_dropped' | 'message_dead_lettered';

/** Begins to count; what it returns ends that. */
type Count = (runtime: Runtime, meter: Meter) => () => unknown;

/** A counter of events, which their attributes tell apart. */
function counted<K extends EventType>(
  eventType: K,
  name: string,
  unit: string,
  attributes: (of: telemetry.TelemetryEvents[K]) => Attributes,
): Count {
  return (runtime, meter) => {
    const counter = meter.createCounter(name, { unit });
    return runtime.telemetry.on(eventType, ({ metadata }) => counter.add(1, attributes(metadata)));
  };
}

const bySupervisor = ({ supervisor }: { readonly supervisor: string }): Attributes => ({ 'vigil.supervisor': supervisor });
const byPriority = ({ priority }: { readonly priority: string }): Attributes => ({ 'vigil.message.priority': priority });

const COUNTED: readonly Count[] = [
  counted('process_started', 'vigil.process.starts', '{process}', bySupervisor),
  counted('process_stopped', 'vigil.process.stops', '{process}', bySupervisor),
  counted('process_crashed', 'vigil.process.crashes', '{process}', bySupervisor),
  counted('supervisor_restart', 'vigil.supervisor.restarts', '{restart}', bySupervisor),
  counted('circuit_opened', 'vigil.circuit.openings', '{opening}', ({ circuit }) => ({ 'vigil.circuit': circuit })),
];

const COUNTED_MESSAGES: readonly Count[] = [
  counted('message_sent', 'vigil.message.sent', '{message}', byPriority),
  counted('message_received', 'vigil.message.received', '{message}', byPriority),
  counted('message_expired', 'vigil.message.expired', '{message}', byPriority),
  counted('message_dropped', 'vigil.message.dropped', '{message}', byPriority),
  counted('message_dead_lettered', 'vigil.message.dead_lettered', '{message}', ({ reason }) => ({ 'vigil.dead_letter.reason': reason })),
];

/** Boundaries of the histograms, in seconds: messages are handled in microseconds, or not at all. */
const BOUNDARIES = [0.00001, 0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

/** So many messages that wait are measured at a time; of those that come in beside them it is not known how long they wait. */
const MAX_MEASURED = 10_000;

/** What a gauge shows of a snapshot: one value for each set of attributes. */
type Look = (snapshot: RuntimeSnapshot) => Iterable<readonly [value: number, attributes?: Attributes]>;

const CIRCUIT_STATES = { closed: 0, half_open: 1, open: 2 };

/** Name, unit, what it is, and what it shows. */
const GAUGES: readonly (readonly [name: string, unit: string, description: string, look: Look])[] = [
  ['vigil.process.count', '{process}', 'Children by kind and state', childCounts],
  [
    'vigil.process.memory',
    'By',
    'What a process outside of this event loop takes',
    (of) => vitalsOf(of, ({ vitals }) => vitals?.memoryBytes),
  ],
  [
    'vigil.process.event_loop.delay',
    's',
    'How long the event loop of a thread or fork took to answer',
    (of) => vitalsOf(of, ({ vitals }) => vitals?.eventLoopDelayMs && vitals.eventLoopDelayMs / 1000),
  ],
  ['vigil.mailbox.depth', '{message}', 'Messages that wait: in built inboxes, and in those of all children of a supervisor', depths],
  ['vigil.mailbox.oldest_message.age', 's', 'For how long the oldest message has waited at least', ages],
  ['vigil.circuit.state', '1', '0 closed, 1 half open, 2 open', circuitStates],
  [
    'vigil.bulkhead.in_flight',
    '{call}',
    'Calls that are on their way',
    (of) => of.bulkheads.map(({ name, inFlight }) => [inFlight, { 'vigil.bulkhead': name }]),
  ],
  [
    'vigil.bulkhead.queued',
    '{call}',
    'Calls that wait for a place',
    (of) => of.bulkheads.map(({ name, queued }) => [queued, { 'vigil.bulkhead': name }]),
  ],
  ['vigil.timer.pending', '{timer}', 'Timers that wait', ({ timers }) => [[timers.pending]]],
  ['vigil.request.pending', '{request}', 'Requests that wait for their reply', ({ requests }) => [[requests.pending]]],
  ['vigil.dead_letter.count', '{message}', 'Dead letters of ended processes that are kept', ({ deadLetters }) => [[deadLetters.size]]],
];

/** Measures what a runtime does: what happens, by its telemetry, and how it is, by a snapshot for each collection. */
export class Metrics {
  readonly #runtime: Runtime;
  readonly #cancels: (() => unknown)[] = [];
  readonly #work: Histogram;

  constructor(runtime: Runtime, meter: Meter, countsMessages: boolean) {
    this.#runtime = runtime;
    this.#work = meter.createHistogram('vigil.message.process.duration', {
      unit: 's',
      description: 'How long a server took to handle a message',
      advice: { explicitBucketBoundaries: BOUNDARIES },
    });
    const counts = countsMessages ? [...COUNTED, ...COUNTED_MESSAGES] : COUNTED;
    this.#cancels.push(...counts.map((count) => count(runtime, meter)));
    if (countsMessages) this.#measureWaiting(meter);
    this.#observe(meter);
  }

  readonly worked: WorkListener = (seconds, { kind, name, supervisor }) => {
    const attributes = { 'vigil.supervisor': supervisor, 'vigil.message.kind': kind };
    this.#work.record(seconds, name === undefined ? attributes : { ...attributes, 'rpc.method': name });
  };

  stop(): void {
    for (const cancel of this.#cancels) cancel();
  }

  #measureWaiting(meter: Meter): void {
    const waiting = meter.createHistogram('vigil.message.wait.duration', {
      unit: 's',
      description: 'How long a message waited in a mailbox',
      advice: { explicitBucketBoundaries: BOUNDARIES },
    });
    const sentAt = new Map<string, number>();
    const left = ({ metadata }: telemetry.TelemetryEvent<MessageEvent>) => sentAt.delete(keyOf(metadata));
    this.#cancels.push(
      this.#runtime.telemetry.on('message_sent', ({ metadata }) => {
        if (sentAt.size < MAX_MEASURED) sentAt.set(keyOf(metadata), performance.now());
      }),
      this.#runtime.telemetry.on('message_received', ({ metadata }) => {
        const sentMs = sentAt.get(keyOf(metadata));
        if (sentMs === undefined) return;
        sentAt.delete(keyOf(metadata));
        waiting.record((performance.now() - sentMs) / 1000, byPriority(metadata));
      }),
      this.#runtime.telemetry.on('message_expired', left),
      this.#runtime.telemetry.on('message_dropped', left),
      this.#runtime.telemetry.on('message_dead_lettered', left),
    );
  }

  #observe(meter: Meter): void {
    const gauges = GAUGES.map(([name, unit, description, look]) => {
      return { gauge: meter.createObservableGauge(name, { unit, description }), look, shown: new Map<string, Attributes>() };
    });
    const ready = meter.createObservableGauge('vigil.runtime.ready', {
      unit: '1',
      description: '1 when work should be given to the program',
    });
    const observables: Observable[] = [ready, ...gauges.map(({ gauge }) => gauge)];
    const callback: BatchObservableCallback = (result) => {
      const snapshot = this.#runtime.snapshot();
      for (const { gauge, look, shown } of gauges) report(result, gauge, look(snapshot), shown);
      result.observe(ready, this.#runtime.health().isReady ? 1 : 0);
    };
    meter.addBatchObservableCallback(callback, observables);
    this.#cancels.push(() => meter.removeBatchObservableCallback(callback, observables));
  }
}

/** @param shown - what was shown the last time: what is gone is shown as 0 once, or its last value would be shown for ever. */
function report(result: BatchObservableResult, gauge: Observable, values: ReturnType<Look>, shown: Map<string, Attributes>): void {
  const gone = new Map(shown);
  shown.clear();
  for (const [value, attributes = {}] of values) {
    const key = JSON.stringify(attributes);
    gone.delete(key);
    shown.set(key, attributes);
    result.observe(gauge, value, attributes);
  }
  for (const attributes of gone.values()) result.observe(gauge, 0, attributes);
}

/** One message can wait in several mailboxes. */
function keyOf({ supervisor = '', mailbox, messageId }: telemetry.TelemetryEvents['message_sent']): string {
  return `${supervisor} ${mailbox} ${messageId}`;
}

function childCounts({ supervisors }: RuntimeSnapshot): ReturnType<Look> {
  const counts = new Map<string, [number, Attributes]>();
  for (const { child } of childrenOf(supervisors)) {
    const { kind, state } = child;
    const count = counts.get(`${kind} ${state}`) ?? [0, { 'vigil.process.kind': kind, 'vigil.process.state': state }];
    count[0] += 1;
    counts.set(`${kind} ${state}`, count);
  }
  return counts.values();
}

function* vitalsOf(
  { supervisors }: RuntimeSnapshot,
  figure: (child: ChildInfo) => number | undefined,
): Generator<readonly [number, Attributes]> {
  for (const { path, child } of childrenOf(supervisors)) {
    const value = figure(child);
    if (value !== undefined) yield [value, { 'vigil.process.path': path }];
  }
}

/** A supervisor can have any number of children, whose names come and go: together they are one. */
function depths({ mailboxes }: RuntimeSnapshot): ReturnType<Look> {
  const sums = new Map<string, number>();
  for (const { name, stats } of mailboxes) sums.set(groupOf(name), (sums.get(groupOf(name)) ?? 0) + stats.depth);
  return Array.from(sums, ([name, depth]) => [depth, { 'vigil.mailbox': name }] as const);
}

function ages({ mailboxes }: RuntimeSnapshot): ReturnType<Look> {
  const oldest = new Map<string, number>();
  for (const { name, queues } of mailboxes) {
    for (const { oldestAgeMs = 0 } of queues) oldest.set(groupOf(name), Math.max(oldest.get(groupOf(name)) ?? 0, oldestAgeMs / 1000));
  }
  return Array.from(oldest, ([name, age]) => [age, { 'vigil.mailbox': name }] as const);
}

function circuitStates({ circuits }: RuntimeSnapshot): ReturnType<Look> {
  return circuits.map(({ name, state }) => [CIRCUIT_STATES[state], { 'vigil.circuit': name }] as const);
}

function groupOf(name: string): string {
  const end = name.lastIndexOf('/');
  return end < 0 ? name : name.slice(0, end);
}

function* childrenOf(supervisors: readonly SupervisorInfo[], above = ''): Generator<{ readonly path: string; readonly child: ChildInfo }> {
  for (const { name, children } of supervisors) {
    for (const child of children) {
      yield { path: `${above}${name}/${child.id}`, child };
      if (child.supervisor !== undefined) yield* childrenOf([child.supervisor], `${above}${name}/`);
    }
  }
}
