import type { ExitReason } from './exit-reason.js';
import type { Message } from './message.js';
import type { ProcessFacts } from './telemetry-event.js';
import type { TraceContext, TraceSource } from './trace-context.js';
import { checkMethods } from './validation.js';

/** A request that is about to be sent. */
export interface TracedRequest {
  /** The name or id of whoever is asked. */
  readonly to: string;
  /** Of a server, the handler that is called. */
  readonly name: string | undefined;
}

/** Work on a message. */
export interface TracedWork extends ProcessFacts {
  readonly kind: 'call' | 'cast' | 'info';
  /** The handler of a call or cast. */
  readonly name: string | undefined;
}

/** A child that is about to be started. */
export interface TracedStart extends ProcessFacts {
  readonly kind: string;
  /** How its last incarnation ended, when this is not the first. */
  readonly after: ExitReason | undefined;
}

/** Follows work from process to process. A runtime has one when it is given one; what it throws is not caught. */
export interface Tracer {
  /** The context of what goes on now, which a message carries that is sent. */
  current(): TraceContext | undefined;
  /** @returns what the request carries, and what is called once with the error if it fails. */
  beginRequest(request: TracedRequest): { readonly trace: TraceContext | undefined; end(error?: unknown): void };
  /** Calls `work`, as a part of the trace that the message carries, and gives what it gives. */
  handle<T>(facts: TracedWork, message: Message, work: () => T): T;
  /** @returns what is called once when it is up, or with the error when it did not start. */
  beginStart(start: TracedStart): (error?: unknown) => void;
  /** Calls `work` as a part of nothing: what a child does all its life is no part of what has started it. */
  apart<T>(work: () => T): T;
  /** @returns a function that calls `callback` later, as a part of what goes on now. */
  bind(callback: () => void): () => void;
}

/** Holds the tracer of a runtime for all its parts. */
export class Tracing implements TraceSource {
  #tracer: Tracer | undefined;

  get tracer(): Tracer | undefined {
    return this.#tracer;
  }

  /** @throws {VigilError} `InvalidConfiguration` when it is no tracer. */
  set tracer(tracer: Tracer | undefined) {
    this.#tracer =
      tracer === undefined
        ? undefined
        : checkMethods('tracer', tracer, ['current', 'beginRequest', 'handle', 'beginStart', 'apart', 'bind']);
  }
}
