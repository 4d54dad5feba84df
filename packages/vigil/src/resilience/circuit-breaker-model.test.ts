import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isVigilError, silentLogger } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { type Deferred, deferred } from './deferred.suite.js';

/*
 * A circuit breaker beside a model of it that keeps everything in lists, through calls that overlap and end in any order, in whatever
 * phase, or are given up, while time passes and somebody forces the circuit.
 */

interface Options {
  readonly failureThreshold: number;
  readonly resetTimeoutMs: number;
  readonly halfOpenRequests: number;
  readonly halfOpenSuccessThreshold: number;
  readonly probeTimeoutMs: number;
}

interface Call {
  readonly work: Deferred<string>;
  readonly aborter: AbortController;
  readonly outcome: Promise<string>;
  /** What the caller has been told or will be told, by the model; `undefined` while it waits. */
  expected: string | undefined;
  readonly entry: Entry;
}

/** How the model remembers a call. */
interface Entry {
  readonly epoch: number;
  readonly sinceMs: number;
  hasPlace: boolean;
}

type Step =
  | { readonly do: 'call'; readonly isSync: boolean; readonly succeeds: boolean; readonly counts: boolean }
  | { readonly do: 'settle'; readonly pick: number; readonly succeeds: boolean; readonly counts: boolean }
  | { readonly do: 'abort'; readonly pick: number; readonly isTimeout: boolean }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'forceOpen' | 'forceClose' | 'saveAndRestore' };

const BOOM = new Error('boom');
const HARMLESS = new Error('harmless');
const TIMEOUT = new DOMException('too slow', 'TimeoutError');

describe('a CircuitBreaker beside a model', () => {
  it('lets through, refuses, opens, tries and closes as the model does', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(options, fc.array(steps, { maxLength: 100, size: 'max' }), async (chosen, history) => {
        const clock = new VirtualClock();
        const events: string[] = [];
        const telemetry = { wants: () => true, report: (eventType: string) => events.push(eventType) };
        const breaker = new CircuitBreaker(
          'api',
          { ...chosen, isFailure: (error) => error !== HARMLESS },
          { clock, telemetry, log: silentLogger },
        );
        const model = new ModelCircuit(chosen);
        const calls: Call[] = [];
        for (const step of history) {
          switch (step.do) {
            case 'call':
              if (step.isSync) callSync(breaker, model, step);
              else begin(breaker, model, calls);
              break;
            case 'settle': {
              const call = calls[step.pick % Math.max(calls.length, 1)];
              if (call === undefined) break;
              calls.splice(calls.indexOf(call), 1);
              const error = step.counts ? BOOM : HARMLESS;
              model.settled(call.entry, step.succeeds, step.counts);
              if (step.succeeds) call.work.resolve('well');
              else call.work.reject(error);
              assert.equal(await call.outcome, call.expected ?? (step.succeeds ? 'well' : String(error)));
              break;
            }
            case 'abort': {
              const call = calls[step.pick % Math.max(calls.length, 1)];
              if (call === undefined || call.expected !== undefined) break;
              model.givenUp(call.entry, step.isTimeout);
              call.expected = step.isTimeout ? String(TIMEOUT) : 'gone';
              call.aborter.abort(step.isTimeout ? TIMEOUT : 'gone');
              assert.equal(await call.outcome, call.expected);
              break;
            }
            case 'advance':
              await clock.advance(step.ms);
              model.nowMs += step.ms;
              break;
            case 'forceOpen':
              breaker.forceOpen();
              model.open();
              break;
            case 'forceClose':
              breaker.forceClose();
              model.close();
              break;
            case 'saveAndRestore':
              breaker.restore(JSON.parse(JSON.stringify(breaker.save())));
              model.restored();
              break;
          }
          for (const call of calls) if (model.lost.has(call.entry)) call.expected ??= 'OperationTimeout';
          assert.deepEqual([breaker.getState(), breaker.getFailureCount()], [model.state, model.failures]);
          assert.deepEqual(events, model.events);
          seen.add(model.state);
        }
        for (const call of calls) if (call.expected !== undefined) assert.equal(await call.outcome, call.expected);
      }),
      { numRuns: 500 },
    );
    assert.deepEqual([...seen].toSorted(), ['closed', 'half_open', 'open']);
  });
});

function begin(breaker: CircuitBreaker, model: ModelCircuit, calls: Call[]): void {
  const entry = model.admit();
  const work = deferred<string>();
  const aborter = new AbortController();
  let isBegun = false;
  const outcome = breaker
    .call(
      () => {
        isBegun = true;
        return work.promise;
      },
      { signal: aborter.signal },
    )
    .catch(describeFailure);
  assert.equal(isBegun, entry !== undefined);
  if (entry !== undefined) calls.push({ work, aborter, outcome, expected: undefined, entry });
}

