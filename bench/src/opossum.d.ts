/** What the benchmarks use of opossum, whose package has no types. */
declare module 'opossum' {
  interface Options {
    /** Milliseconds, or `false` for none. */
    readonly timeout?: number | false;
    readonly resetTimeout?: number;
    readonly rollingCountTimeout?: number;
    readonly volumeThreshold?: number;
    readonly capacity?: number;
  }

  export default class CircuitBreaker<A extends unknown[], R> {
    constructor(action: (...args: A) => Promise<R>, options?: Options);
    fire(...args: A): Promise<R>;
    open(): void;
    shutdown(): void;
  }
}
