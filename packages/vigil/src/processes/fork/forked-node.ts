import { fileURLToPath } from 'node:url';
import { type Cancel, VigilError } from '../../core/index.js';
import { Program, type ProgramEnd } from '../os/program.js';
import { frame, FrameReader } from '../os/sync-pipe.js';
import type { Call, FromCode, ToCode } from '../remote/protocol.js';
import type { Measured } from '../pulse.js';
import { answerToSpare, type Need, type Workplace, type WorkplaceUser } from '../remote/workplace.js';
import { environmentWith, type EnvironmentOverlay } from '../spawn-options.js';
import { CALLS_FD, isEnvelope } from './stdio.js';

const ENTRY = fileURLToPath(new URL('./entry.js', import.meta.url));

/** What V8 writes before it gives up. */
const OUT_OF_HEAP = /JavaScript heap out of memory|invalid table size Allocation failed/;

export interface ForkSettings {
  readonly href: string;
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly cwd: string | undefined;
  readonly env: EnvironmentOverlay;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** A Node process with its lines to this one. */
export class ForkedNode implements Workplace {
  readonly #need: Need;
  readonly #program: Program;
  #user: WorkplaceUser | undefined;
  #hasEnded = false;
  /** What a spare has said: that its module could not be loaded, for one. */
  readonly #unheard: FromCode[] = [];
  #failure: VigilError | undefined;
  #isOutOfHeap = false;
  #allowExit: Cancel | undefined;

  constructor(settings: ForkSettings, need: Need) {
    const { href, execPath, execArgv, cwd, env, uid, gid } = settings;
    this.#need = need;
    this.#program = new Program(
      {
        who: `fork "${need.settings.id}" (incarnation ${need.incarnation})`,
        file: execPath,
        args: [...execArgv, ENTRY, href],
        cwd,
        env: environmentWith(env),
        uid,
        gid,
        stdio: ['ignore', 'inherit', 'pipe', 'ipc', 'pipe'],
        serialization: 'advanced',
        priority: need.settings.priority,
        // What it writes to its standard error is kept for its exit reason, and appears where that of this process appears.
        passOn: process.stderr,
      },
      need.environment,
      {
        failed: (error) => this.#ended(error),
        ended: (end) => this.#ended(this.#failureOf(end)),
        line: (_stream, text) => this.#readLastWords(text),
      },
    );
    const { child } = this.#program;
    child?.on('message', (message: unknown) => {
      if (isEnvelope<FromCode>(message)) this.#hear(message.vigil);
    });
    this.#answerCalls(this.#program.pipe(CALLS_FD));
  }

  get isAlive(): boolean {
    return !this.#hasEnded;
  }

  use(user: WorkplaceUser): void {
    this.#user = user;
    for (const message of this.#unheard.splice(0)) user.receive(message);
  }

  post(message: ToCode): void {
    const { child } = this.#program;
    // What is said to a process that has left is lost with it; its end tells what was not received.
    if (child?.connected) child.send({ vigil: message }, () => {});
  }

  suspend(): void {
    this.#program.suspend();
  }

  resume(): void {
    this.#program.resume();
  }

  halt(): void {
    this.#program.kill();
  }

  keepAlive(isNeeded: boolean): void {
    if (isNeeded && this.isAlive) this.#allowExit ??= this.#need.environment.clock.keepAlive();
    else this.#letNodeExit();
  }

  measure(): Measured {
    const measured = this.#program.measure();
    return { pid: this.#program.pid, memoryBytes: measured?.residentBytes, utilization: measured?.utilization };
  }

  #hear(message: FromCode): void {
    if (this.#user === undefined) this.#unheard.push(message);
    else this.#user.receive(message);
  }

  #answerCalls(pipe: unknown): void {
    if (!isDuplex(pipe)) return;
    // A process sends no second question before it has the answer to its first.
    const reader = new FrameReader((question: Call) => pipe.write(frame(this.#user?.answer(question) ?? answerToSpare())));
    pipe.on('data', (chunk) => {
      try {
        reader.write(chunk);
      } catch (cause) {
        this.#failure ??= new VigilError('AbnormalExit', 'the process has written what is no call into the pipe for calls', { cause });
        this.halt();
      }
    });
  }

  #ended(failure: Error | undefined): void {
    this.#hasEnded = true;
    this.#letNodeExit();
    this.#user?.gone(this.#failure ?? failure);
  }

  #letNodeExit(): void {
    this.#allowExit?.();
    this.#allowExit = undefined;
  }

  /** A native stack follows, which can be longer than the tail that is kept. */
  #readLastWords(line: string): void {
    if (OUT_OF_HEAP.test(line)) this.#isOutOfHeap = true;
  }

  #failureOf({ exitCode, signal, stderrTail: stderr }: ProgramEnd): VigilError | undefined {
    if (exitCode === 0) return undefined;
    const details = { exitCode, signal, stderr };
    if (this.#isOutOfHeap && signal !== undefined) {
      return new VigilError('OutOfMemory', 'the heap of the process has reached its limit', { details });
    }
    const how = signal === undefined ? `with exit code ${exitCode}` : `by ${signal}`;
    const lastLine = stderr.at(-1);
    const said = lastLine === undefined ? '' : `; its last words were: ${lastLine}`;
    return new VigilError('AbnormalExit', `the process ended ${how}${said}`, { details });
  }
}

interface Duplex {
  write(chunk: Buffer): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
}

function isDuplex(value: unknown): value is Duplex {
  return typeof value === 'object' && value !== null && 'write' in value && 'on' in value;
}
