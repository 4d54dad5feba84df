import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Cancel, Clock, Logger, ProcessGuard } from '../../core/index.js';

/** A guard that was up for so long has not failed when it ends: somebody has killed it, and the next one may fare better. */
const HEALTHY_MS = 10_000;

/** How often in a row a guard is started again at once, and how long nothing is tried after that. */
const MAX_RESTARTS = 3;
const REST_MS = 60_000;

/** How long the guard may believe that a group is there which has ended. */
const FORGET_MS = 100;

/** How long a guard is kept that has nothing to watch. */
const IDLE_MS = 5000;

/** It holds a few numbers. */
const GUARD_ARGS = [
  '--max-old-space-size=16',
  '--max-semi-space-size=1',
  '--no-warnings',
  fileURLToPath(new URL('./guard.js', import.meta.url)),
];

type Guard = ChildProcessByStdio<Writable, null, null>;

/**
 * Keeps one guard process for all the process groups of a runtime, while there are any.
 *
 * The guard is told of a group by one small write into its pipe, which the kernel takes at once; it hears of the death of this process,
 * SIGKILL included, by the end of that pipe. A group that was spawned and not yet written when this process dies is nobody's.
 * When the guard itself dies, another one is started and told of everything. Neither keeps Node alive.
 */
export class GuardProcess implements ProcessGuard {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #groups = new Set<number>();
  /** No longer watched, which the guard does not know yet. */
  readonly #ended = new Set<number>();
  #guard: Guard | undefined;
  #startedMs = 0;
  #restarts = 0;
  #isResting = false;
  #cancelDismissal: Cancel | undefined;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** The guard process, while there is one. */
  get pid(): number | undefined {
    return this.#guard?.pid;
  }

  watch(group: number): Cancel {
    // Windows has no groups that could be killed.
    if (process.platform === 'win32') return () => false;
    this.#groups.add(group);
    this.#ended.delete(group);
    this.#cancelDismissal?.();
    if (this.#guard === undefined) this.#start();
    else this.#tell(`+${group}\n`);
    return () => {
      if (!this.#groups.delete(group)) return false;
      this.#forgetLater(group);
      if (this.#groups.size === 0) this.#cancelDismissal = this.#clock.after(IDLE_MS, () => this.#dismiss());
      return true;
    };
  }

  #start(): void {
    if (this.#isResting) return;
    this.#startedMs = this.#clock.now();
    let guard: Guard;
    try {
      guard = spawnGuard();
    } catch (error) {
      return this.#rest(error);
    }
    if (guard.pid === undefined) {
      this.#isResting = true;
      guard.once('error', (error) => this.#rest(error));
      return;
    }
    this.#guard = guard;
    guard.stdin.on('error', () => {});
    guard.once('exit', () => this.#lost(guard));
    guard.unref();
    if ('unref' in guard.stdin && typeof guard.stdin.unref === 'function') guard.stdin.unref();
    this.#tell([...this.#groups].map((group) => `+${group}\n`).join(''));
  }

  /** What ends is often followed at once by its successor: both are told in one write. The id is not used again as fast as that. */
  #forgetLater(group: number): void {
    this.#ended.add(group);
    if (this.#ended.size === 1) this.#clock.after(FORGET_MS, () => this.#tell(''));
  }

  /** Lets the guard go, as the end of this process would. */
  #dismiss(): void {
    const guard = this.#guard;
    this.#guard = undefined;
    guard?.stdin.end();
  }

  #tell(lines: string): void {
    const ended = [...this.#ended].map((group) => `-${group}\n`).join('');
    this.#ended.clear();
    if (ended !== '' || lines !== '') this.#guard?.stdin.write(ended + lines);
  }

  #lost(guard: Guard): void {
    if (this.#guard !== guard) return;
    guard.stdin.destroy();
    this.#guard = undefined;
    this.#restarts = this.#clock.now() - this.#startedMs < HEALTHY_MS ? this.#restarts + 1 : 1;
    if (this.#restarts > MAX_RESTARTS) this.#rest();
    else if (this.#groups.size > 0) this.#start();
  }

  #rest(cause?: unknown): void {
    this.#isResting = true;
    this.#restarts = 0;
    this.#log.error(`the guard process does not stay up: for ${REST_MS} ms programs would outlive this process if it were killed`, cause);
    this.#clock.after(REST_MS, () => {
      this.#isResting = false;
      if (this.#guard === undefined && this.#groups.size > 0) this.#start();
    });
  }
}

function spawnGuard(): Guard {
  // Options that people give to their Node, such as a debugger or a loader, are not meant for the guard.
  const env = { ...process.env, NODE_OPTIONS: '' };
  // Detached, so that a Ctrl-C in the terminal, which goes to the whole foreground group, does not end it before its parent.
  return spawn(process.execPath, GUARD_ARGS, { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env, cwd: '/' });
}
