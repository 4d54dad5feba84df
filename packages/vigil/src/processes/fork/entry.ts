/** The main program of a fork: imports a module and runs it as a process when it is told which. */
import { leaveHostEnvironment } from '../../core/index.js';
import { SyncPipe } from '../os/sync-pipe.js';
import { CodeHost } from '../remote/code-host.js';
import { revive } from '../remote/data.js';
import { refusedBy } from '../remote/home.js';
import type { Answer, Calls, FromCode, LinkHome, ToCode } from '../remote/protocol.js';
import { CALLS_FD, isEnvelope } from './stdio.js';

class ForkLink implements LinkHome {
  readonly #calls = new SyncPipe(CALLS_FD);
  /** Messages that are posted and not yet written. */
  #unwritten = 0;
  #whenWritten: (() => void) | undefined;

  post(message: FromCode): void {
    this.#unwritten += 1;
    try {
      process.send?.({ vigil: message }, undefined, undefined, () => this.#written());
    } catch (error) {
      this.#unwritten -= 1;
      throw refusedBy(error);
    }
  }

  call<K extends keyof Calls>(call: K, ...args: Parameters<Calls[K]>): ReturnType<Calls[K]> {
    // The other side is of the same version and answers this call.
    const answer: Answer<ReturnType<Calls[K]>> = this.#calls.ask({ call, args });
    if ('error' in answer) throw revive(answer.error);
    return answer.value;
  }

  /** Calls back when everything that was posted is on its way. */
  whenWritten(callback: () => void): void {
    if (this.#unwritten === 0) callback();
    else this.#whenWritten = callback;
  }

  #written(): void {
    this.#unwritten -= 1;
    if (this.#unwritten === 0) this.#whenWritten?.();
  }
}

const href = process.argv[2] ?? '';
const link = new ForkLink();
const host = new CodeHost(link, {
  leave: () => link.whenWritten(() => whenPrinted(() => process.exit(0))),
  memoryBytes: () => process.memoryUsage.rss(),
});

process.on('uncaughtException', (error) => host.fail(error));
// The parent is gone, however it went: there is nobody left to work for, and the programs of this group are nobody's either.
process.on('disconnect', () => process.kill(process.platform === 'win32' ? process.pid : -process.pid, 'SIGKILL'));

leaveHostEnvironment(host.environment);
const module = import(href);
// Whoever starts the process hears of it.
module.catch(() => {});

process.on('message', (message: unknown) => {
  if (!isEnvelope<ToCode>(message)) return;
  if (message.vigil.is === 'start') void host.start(message.vigil, module, href);
  else host.receive(message.vigil);
});

/** Calls back when everything that was printed is on its way. */
function whenPrinted(callback: () => void): void {
  process.stdout.write('', () => process.stderr.write('', () => callback()));
}