function callSync(breaker: CircuitBreaker, model: ModelCircuit, { succeeds, counts }: Step & { readonly do: 'call' }): void {
  const entry = model.admit();
  const error = counts ? BOOM : HARMLESS;
  let outcome: string;
  try {
    outcome = breaker.callSync(() => {
      if (!succeeds) throw error;
      return 'well';
    });
  } catch (thrown) {
    outcome = describeFailure(thrown);
  }
  assert.equal(outcome, entry === undefined ? 'CircuitOpen' : succeeds ? 'well' : String(error));
  if (entry !== undefined) model.settled(entry, succeeds, counts);
}

function describeFailure(error: unknown): string {
  return isVigilError(error) ? error.code : String(error);
}

class ModelCircuit {
  nowMs = 0;
  state: 'closed' | 'open' | 'half_open' = 'closed';
  failures = 0;
  readonly events: string[] = [];
  /** Calls that have lost their place to another one. */
  readonly lost = new Set<Entry>();
  readonly #options: Options;
  #epoch = 0;
  #openedMs = 0;
  #successes = 0;
  #tried: Entry[] = [];

  constructor(options: Options) {
    this.#options = options;
  }

  admit(): Entry | undefined {
    if (this.state === 'open') {
      if (this.nowMs < this.#openedMs + this.#options.resetTimeoutMs) return undefined;
      this.#enter('half_open');
    }
    if (this.state === 'closed') return { epoch: this.#epoch, sinceMs: this.nowMs, hasPlace: false };
    const holders = this.#tried.filter(({ hasPlace }) => hasPlace);
    if (holders.length === this.#options.halfOpenRequests) {
      const overdue = holders.filter(({ sinceMs }) => this.nowMs >= sinceMs + this.#options.probeTimeoutMs);
      if (overdue.length === 0) return undefined;
      for (const entry of overdue) {
        entry.hasPlace = false;
        this.lost.add(entry);
      }
    }
    const entry = { epoch: this.#epoch, sinceMs: this.nowMs, hasPlace: true };
    this.#tried.push(entry);
    return entry;
  }

  settled(entry: Entry, succeeded: boolean, counts: boolean): void {
    if (entry.epoch !== this.#epoch || this.state === 'open') return;
    if (this.state === 'half_open') {
      if (!entry.hasPlace) return;
      entry.hasPlace = false;
      if (succeeded) {
        this.#successes += 1;
        if (this.#successes >= this.#options.halfOpenSuccessThreshold) this.close();
      } else if (counts) {
        this.failures += 1;
        this.open();
      }
      return;
    }
    if (this.#gaveUp.has(entry)) return;
    if (succeeded) this.failures = 0;
    else if (counts) {
      this.failures += 1;
      if (this.failures >= this.#options.failureThreshold) this.open();
    }
  }

  readonly #gaveUp = new Set<Entry>();

  givenUp(entry: Entry, isTimeout: boolean): void {
    if (isTimeout) this.settled(entry, false, true);
    else if (entry.epoch === this.#epoch) entry.hasPlace = false;
    this.#gaveUp.add(entry);
  }

  open(): void {
    this.#openedMs = this.nowMs;
    this.#enter('open');
  }

  close(): void {
    this.failures = 0;
    this.#enter('closed');
  }

  /** Nothing is forgotten but the calls that are on their way. */
  restored(): void {
    const [successes, openedMs] = [this.#successes, this.#openedMs];
    this.#enter(this.state);
    this.#successes = successes;
    this.#openedMs = Math.max(openedMs, this.nowMs - this.#options.resetTimeoutMs);
  }

  #enter(state: 'closed' | 'open' | 'half_open'): void {
    if (state !== this.state) this.events.push(state === 'open' ? 'circuit_opened' : `circuit_${state}`);
    this.state = state;
    this.#epoch += 1;
    this.#successes = 0;
    this.#tried = [];
  }
}

const options: fc.Arbitrary<Options> = fc
  .record({
    failureThreshold: fc.integer({ min: 1, max: 3 }),
    resetTimeoutMs: fc.integer({ min: 1, max: 5 }),
    halfOpenRequests: fc.integer({ min: 1, max: 3 }),
    halfOpenSuccessThreshold: fc.integer({ min: 1, max: 3 }),
    probeTimeoutMs: fc.integer({ min: 1, max: 5 }),
  })
  .map((chosen) => ({ ...chosen, halfOpenSuccessThreshold: Math.min(chosen.halfOpenSuccessThreshold, chosen.halfOpenRequests) }));

const mostly = fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) });

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('call'),
      isSync: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.boolean() }),
      succeeds: fc.boolean(),
      counts: mostly,
    }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('settle'), pick: fc.nat(), succeeds: fc.boolean(), counts: mostly }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort'), pick: fc.nat(), isTimeout: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('forceOpen', 'forceClose', 'saveAndRestore') }) },
);
