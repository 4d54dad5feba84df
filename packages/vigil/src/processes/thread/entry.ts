/** The main program of a worker thread: imports a module at once, and runs it as a process when it is told which. */
import { channel } from 'node:diagnostics_channel';
import { type MessagePort, receiveMessageOnPort, threadId, workerData } from 'node:worker_threads';
import { type HostThread, leaveHostEnvironment } from '../../core/index.js';
import { CodeHost, type Exit } from '../remote/code-host.js';
import { revive } from '../remote/data.js';
import { refusedBy } from '../remote/home.js';
import {
  type Answer,
  type Calls,
  type FromCode,
  isForHome,
  type LinkHome,
  type ParcelBox,
  type ParcelData,
  SELF,
  type ToCode,
} from '../remote/protocol.js';
import type { ProgramNews, WorkerData } from './worker-data.js';

class ThreadLink implements LinkHome {
  readonly parcels: Parcels;
  readonly #port: MessagePort;
  readonly #calls: MessagePort;
  readonly #answered: Int32Array<SharedArrayBuffer>;
  readonly #later: ToCode[] = [];

  constructor({ port, calls, answered }: WorkerData) {
    this.#port = port;
    this.#calls = calls;
    this.#answered = answered;
    this.parcels = new Parcels(calls, (parcel) => this.post({ is: 'taken', from: SELF, parcel }));
  }

  catchUp(): void {
    for (let entry = receiveMessageOnPort(this.#port); entry !== undefined; entry = receiveMessageOnPort(this.#port)) {
      const message: ToCode = entry.message;
      if (isForHome(message)) hear(message);
      else this.#later.push(message);
    }
    if (this.#later.length > 0) host.environment.clock.soon(() => this.hearLater());
  }

  /** What was put off, since it may call the code, which was in the middle of something. */
  hearLater(): void {
    for (const message of this.#later.splice(0)) hear(message);
  }

  post(message: FromCode): void {
    try {
      this.#port.postMessage(message);
    } catch (error) {
      throw refusedBy(error);
    }
  }

  call<K extends keyof Calls>(call: K, ...args: Parameters<Calls[K]>): ReturnType<Calls[K]> {
    Atomics.store(this.#answered, 0, 0);
    try {
      this.#calls.postMessage({ call, args });
    } catch (error) {
      throw refusedBy(error);
    }
    Atomics.wait(this.#answered, 0, 0);
    const answer = this.parcels.next<ReturnType<Calls[K]>>();
    if ('error' in answer) throw revive(answer.error);
    return answer.value;
  }
}

/** The parcels that have come, and the way on which they come between the answers. */
class Parcels implements ParcelBox {
  readonly #port: MessagePort;
  readonly #tellGone: (parcel: number) => void;
  readonly #arrived = new Map<number, unknown>();

  constructor(port: MessagePort, tellGone: (parcel: number) => void) {
    this.#port = port;
    this.#tellGone = tellGone;
  }

  look(parcel: number): unknown {
    // No call is open now: there are only parcels.
    this.next();
    return structuredClone(this.#arrived.get(parcel));
  }

  take(parcel: number): unknown {
    this.next();
    const payload = this.#arrived.get(parcel);
    this.#arrived.delete(parcel);
    return payload;
  }

  /** Takes all parcels up to what is none. */
  next<T>(): Answer<T> {
    for (;;) {
      // The other side is of the same version: this is a parcel, or what the one open call is answered with.
      const message: Answer<T> | ParcelData = receiveMessageOnPort(this.#port)?.message;
      if (!isParcel(message)) return message;
      if (message.isGone !== true) this.#arrived.set(message.parcel, message.payload);
      else if (this.#arrived.delete(message.parcel)) this.#tellGone(message.parcel);
    }
  }
}

const data: WorkerData = workerData;
const { port, href, asleep, side, replyBox } = data;
const link = new ThreadLink(data);
const exit: Exit = {
  leave: () => process.exit(),
  memoryBytes() {
    // What buffers take is part of `external`.
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
};
const thread: HostThread = {
  id: threadId,
  startedBy: data.startedBy,
  sleep(words, word, value, timeoutMs) {
    Atomics.store(asleep, 0, 1);
    Atomics.wait(words, word, value, timeoutMs);
    Atomics.store(asleep, 0, 0);
  },
};
const host = new CodeHost(link, exit, { thread, side, replyBox });

// Programs that a worker has started outlive it unless somebody knows of them.
channel('child_process').subscribe((message) => {
  const program: unknown = typeof message === 'object' && message !== null && 'process' in message ? message.process : undefined;
  if (!isChildProcess(program)) return;
  whenItHasPid(program, (pid) => {
    tellOfProgram({ is: 'program', pid, runs: true });
    program.once('exit', () => tellOfProgram({ is: 'program', pid, runs: false }));
  });
});

process.on('uncaughtException', (error) => host.fail(error));

leaveHostEnvironment(host.environment);
const module = import(href);
// Whoever starts the process hears of it; a spare that nobody starts has nobody to tell.
module.catch(() => {});

port.on('message', (message: ToCode) => {
  link.hearLater();
  hear(message);
});

function hear(message: ToCode): void {
  if (message.is === 'start') void host.start(message, module, href);
  else host.receive(message);
}

function isParcel(message: unknown): message is ParcelData {
  return typeof message === 'object' && message !== null && 'parcel' in message;
}

function tellOfProgram(news: ProgramNews): void {
  port.postMessage(news);
}

/** Calls back the moment it is spawned: its event comes later, and the code may exit or loop before that. */
function whenItHasPid(program: Program, callback: (pid: number) => void): void {
  const define = (property: PropertyDescriptor) =>
    Object.defineProperty(program, 'pid', { configurable: true, enumerable: true, ...property });
  define({
    get: () => undefined,
    set: (pid: unknown) => {
      define({ value: pid, writable: true });
      if (typeof pid === 'number') callback(pid);
    },
  });
}

interface Program {
  once(event: 'exit', listener: () => void): void;
}

function isChildProcess(value: unknown): value is Program {
  return typeof value === 'object' && value !== null && 'once' in value && typeof value.once === 'function';
}
