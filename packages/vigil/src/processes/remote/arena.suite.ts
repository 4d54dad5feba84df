import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Runtime, runtime } from '../../app/index.js';
import {
  describeExit,
  type ExitReason,
  type Inbox,
  isVigilError,
  KILLED,
  type Logger,
  nextTurn,
  type VigilErrorCode,
} from '../../core/index.js';
import type { ChildOptions, Startable, Supervisor } from '../../supervision/index.js';
import { descendants } from '../os/programs.suite.js';
import type { ProcessContext } from '../process-context.js';

export interface Logged {
  readonly level: keyof Logger;
  readonly message: string;
  readonly details: unknown;
}

/**
 * A supervisor of two: the victim, which is tortured, and a bystander. They restart together, once; with the second end of the victim
 * the supervisor gives up.
 */
export class Arena {
  readonly runtime: Runtime;
  readonly supervisor: Supervisor;
  readonly logged: Logged[] = [];
  /** What the victim ended with, each time. */
  readonly ends: ExitReason[] = [];
  readonly observer: Inbox;
  /** How often the bystander was started. */
  bystanders = 0;
  readonly #resources = activeResources();

  constructor(victim: Startable, options: ChildOptions = {}) {
    this.runtime = runtime({ log: loggerInto(this.logged) });
    this.observer = this.runtime.inbox();
    this.runtime.registry.register('observer', this.observer);
    this.runtime.telemetry.on('process_crashed', ({ metadata }) => this.#note(metadata));
    this.runtime.telemetry.on('process_stopped', ({ metadata }) => this.#note(metadata));
    this.supervisor = this.runtime
      .supervisor()
      .strategy('one_for_all')
      .maxRestarts(1)
      .maxSeconds(600)
      .child('victim', victim, { shutdownTimeoutMs: 50, ...options })
      .child('bystander', (ctx: ProcessContext) => {
        this.bystanders += 1;
        return ctx.stopped;
      })
      .build();
  }

  /** What the victim says next. */
  async heard(): Promise<unknown> {
    return (await this.observer.recv()).payload;
  }

  async heardThat(payload: unknown): Promise<void> {
    while ((await this.heard()) !== payload);
  }

  /** The victim ends by itself as often as it takes: each time with a reason that passes, until the supervisor gives up. */
  async assertGivesUp(check: (reason: ExitReason) => void): Promise<void> {
    await this.supervisor.start();
    const end = await this.supervisor.exited;
    assert.ok(end.kind === 'shutdown' && isVigilError(end.info, 'TooManyRestarts'), `the supervisor ended with ${describeExit(end)}`);
    assert.equal(this.ends.length, 2);
    this.ends.forEach(check);
    assert.deepEqual(
      this.supervisor.getRestartHistory().map(({ id, trigger }) => [id, trigger]),
      [['victim', 'exit']],
    );
    check(this.supervisor.getRestartHistory()[0]!.reason);
    assert.equal(this.bystanders, 2);
    await this.assertEmpty();
  }

  /** Nothing of it is left: no process but the guard, nothing that keeps Node alive, no name, no message. */
  async assertEmpty(): Promise<void> {
    await this.supervisor.stop();
    assert.deepEqual(leftBehind(), []);
    await closed();
    assert.deepEqual(activeResources(), this.#resources);
  }

  #note({ id, reason }: { readonly id: string; readonly reason: ExitReason }): void {
    if (id === 'victim') this.ends.push(reason);
  }
}

/** The victim does not end when it is asked to, and is killed when its time is up: to be restarted, and to be stopped for good. */
export async function assertKilledAfterGrace(arena: Arena): Promise<void> {
  await arena.supervisor.start();
  await arena.heardThat('entered');
  await arena.supervisor.restartChild('victim');
  await arena.heardThat('entered');
  await arena.assertEmpty();
  assert.deepEqual(arena.ends, [KILLED, KILLED]);
}

/** Checks for a crash with that message. */
export function crashOf(message: RegExp): (reason: ExitReason) => void {
  return (reason) => {
    assert.ok(reason.kind === 'crashed', `it ended with ${reason.kind}`);
    assert.ok(reason.error instanceof Error, `it crashed with ${String(reason.error)}`);
    assert.match(reason.error.message, message);
  };
}

/** Checks for a crash with that code and these details. */
export function crashWith(code: VigilErrorCode, details: Readonly<Record<string, unknown>> = {}): (reason: ExitReason) => void {
  return (reason) => {
    const error = reason.kind === 'crashed' ? reason.error : undefined;
    assert.ok(isVigilError(error, code), `it ended with ${reason.kind}, ${String(error)}`);
    for (const [key, value] of Object.entries(details)) assert.deepEqual(error.details[key], value);
  };
}

/** Writes down what is logged. */
export function loggerInto(logged: Logged[]): Logger {
  const log = (level: Logged['level']) => (message: string, details?: unknown) => void logged.push({ level, message, details });
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}

/** What runs below this process, but for guards, which stay until it ends, one for each runtime. */
export function descendantsButGuards(): number[] {
  return descendants().filter((pid) => {
    const commandLine = ofProc(pid, 'cmdline');
    // Who has none has given its memory back: it has ended, but for the record.
    return commandLine !== '' && !commandLine.includes('/os/guard.js');
  });
}

/** The same in words, for a test that finds somebody. */
export function leftBehind(): string[] {
  return descendantsButGuards().map((pid) => `${ofProc(pid, 'stat')} ${ofProc(pid, 'cmdline').replaceAll('\0', ' ')}`);
}

function ofProc(pid: number, file: 'cmdline' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Resolves when handles that were closed are gone, which takes them a turn for each of their layers. */
export async function closed(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await nextTurn();
}

/** What keeps Node alive now. */
export function activeResources(): string[] {
  // A handle that is closing has been let go.
  return process
    .getActiveResourcesInfo()
    .filter((resource) => resource !== 'CloseReq')
    .toSorted();
}
