/** The main program of a worker thread: imports a module at once, and runs it as a process when it is told which. */
import { channel } from 'node:diagnostics_channel';
import { type MessagePort, receiveMessageOnPort, threadId, workerData } from 'node:worker_threads';
import { type HostThread, leaveHostEnvironment } from '../../core/index.js';
import { CodeHost, type Exit } from '../remote/code-host.js';
import { revive } from '../remote/data.js';
import { refusedBy } from '../remote/home.js';
import type { Answer, Calls, FromCode, LinkHome, ToCode } from '../remote/protocol.js';
import type { ProgramNews, WorkerData } from './worker-data.js';

class ThreadLink implements LinkHome {
  readonly #port: MessagePort;
  readonly #calls: MessagePort;
  readonly #answered: Int32Array<SharedArrayBuffer>;

  constructor({ port, calls, answered }: WorkerData) {
    this.#port = port;
    this.#calls = calls;
    this.#answered = answered;
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
    this.#calls.postMessage({ call, args });
    Atomics.wait(this.#answered, 0, 0);
    // The other side is of the same version and answers this call.
    const answer: Answer<ReturnType<Calls[K]>> = receiveMessageOnPort(this.#calls)?.message;
    if ('error' in answer) throw revive(answer.error);
    return answer.value;
  }
}

const data: WorkerData = workerData;
const { port, href, asleep } = data;
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
  sleep(words, word, value, timeoutMs) {
    Atomics.store(asleep, 0, 1);
    Atomics.wait(words, word, value, timeoutMs);
    Atomics.store(asleep, 0, 0);
  },
};
const host = new CodeHost(link, exit, thread);

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
  if (message.is === 'start') void host.start(message, module, href);
  else host.receive(message);
});

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
