import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { type Cancel, type Environment, VigilError } from '../../core/index.js';
import type { ProcessPriority } from '../runner.js';
import { LineSplitter } from './line-splitter.js';
import { isRunning, readGroup, readProcessFigures } from './process-figures.js';
import { spawnFailure } from './spawn-failure.js';

export interface ProgramOptions {
  /** Whose program it is, for messages: `command "encoder" (incarnation 2)`. */
  readonly who: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Default: the directory of this process. */
  readonly cwd?: string | undefined;
  /** All of its environment; default that of this process. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** As for `spawn`. What it writes to piped standard output and error is read here. */
  readonly stdio: StdioOptions;
  /** Where its piped standard error goes, too, at the pace at which that takes it. */
  readonly passOn?: Writable | undefined;
  /** Of the messages on an `ipc` channel, if it has one. */
  readonly serialization?: 'json' | 'advanced' | undefined;
  readonly priority: ProcessPriority;
}

/** How a program ended, when nothing of it and of its group is left. */
export interface ProgramEnd {
  /** `undefined` when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** The last 20 lines that it wrote to standard error, each cut at 1,000 characters. */
  readonly stderrTail: readonly string[];
}

/** Who hears of a program. Either `failed` or `ended` comes, once, last, and never while one of the program's methods runs. */
export interface ProgramListener {
  /** It could not be started. */
  failed(error: VigilError): void;
  ended(end: ProgramEnd): void;
  /** A line of its piped output, cut at 16 KiB; without this it is read and dropped. */
  line?(stream: 'stdout' | 'stderr', text: string): void;
}

export interface ProgramMeasurement {
  readonly residentBytes: number;
  /** The share of one processor that it used since the last measurement; above 1 when several of its threads ran. */
  readonly utilization: number;
  /** @see ProcessFigures.state */
  readonly state: string;
}

const STDERR_LINES = 20;
const STDERR_LINE_LENGTH = 1000;
const MAX_LINE_BYTES = 16_384;

/** A chunk of output from which on others get a turn before the next one. */
const LARGE_CHUNK_BYTES = 16_384;

/** How long output is waited for when the program has ended: who left its group can keep the pipes open for ever. */
const LAST_OUTPUT_MS = 250;

const FIRST_LOOK_MS = 1;
const LONGEST_LOOK_MS = 50;

/** Signals go to a negative pid, which is a group; Windows has none. */
const HAS_GROUPS = process.platform !== 'win32';

const NICENESS: Record<Exclude<ProcessPriority, 'normal'>, number> = {
  critical: constants.priority.PRIORITY_HIGH,
  high: constants.priority.PRIORITY_ABOVE_NORMAL,
  low: constants.priority.PRIORITY_BELOW_NORMAL,
  batch: constants.priority.PRIORITY_LOW,
};

/**
 * One started program, which leads a process group of its own; everything that it starts is in that group, unless it leaves it.
 *
 *     spawned ── its leader exits ──▶ the group is killed ── none of it runs, its output is read ──▶ ended
 *        └────── nothing was started ──▶ failed
 *
 * A program does not keep Node alive, unless it is told to by `keepAlive`, which `stop` and `kill` do: somebody waits for its end then.
 */
export class Program {
  /** For its streams and its channel. Each of its streams has a listener for errors, which are dropped: its end says more. */
  readonly child: ChildProcess | undefined;
  readonly #options: ProgramOptions;
  readonly #environment: Environment;
  readonly #listener: ProgramListener;
  readonly #stderrTail: string[] = [];
  readonly #splitters: LineSplitter[] = [];
  /** What has not been read to its end. */
  readonly #awaited = new Set<object>();
  #outcome: Pick<ProgramEnd, 'exitCode' | 'signal'> | undefined;
  #isGroupGone = false;
  #hasEnded = false;
  #endWatch: Cancel | undefined;
  #allowExit: Cancel | undefined;
  #cancelWait: Cancel | undefined;
  #measured: { readonly cpuMs: number; readonly atMs: number };

  /** Starts it. */
  constructor(options: ProgramOptions, environment: Environment, listener: ProgramListener) {
    this.#options = options;
    this.#environment = environment;
    this.#listener = listener;
    this.#measured = { cpuMs: 0, atMs: environment.clock.now() };
    this.child = this.#spawn();
    if (this.child !== undefined) this.#attach(this.child);
  }

