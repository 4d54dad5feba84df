import {
  type Cancel,
  crashed,
  describeValue,
  type ExitReason,
  KILLED,
  type LocalInbox,
  SHUTDOWN,
  type Signal,
  VigilError,
} from '../../core/index.js';
import { LocalProcess } from '../local-process.js';
import { type Measured, type Patient, Pulse } from '../pulse.js';
import { Program, type ProgramEnd, type ProgramListener, type ProgramOptions } from '../os/program.js';
import type { ProcessHost, ProcessSettings, Vitals } from '../runner.js';
import { environmentWith } from '../spawn-options.js';
import type { CompleteCommandOptions } from './command-options.js';
import { reasonOf } from './program-exit.js';
import { ProgramInput } from './program-input.js';
import { watchReadiness } from './readiness.js';

/** One incarnation of a program. It has ended when nothing of its process group runs any more. */
export class CommandProcess<TArgs = unknown> extends LocalProcess<unknown, TArgs> implements ProgramListener, Patient {
  readonly #options: CompleteCommandOptions;
  readonly #input: ProgramInput;
  readonly #pulse: Pulse;
  #program: Program | undefined;
  #isReady = false;
  #isAsked = false;
  readonly #queue: LocalInbox<unknown>;
  #killReason: ExitReason | undefined;
  #cancelReadiness: Cancel | undefined;

  constructor(options: CompleteCommandOptions, settings: ProcessSettings<TArgs>, incarnation: number, host: ProcessHost) {
    super(settings, incarnation, host);
    this.#options = options;
    this.#input = new ProgramInput(this.#who, options.stdin, () => this.#queue);
    this.#queue = this.makeLocalInbox(this.#input);
    // Held and closed with the process from the first moment, though nobody may ask for it.
    void this.inbox;
    this.#pulse = new Pulse(settings, host.environment.clock, this);
  }

  get kind(): 'command' {
    return 'command';
  }

  protected override makeInbox(): LocalInbox<unknown> {
    return this.#queue;
  }

  start(): void {
    if (!this.isAlive) return;
    // Nothing is run only to be told to end. Later, since an end never comes while `start` runs.
    if (this.#isAsked) return queueMicrotask(() => this.end(SHUTDOWN));
    let options: ProgramOptions;
    try {
      options = this.#programOptions();
    } catch (error) {
      return queueMicrotask(() => this.#endWith(crashed(error)));
    }
    this.#spawned(new Program(options, this.host.environment, this));
  }

  stop(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#cancelReadiness?.();
    this.#program?.keepAlive();
    // A suspended program could neither read what is queued for it nor hear of the request.
    this.#program?.resume();
    this.releaseMessages();
    this.refuseMessages();
    this.#input.finish(() => this.#program?.stop(this.#options.stopSignal), this.host.environment.clock);
  }

  suspend(): void {
    if (this.#isAsked) return;
    this.#program?.suspend();
    this.holdMessages();
  }

  resume(): void {
    this.#program?.resume();
    this.releaseMessages();
  }

  kill(reason: ExitReason = KILLED): void {
    if (!this.isAlive) return;
    if (this.#program === undefined) return this.#endWith(reason);
    // What has exited by itself has its reason, although something of its group may still be left.
    if (!this.#program.hasExited) this.#killReason ??= reason;
    this.#input.close();
    this.refuseMessages();
    this.#program.kill();
  }

  override vitals(): Vitals | undefined {
    return this.#program?.pid === undefined || !this.isAlive ? undefined : this.#pulse.vitals();
  }

  failed(error: VigilError): void {
    this.#endWith(this.#killReason ?? crashed(error));
  }

  ended(end: ProgramEnd): void {
    this.#endWith(this.#killReason ?? reasonOf(end, this.#isAsked, this.#options, this.#who));
  }

  line(stream: 'stdout' | 'stderr', text: string): void {
    const level = this.#options.logOutput[stream];
    if (level !== 'none') this.host.environment.log[level](`${this.#who}: ${text}`);
    const { readyWhen } = this.#options;
    if (!this.#isReady && readyWhen?.kind === 'line' && readyWhen.matches(text)) this.#ready();
  }

  warn(signal: Signal): void {
    this.host.processNotified(this, signal);
  }

  fail(error: VigilError): void {
    this.kill(crashed(error));
  }

  measure(): Measured {
    const { pid } = this.#program ?? {};
    const measured = this.#program?.measure();
    return { pid, memoryBytes: measured?.residentBytes, utilization: measured?.utilization };
  }

  get #who(): string {
    return `command ${describeValue(this.settings.id)} (incarnation ${this.incarnation})`;
  }

  #programOptions(): ProgramOptions {
    const { program, args, cwd, env, uid, gid, stdin } = this.#options;
    return {
      who: this.#who,
      file: program,
      args,
      cwd,
      env: environmentWith({ ...env, ...this.#facts() }),
      uid,
      gid,
      stdio: [stdin === 'none' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      priority: this.settings.priority,
    };
  }

  /** What a body finds in its context. */
  #facts(): Record<string, string | undefined> {
    const { id, args } = this.settings;
    return {
      VIGIL_CHILD_ID: id,
      VIGIL_INCARNATION: String(this.incarnation),
      // A Vigil that itself runs as a command has the variable, but not the args, of its own.
      VIGIL_ARGS: args === undefined ? undefined : this.#asJson(args),
    };
  }

  #asJson(args: unknown): string | undefined {
    try {
      return JSON.stringify(args);
    } catch (cause) {
      throw new VigilError('ProcessStartFailed', `${this.#who} did not start: JSON cannot say its args`, { cause });
    }
  }

  #spawned(program: Program): void {
    this.#program = program;
    if (program.pid === undefined) return;
    this.#pulse.start();
    this.#input.open(program.child?.stdin ?? undefined);
    this.#awaitReadiness();
  }

  #awaitReadiness(): void {
    const { readyWhen } = this.#options;
    if (this.settings.readiness === 'immediate') this.#ready();
    else if (readyWhen !== undefined) this.#cancelReadiness = watchReadiness(readyWhen, this.host.environment.clock, () => this.#ready());
  }

  #ready(): void {
    if (this.#isReady || this.#isAsked || this.#killReason !== undefined || !this.isAlive) return;
    this.#isReady = true;
    this.host.processReady(this);
  }

  #endWith(reason: ExitReason): void {
    this.#cancelReadiness?.();
    this.#pulse.stop();
    this.#input.close();
    this.end(reason);
  }
}
