import type { Cancel } from '../core/index.js';

type Listener = (reason: unknown) => void;

/**
 * What is given up together: a call of a policy, what runs under one of its time-outs, one attempt of a hedge. Who is given up with its
 * parent hears of it in time, and the first reason is kept.
 *
 * An `AbortSignal` is made when somebody asks for it: on Node 20 it costs more than a whole call.
 */
export class AbortScope {
  readonly #parent: AbortScope | undefined;
  /** Invariant: it listens to its parent while, and only while, somebody listens to it. */
  readonly #listeners = new Set<Listener>();
  #stopListening: Cancel | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  #signal: AbortSignal | undefined;

  /** @param signal - what is shown as the signal of the scope: one that aborts when the scope does. Default: one of its own. */
  constructor(parent?: AbortScope, signal?: AbortSignal) {
    this.#parent = parent;
    this.#signal = signal;
  }

  /** Whether it was given up, and why. */
  get aborted(): { readonly reason: unknown } | undefined {
    return this.#aborted ?? this.#parent?.aborted;
  }

  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const controller = new AbortController();
      this.#signal = controller.signal;
      const { aborted } = this;
      if (aborted === undefined) this.onAbort((reason) => controller.abort(reason));
      else controller.abort(aborted.reason);
    }
    return this.#signal;
  }

  /** Calls back once when it is given up; not at all when it was given up before. */
  onAbort(listener: Listener): Cancel {
    if (this.#listeners.size === 0) this.#stopListening = this.#parent?.onAbort((reason) => this.#tell(reason));
    this.#listeners.add(listener);
    return () => {
      const didListen = this.#listeners.delete(listener);
      if (didListen && this.#listeners.size === 0) this.#stopListening?.();
      return didListen;
    };
  }

  abort(reason: unknown): void {
    if (this.aborted !== undefined) return;
    this.#stopListening?.();
    this.#tell(reason);
  }

  /** Nothing of it runs any more: its parent needs to tell it nothing. */
  end(): void {
    this.#stopListening?.();
    this.#listeners.clear();
  }

  #tell(reason: unknown): void {
    this.#aborted = { reason };
    // Who begins to listen now is told nothing.
    const listeners = [...this.#listeners];
    for (const listener of listeners) listener(reason);
  }
}

/** Settles as what `begin` begins, or, as soon as the scope is given up, with the reason. The scope has to be ended afterwards. */
export function untilAborted<T>(scope: AbortScope, begin: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    scope.onAbort(reject);
    begin().then(resolve, reject);
  });
}