  /** What it has at a file descriptor, if it was started. */
  pipe(fd: number): unknown {
    // When there was no descriptor left, it has none of them.
    const stdio: ChildProcess['stdio'] | undefined = this.child?.stdio;
    return stdio?.[fd];
  }

  /** `undefined` when it could not be started. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Whether its leading process has ended; the rest of its group, and its last output, may take a moment longer. */
  get hasExited(): boolean {
    return this.#outcome !== undefined;
  }

  /** Sends a signal to the whole group, unless that is gone. */
  signal(name: NodeJS.Signals): void {
    const { child } = this;
    if (child?.pid === undefined || this.#isGroupGone) return;
    if (HAS_GROUPS) signalGroup(child.pid, name);
    else child.kill(name);
  }

  /** @throws {VigilError} `InvalidState` on Windows, which cannot do that. */
  suspend(): void {
    if (!HAS_GROUPS) throw new VigilError('InvalidState', `${this.#options.who} cannot be suspended: Windows has no signal for that`);
    this.signal('SIGSTOP');
  }

  resume(): void {
    if (HAS_GROUPS) this.signal('SIGCONT');
  }

  /** Asks the group to end. A suspended one could not hear of it, so it is resumed, whoever suspended it. */
  stop(name: NodeJS.Signals): void {
    this.keepAlive();
    this.signal(name);
    this.resume();
  }

  kill(): void {
    this.keepAlive();
    this.signal('SIGKILL');
  }

  /** Keeps Node alive until the program has ended. */
  keepAlive(): void {
    if (!this.#hasEnded) this.#allowExit ??= this.#environment.clock.keepAlive();
  }

  /** What its leading process takes; `undefined` where there is no `/proc`, and when it has ended. */
  measure(): ProgramMeasurement | undefined {
    if (this.pid === undefined || this.#outcome !== undefined) return undefined;
    const figures = readProcessFigures(this.pid);
    if (figures === undefined) return undefined;
    const { cpuMs, residentBytes, state } = figures;
    const last = this.#measured;
    this.#measured = { cpuMs, atMs: this.#environment.clock.now() };
    const elapsedMs = this.#measured.atMs - last.atMs;
    return { residentBytes, state, utilization: elapsedMs > 0 ? (cpuMs - last.cpuMs) / elapsedMs : 0 };
  }

  #spawn(): ChildProcess | undefined {
    const { file, args, cwd, env, uid, gid, stdio, serialization } = this.#options;
    try {
      return spawn(file, args, { cwd, env, uid, gid, stdio, serialization, detached: HAS_GROUPS, windowsHide: true });
    } catch (error) {
      // Some failures are thrown, others are an event.
      queueMicrotask(() => this.#fail(error));
      return undefined;
    }
  }

  #attach(child: ChildProcess): void {
    const { pid } = child;
    child.on('error', (error) => {
      // A signal or a message that could not be sent is an error event, too.
      if (pid === undefined) this.#fail(error);
    });
    // Without a file descriptor to spare there are not even streams.
    if (pid === undefined) return;
    for (const stream of child.stdio) stream?.on('error', () => {});
    // Whoever dies between the spawn and this line leaves the program running. Nobody can know a pid any earlier.
    this.#endWatch = this.#environment.guard.watch(pid);
    child.once('exit', (exitCode, signal) => this.#leaderExited(pid, exitCode ?? undefined, signal ?? undefined));
    this.#awaitChannel(child);
    this.#read('stdout', child.stdout);
    this.#read('stderr', child.stderr);
    letNodeExit(child);
    this.#setPriority(pid);
  }

  #awaitChannel(child: ChildProcess): void {
    if (!child.connected) return;
    const arrived = this.#await(child);
    child.once('disconnect', arrived);
  }

  /** Reads a stream to its end, without a reader for it, too: a program whose pipe is full stands still. */
  #read(name: 'stdout' | 'stderr', stream: Readable | null): void {
    if (stream === null) return;
    const isRead = name === 'stderr' || this.#listener.line !== undefined;
    const splitter = new LineSplitter(MAX_LINE_BYTES, (line) => this.#takeLine(name, line));
    this.#splitters.push(splitter);
    stream.on('data', (chunk: Buffer) => {
      if (isRead) splitter.write(chunk);
      if (name === 'stderr' && this.#passOn(chunk, stream)) return;
      // Once the program has exited there is no more than the pipe holds.
      if (chunk.length < LARGE_CHUNK_BYTES || this.#outcome !== undefined) return;
      stream.pause();
      this.#environment.clock.soon(() => stream.resume());
    });
    const arrived = this.#await(stream);
    stream.once('end', arrived);
    stream.once('close', arrived);
  }

  /** @returns whether the stream waits for its reader. */
  #passOn(chunk: Buffer, stream: Readable): boolean {
    const { passOn } = this.#options;
    if (passOn === undefined || passOn.destroyed) return false;
    const hasRoom = passOn.write(chunk, (error) => {
      // As `console` does: nobody has to die because there is no reader any more.
      if (error !== undefined && error !== null && passOn.listenerCount('error') === 0) passOn.once('error', () => {});
      if (stream.isPaused()) stream.resume();
    });
    if (!hasRoom) stream.pause();
    return !hasRoom;
  }

  #takeLine(stream: 'stdout' | 'stderr', line: string): void {
    if (stream === 'stderr') {
      this.#stderrTail.push(line.slice(0, STDERR_LINE_LENGTH));
      if (this.#stderrTail.length > STDERR_LINES) this.#stderrTail.shift();
    }
    this.#listener.line?.(stream, line);
  }

  #setPriority(pid: number): void {
    const { priority, who } = this.#options;
    if (priority === 'normal') return;
    try {
      setPriority(pid, NICENESS[priority]);
    } catch (error) {
      this.#environment.log.warn(`${who} does not have the priority '${priority}'`, error);
    }
  }

  #fail(cause: unknown): void {
    if (this.#hasEnded) return;
    this.#release();
    this.#listener.failed(spawnFailure(this.#options, cause));
  }

  #leaderExited(group: number, exitCode: number | undefined, signal: NodeJS.Signals | undefined): void {
    this.#outcome = { exitCode, signal };
    this.#endGroup(group, FIRST_LOOK_MS);
  }

  /** Kills what the leader left behind and looks again until nothing of it runs. */
  #endGroup(group: number, nextLookMs: number): void {
    if (!HAS_GROUPS || this.#hasNobodyLeft(group)) return this.#groupGone();
    // A process that the kernel is holding up can take its time to die.
    this.#environment.clock.after(nextLookMs, () => this.#endGroup(group, Math.min(nextLookMs * 2, LONGEST_LOOK_MS)));
  }

  #hasNobodyLeft(group: number): boolean {
    const outcome = signalGroup(group, 'SIGKILL');
    if (outcome === 'nobody') return true;
    const members = readGroup(group);
    // Where nobody collects orphans, as in many containers, they stay as zombies for ever.
    if (outcome === 'sent') return members.length > 0 && !members.some(isRunning);
    const pids = members.filter(isRunning).map(({ pid }) => pid);
    if (pids.length > 0) this.#environment.log.warn(`${this.#options.who} leaves processes that it must not kill: ${pids.join(', ')}`);
    return true;
  }

