import {
  invalidOption,
  type MailboxOptions,
  MailboxSettings,
  type OwnedSender,
  ProcessMailbox as CoreProcessMailbox,
  Timer as CoreTimer,
} from '../core/index.js';
import { ProcessGroup as CoreProcessGroup, Subscriber as CoreSubscriber } from '../messaging/index.js';
import {
  type BulkheadOptions,
  type CircuitBreakerOptions,
  Bulkhead as CoreBulkhead,
  CircuitBreaker as CoreCircuitBreaker,
  KeyedRateLimiter as CoreKeyedRateLimiter,
  RateLimiter as CoreRateLimiter,
  RetryBudget as CoreRetryBudget,
  type KeyedRateLimiterOptions,
  type RateLimiterOptions,
  type RetryBudgetOptions,
} from '../resilience/index.js';
import { Supervisor as CoreSupervisor, type SupervisorOptions } from '../supervision/index.js';
import { defaultRuntime } from './default-runtime.js';
import { Runtime } from './runtime.js';

/** The reference's low-level constructor: a supervisor without its builder, on the default runtime unless another is given. */
export class Supervisor extends CoreSupervisor {
  constructor(options: SupervisorOptions = {}, runtime: Runtime = defaultRuntime()) {
    super(options, environmentOf(runtime));
  }

  // Supervisors that a builder or an app made are instances, too.
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== Supervisor) return super[Symbol.hasInstance](value);
    return Object.prototype.isPrototypeOf.call(CoreSupervisor.prototype, Object(value));
  }
}

/** The reference's low-level constructor: a mailbox without promises, on the default runtime unless another is given. */
export class ProcessMailbox<T = unknown> extends CoreProcessMailbox<T> {
  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(options: MailboxOptions<T> = {}, runtime: Runtime = defaultRuntime()) {
    super('mailbox', new MailboxSettings(options), environmentOf(runtime));
  }
}

/**
 * What an inbox or process wants to be sent of what is published. It is with the broker of the default runtime from the start, unless
 * another runtime is given; `broker.subscribe(subscriber)` brings it to another broker, too.
 */
export class Subscriber extends CoreSubscriber {
  /** @throws {VigilError} `InvalidConfiguration` when the receiver is neither an inbox nor a process. */
  constructor(receiver: OwnedSender, runtime: Runtime = defaultRuntime()) {
    super(receiver, environmentOf(runtime).topics);
  }
}

/** A circuit breaker on the default runtime unless another is given. */
export class CircuitBreaker extends CoreCircuitBreaker {
  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(name: string, options: CircuitBreakerOptions = {}, runtime: Runtime = defaultRuntime()) {
    super(name, options, environmentOf(runtime));
    runtime.parts.circuits.add(this);
  }
}

/** A bound on what goes on at the same time, on the default runtime unless another is given. */
export class Bulkhead extends CoreBulkhead {
  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(name: string, options: BulkheadOptions, runtime: Runtime = defaultRuntime()) {
    super(name, options, environmentOf(runtime));
    runtime.parts.bulkheads.add(this);
  }
}

/** A rate limit on the default runtime unless another is given. */
export class RateLimiter extends CoreRateLimiter {
  /**
   * @param rate - operations in a second, or options.
   * @throws {VigilError} `InvalidConfiguration` that names the option.
   */
  constructor(rate: number | RateLimiterOptions, runtime: Runtime = defaultRuntime()) {
    super(rate, environmentOf(runtime));
    runtime.parts.rateLimiters.add(this);
  }
}

/** Rate limits by key on the default runtime unless another is given. */
export class KeyedRateLimiter extends CoreKeyedRateLimiter {
  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(options: KeyedRateLimiterOptions, runtime: Runtime = defaultRuntime()) {
    super(options, environmentOf(runtime));
    runtime.parts.keyedRateLimiters.add(this);
  }
}

/** Processes and inboxes that do the same work, in the snapshots of the default runtime unless another is given. */
export class ProcessGroup<T = unknown> extends CoreProcessGroup<T> {
  /** @throws {VigilError} `InvalidConfiguration` when the name is not a non-empty string. */
  constructor(name: string, runtime: Runtime = defaultRuntime()) {
    super(name);
    environmentOf(runtime);
    runtime.parts.groups.add(this);
  }
}

/** Timers on the default runtime unless another is given. */
export class Timer extends CoreTimer {
  /** @throws {VigilError} `InvalidConfiguration` when it is no runtime. */
  constructor(runtime: Runtime = defaultRuntime()) {
    super(environmentOf(runtime));
    runtime.parts.timers.add(this);
  }
}

/** A bound on retries on the default runtime unless another is given. */
export class RetryBudget extends CoreRetryBudget {
  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(options: RetryBudgetOptions = {}, runtime: Runtime = defaultRuntime()) {
    super(options, environmentOf(runtime));
  }
}

/** @throws {VigilError} `InvalidConfiguration` when it is no runtime. */
export function environmentOf(runtime: Runtime): Runtime['environment'] {
  if (!(runtime instanceof Runtime)) throw invalidOption('runtime', 'made by vigil.runtime()', runtime);
  return runtime.environment;
}
