import { MessageChannel, type MessagePort, receiveMessageOnPort, type ResourceLimits, threadId, Worker } from 'node:worker_threads';
import { SharedReplyBox, replyAddressOf, systemRandom, VigilError } from '../../core/index.js';
import { readTree } from '../os/process-figures.js';
import type { Call, FromCode, ParcelData, ToCode } from '../remote/protocol.js';
import type { Measured } from '../pulse.js';
import { answerToSpare, type Need, type Workplace, type WorkplaceUser } from '../remote/workplace.js';
import { environmentWith, type EnvironmentOverlay } from '../spawn-options.js';
import type { ProgramNews, WorkerData } from './worker-data.js';

const ENTRY = new URL('./entry.js', import.meta.url);

const BYTES_PER_MB = 1024 * 1024;

/** V8 cannot run with less. */
const MIN_HEAP_MB = 4;

export interface WorkerSettings {
  readonly href: string;
  readonly env: EnvironmentOverlay;
  readonly execArgv: readonly string[] | undefined;
}

/** A worker thread with its lines to this event loop. */
export class ThreadWorker implements Workplace {
  readonly threadId: number;
  readonly replyTo: string;
  readonly replyBox: SharedReplyBox;
  readonly #need: Need;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #calls: MessagePort;
  readonly #answered = new Int32Array(new SharedArrayBuffer(4));
  readonly #asleep = new Int32Array(new SharedArrayBuffer(4));
  /** Programs that its code has started and that have not ended. */
  readonly #programs = new Set<number>();
  #user: WorkplaceUser | undefined;
  #hasLeft = false;
  #error: unknown;
  #utilization = { idle: 0, active: 0, utilization: 0 };

  constructor({ href, env, execArgv }: WorkerSettings, need: Need) {
    this.#need = need;
    const messages = new MessageChannel();
    const calls = new MessageChannel();
    this.#port = messages.port1;
    this.#calls = calls.port1;
    // By chance, since a module may ask something before the runtime has given this side a number.
    const side = systemRandom.next().toString(36).slice(2);
    this.replyTo = replyAddressOf(side);
    this.replyBox = new SharedReplyBox(need.environment);
    const workerData: WorkerData = {
      href,
      startedBy: threadId,
      side,
      replyBox: this.replyBox.memory,
      port: messages.port2,
      calls: calls.port2,
      answered: this.#answered,
      asleep: this.#asleep,
    };
    const resourceLimits = limitsFor(need.settings.maxMemoryBytes);
    this.#worker = new Worker(ENTRY, {
      workerData,
      transferList: [messages.port2, calls.port2],
      name: href,
      env: environmentWith(env),
      ...(execArgv !== undefined && { execArgv: [...execArgv] }),
      ...(resourceLimits !== undefined && { resourceLimits }),
    });
    this.threadId = this.#worker.threadId;
    this.#worker.on('error', (error) => {
      this.#error = error;
    });
    this.#worker.once('exit', (exitCode) => this.#left(exitCode));
    this.#calls.on('message', (call: Call) => this.#answer(call));
    this.#calls.unref();
    this.keepAlive(false);
  }

  get isAlive(): boolean {
    return !this.#hasLeft;
  }

  use(user: WorkplaceUser): void {
    this.#user = user;
    this.#port.on('message', (message: FromCode | ProgramNews) => this.#hear(message));
    this.#port.unref();
  }

  get isAsleep(): boolean {
    return Atomics.load(this.#asleep, 0) === 1;
  }

  post(message: ToCode): void {
    this.#port.postMessage(message);
  }

  postParcel(parcel: ParcelData): void {
    this.#calls.postMessage(parcel);
  }

  suspend(): void {
    this.post({ is: 'suspend' });
  }

  resume(): void {
    this.post({ is: 'resume' });
  }

  halt(): void {
    // While its loop still turns, it hears of their ends.
    this.#endPrograms();
    void this.#worker.terminate();
  }

  keepAlive(isNeeded: boolean): void {
    if (isNeeded) this.#worker.ref();
    else this.#worker.unref();
  }

  /** Its heap and its buffers cannot be read from outside. */
  measure(): Measured {
    const before = this.#utilization;
    this.#utilization = this.#worker.performance.eventLoopUtilization();
    const { utilization } = this.#worker.performance.eventLoopUtilization(this.#utilization, before);
    // The two figures that it is made of are not read at the same instant.
    return { threadId: this.threadId, utilization: Math.min(Math.max(utilization, 0), 1) };
  }

  #hearAll(): void {
    for (let entry = receiveMessageOnPort(this.#port); entry !== undefined; entry = receiveMessageOnPort(this.#port)) {
      this.#hear(entry.message);
    }
  }

  #hear(message: FromCode | ProgramNews): void {
    if (isProgramNews(message)) this.#programChanged(message.pid, message.runs);
    else this.#user?.receive(message);
  }

  #programChanged(pid: number, runs: boolean): void {
    if (runs) this.#programs.add(pid);
    else this.#programs.delete(pid);
  }

  #answer(call: Call): void {
    // What it had said before it asked is older than its question.
    this.#hearAll();
    this.#calls.postMessage(this.#user?.answer(call) ?? answerToSpare());
    Atomics.store(this.#answered, 0, 1);
    Atomics.notify(this.#answered, 0);
  }

  #left(exitCode: number): void {
    this.#hasLeft = true;
    // What it had said before it was gone counts.
    this.#hearAll();
    this.#port.close();
    this.#calls.close();
    this.replyBox.close();
    this.#endPrograms();
    this.#user?.gone(this.#failureOf(exitCode));
  }

  #failureOf(exitCode: number): Error | undefined {
    const error = this.#error;
    if (isOutOfMemory(error)) return this.#outOfMemory(error);
    if (error !== undefined) return error instanceof Error ? error : new VigilError('AbnormalExit', 'the thread failed', { cause: error });
    if (exitCode === 0) return undefined;
    return new VigilError('AbnormalExit', `the thread ended with exit code ${exitCode}`, { details: { exitCode } });
  }

  #outOfMemory(cause: unknown): VigilError {
    const { maxMemoryBytes } = this.#need.settings;
    const limit = maxMemoryBytes === undefined ? "the limit of Node's own" : `maxMemoryBytes, ${maxMemoryBytes}`;
    return new VigilError('OutOfMemory', `the heap of the thread has reached ${limit}`, { cause, details: { maxMemoryBytes } });
  }

  /** Nobody is left who would hear of the end of these, or who could end them. */
  #endPrograms(): void {
    const who = this.#user?.who ?? 'a spare thread';
    for (const pid of this.#programs) {
      this.#programs.delete(pid);
      if (!endTree(pid)) continue;
      this.#need.environment.log.warn(`${who} ends before program ${pid} that it has started, which is killed`);
    }
  }
}

function limitsFor(maxMemoryBytes: number | undefined): ResourceLimits | undefined {
  if (maxMemoryBytes === undefined) return undefined;
  return { maxOldGenerationSizeMb: Math.max(maxMemoryBytes / BYTES_PER_MB, MIN_HEAP_MB) };
}

/** Code has its own ways to the port; nothing that it says there may harm anybody else. */
function isProgramNews(message: FromCode | ProgramNews | null): message is ProgramNews {
  return message?.is === 'program';
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

/** Kills a program and what it has started. It is a child of this process still, so that nobody else can have its pid. */
function endTree(root: number): boolean {
  const [, ...below] = readTree(root);
  const wasRunning = kill(root);
  for (const pid of below) kill(pid);
  return wasRunning;
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
