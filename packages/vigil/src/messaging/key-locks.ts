import { checkFunction, checkMethods, checkName, checkWaitOptions, type OwnedSender, VigilError, type WaitOptions } from '../core/index.js';

export interface LockOptions extends WaitOptions {
  /** Whose end gives the lock back, or ends the wait for it: `ctx.self`. Default: only the end of the work does. */
  readonly owner?: OwnedSender | undefined;
}

/** Work that excludes other work with the same key. */
export class KeyLocks {
  /** Those who wait for a key that is held, in the order of their calls. A key that nobody holds has no line. */
  readonly #lines = new Map<string, Set<() => void>>();

  async lock<T>(key: string, work: () => T | Promise<T>, options: LockOptions = {}): Promise<T> {
    checkName('key', key);
    const checked = checkFunction<() => T | Promise<T>>()('work', work);
    const signal = checkWaitOptions(options);
    const { owner } = options;
    if (owner !== undefined) checkMethods('owner', owner, ['isClosed', 'onClose']);
    checkWanted(key, signal, owner);
    await this.#turn(key, signal, owner);
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      this.#pass(key);
    };
    const forget = owner?.onClose(release);
    try {
      // The world may have moved since the key was passed on.
      checkWanted(key, signal, owner);
      return await checked();
    } finally {
      forget?.();
      release();
    }
  }

  /** Resolves when the key is held in the name of the caller. */
  #turn(key: string, signal: AbortSignal | undefined, owner: OwnedSender | undefined): Promise<void> {
    const line = this.#lines.get(key);
    if (line === undefined) {
      this.#lines.set(key, new Set());
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const fail: (error: unknown) => void = reject;
      const leave = () => {
        line.delete(admit);
        signal?.removeEventListener('abort', abort);
        forget?.();
      };
      const admit = () => {
        leave();
        resolve();
      };
      const abort = () => {
        leave();
        fail(signal?.reason);
      };
      const forget = owner?.onClose(() => {
        leave();
        reject(ownerEnded(key));
      });
      signal?.addEventListener('abort', abort, { once: true });
      line.add(admit);
    });
  }

  #pass(key: string): void {
    const [next] = this.#lines.get(key) ?? [];
    if (next === undefined) this.#lines.delete(key);
    else next();
  }
}

function checkWanted(key: string, signal: AbortSignal | undefined, owner: OwnedSender | undefined): void {
  signal?.throwIfAborted();
  if (owner?.isClosed() === true) throw ownerEnded(key);
}

function ownerEnded(key: string): VigilError {
  return new VigilError('InboxClosed', `the lock "${key}" is wanted in the name of a mailbox that is closed`);
}
