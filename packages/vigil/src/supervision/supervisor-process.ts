import { crashed, type ExitReason, KILLED, VigilError } from '../core/index.js';
import { LocalProcess, type Process, type ProcessHost, type ProcessSettings, type Runner } from '../processes/index.js';
import type { SupervisorInfo } from './supervision-tree.js';

/** What a supervisor looks like to the supervisor above it. */
export interface Supervised {
  readonly exited: Promise<ExitReason>;
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): void;
  inspect(): SupervisorInfo;
}

/** A supervisor as a child: it is ready when all its children are, and has ended when none is left. */
class SupervisorProcess extends LocalProcess {
  readonly #supervisor: Supervised;
  #killReason: ExitReason | undefined;

  constructor(supervisor: Supervised, settings: ProcessSettings, incarnation: number, host: ProcessHost) {
    super(settings, incarnation, host);
    this.#supervisor = supervisor;
    this.refuseMessages();
    // As in OTP: who is linked with a supervisor, and is no child of it, ends without it.
    this.trapExits(() => {});
  }

  get kind(): 'supervisor' {
    return 'supervisor';
  }

  start(): void {
    // A failed start ends through `exited`, unless the supervisor was running already and refuses.
    this.#supervisor.start().then(
      () => this.host.processReady(this),
      (error: unknown) => this.end(crashed(error)),
    );
    void this.#supervisor.exited.then((reason) => this.end(this.#killReason ?? reason));
  }

  stop(): void {
    void this.#supervisor.stop();
  }

  suspend(): void {
    throw new VigilError('InvalidState', `"${this.settings.id}" is a supervisor, which cannot be suspended`);
  }

  resume(): void {}

  /** The supervisor kills its children, and has ended when the last one is gone. */
  kill(reason: ExitReason = KILLED): void {
    this.#killReason ??= reason;
    this.#supervisor.kill();
  }

  inspect(): SupervisorInfo {
    return this.#supervisor.inspect();
  }
}

/** Starts supervisors as children: each time the one that `supply` gives for this parent. */
export class SupervisorRunner implements Runner {
  readonly kind = 'supervisor';
  readonly #supply: (host: ProcessHost, id: string) => Supervised;

  constructor(supply: (host: ProcessHost, id: string) => Supervised) {
    this.#supply = supply;
  }

  create(settings: ProcessSettings, incarnation: number, host: ProcessHost): SupervisorProcess {
    return new SupervisorProcess(this.#supply(host, settings.id), settings, incarnation, host);
  }
}

/** The tree of a process that is a supervisor. */
export function treeBelow(process: Process | undefined): SupervisorInfo | undefined {
  return process instanceof SupervisorProcess ? process.inspect() : undefined;
}
