import type { Process, ProcessHost, ProcessLimit, ProcessSettings, Runner } from '../runner.js';
import { type RemoteKind, RemoteProcess } from './remote-process.js';
import { Workplaces } from './workplaces.js';

/** Runs a module elsewhere, in workplaces of one kind. */
export class ModuleRunner<TArgs = unknown> implements Runner<TArgs> {
  readonly kind: RemoteKind['kind'];
  readonly args: TArgs | undefined;
  readonly obeys: readonly ProcessLimit[];
  readonly #remote: RemoteKind;
  readonly #workplaces: Workplaces;

  constructor(remote: RemoteKind, obeys: readonly ProcessLimit[], spares: number, args: TArgs | undefined) {
    this.args = args;
    this.kind = remote.kind;
    this.obeys = obeys;
    this.#remote = remote;
    this.#workplaces = new Workplaces(remote.boot, spares);
  }

  create(settings: ProcessSettings<TArgs>, incarnation: number, host: ProcessHost): Process {
    return new RemoteProcess(this.#remote, this.#workplaces, settings, incarnation, host);
  }

  hold(): () => Promise<void> {
    return this.#workplaces.hold();
  }
}
