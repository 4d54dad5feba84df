import type { MessagePort } from 'node:worker_threads';

/** What only a thread says: its code has started a program, or one of those has ended. */
export interface ProgramNews {
  readonly is: 'program';
  readonly pid: number;
  readonly runs: boolean;
}

/** What a worker gets when it is made. */
export interface WorkerData {
  readonly href: string;
  /** The id of the thread that makes it. */
  readonly startedBy: number;
  /** What no other side of the runtime is called. */
  readonly side: string;
  /** Where replies for it arrive in memory. */
  readonly replyBox: SharedArrayBuffer;
  /** For everything that is said in passing. */
  readonly port: MessagePort;
  /** For what the worker reads blocked: the answers to its calls, for which it sleeps on `answered`, and parcels. */
  readonly calls: MessagePort;
  /** 0 while a call is open, 1 when its answer lies in `calls`. */
  readonly answered: Int32Array<SharedArrayBuffer>;
  /** 1 while the code sleeps at an inbox. */
  readonly asleep: Int32Array<SharedArrayBuffer>;
}