  #groupGone(): void {
    this.#isGroupGone = true;
    const { clock } = this.#environment;
    // When the time is up there may still be something to read in this turn: this event loop may be the slow one.
    this.#cancelWait = clock.after(LAST_OUTPUT_MS, () => clock.soon(() => this.#end()));
    this.#endWhenAllArrived();
  }

  /** The program has not ended before the returned function was called, unless the time for that is up. */
  #await(source: object): () => void {
    this.#awaited.add(source);
    return () => {
      this.#awaited.delete(source);
      this.#endWhenAllArrived();
    };
  }

  #endWhenAllArrived(): void {
    if (this.#isGroupGone && this.#awaited.size === 0) this.#end();
  }

  #end(): void {
    if (this.#hasEnded || this.#outcome === undefined) return;
    for (const splitter of this.#splitters) splitter.end();
    this.#release();
    this.#listener.ended({ ...this.#outcome, stderrTail: this.#stderrTail });
  }

  #release(): void {
    this.#hasEnded = true;
    this.#cancelWait?.();
    this.#endWatch?.();
    this.#allowExit?.();
    if (this.child?.connected) this.child.disconnect();
    for (const stream of this.child?.stdio ?? []) stream?.destroy();
  }
}

function letNodeExit(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  for (const stream of child.stdio) {
    if (stream !== null && stream !== undefined && 'unref' in stream && typeof stream.unref === 'function') stream.unref();
  }
}

/** `forbidden` when there is somebody, but nobody whom this process may signal. */
function signalGroup(group: number, name: NodeJS.Signals): 'sent' | 'nobody' | 'forbidden' {
  try {
    process.kill(-group, name);
    return 'sent';
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH' ? 'nobody' : 'forbidden';
  }
}
